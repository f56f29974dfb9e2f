"""Advice: each model at its best, the one to take, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imagelane.advise.bounds import LANE, demands, serial
from imagelane.advise.foretell import Question, foretell, quick
from imagelane.advise.scaling import amdahl, best_at_once
from imagelane.advise.search import WITHIN, hybrid, knobs, moves, parallel, plain
from imagelane.model.forecast import (
    Advice,
    Answer,
    Asked,
    Ceiling,
    Forecast,
)
from imagelane.model.ids import StageName
from imagelane.model.policy import ExecutionModel, RunOptions
from imagelane.model.spec import Place
from imagelane.model.states import Scope
from imagelane.plan.draft import pool_of, pool_size

COMPARED = 240
"""Images in the simulations that options are compared by."""
ONE_BY_ONE = 1_500
"""Images that are simulated one by one for what is told; a larger batch goes on at their rate."""
SEEDS = range(1, 8)
WORTH = 1.05
"""How many times as fast as one at a time it must be for anything else to be advised."""
CONTENDED = 1.15
"""How much longer each of two at once takes where a stage is said to get slower in company."""
LABELS = {
    ExecutionModel.SEQUENTIAL: "one at a time",
    ExecutionModel.PARALLEL: "parallel",
    ExecutionModel.HYBRID: "batches",
}


def advise(question: Question, *, deadline: float | None = None) -> Advice:
    """Compare the models, and say which to take.

    Raises:
        PlanError: the pipeline cannot be planned.
    """
    play = quick(question, min(question.images, COMPARED))
    fast = parallel(question, play)
    processes = fast.options.pools.get("cpu", question.machine.cores)
    batches = hybrid(question, play, processes)
    sequential = plain(question.options, ExecutionModel.SEQUENTIAL)
    forecasts = [
        _told(question, LABELS[options.model], options)
        for options in (sequential, fast.options, batches.options)
    ]
    now = _told(question, "as the file says", question.options)
    answer, reason = choose(forecasts, deadline)
    chosen = next(one for one in forecasts if one.options.model.value == answer.value)
    most = _most(question, fast.options)
    asked = Asked(
        question.images, question.groups, question.machine.cores, deadline, question.price
    )
    return Advice(
        pipeline=question.logical.name,
        origin=question.profile.origin,
        asked=asked,
        answer=answer,
        chosen=chosen,
        forecasts=tuple(forecasts),
        now=now,
        ceiling=_ceiling(question, forecasts[0]),
        moves=tuple(moves(question, play, most)),
        knee_of=fast.knee_of,
        knee=fast.knee,
        slower=tuple(_slower(question)),
        reason=reason,
        sure=tuple(_sure(question)),
        unsure=tuple(_unsure(question, chosen)),
    )


def _told(question: Question, label: str, options: RunOptions) -> Forecast:
    return foretell(question, label, options, one_by_one=ONE_BY_ONE, seeds=SEEDS)


def _most(question: Question, options: RunOptions) -> dict[str, int]:
    """How many of each stage may be side by side where it is moved over."""
    found: dict[str, int] = {}
    for stage in question.logical.stages:
        if stage.spec.traits.place is Place.PROCESS:
            found[stage.name] = options.pools.get("cpu", question.machine.cores)
        elif stage.spec.traits.place is Place.THREAD:
            pool = pool_of(stage.spec)
            size = pool_size(pool, options, question.machine)
            found[stage.name] = options.workers.get(stage.name, size)
    return found


def choose(forecasts: Sequence[Forecast], deadline: float | None) -> tuple[Answer, str]:
    """The model to take, of the best of each (sequential, parallel, hybrid), and why."""
    one, many, batches = forecasts
    # Batches only where they are clearly faster: they are one more thing to know.
    fast = batches if batches.seconds.middle < many.seconds.middle * (1 - WITHIN) else many
    gain = one.seconds.middle / fast.seconds.middle if fast.seconds.middle else 1.0
    if gain < WORTH:
        return Answer.SEQUENTIAL, _no_gain(gain)
    if deadline is not None and one.seconds.high + one.start <= deadline:
        return Answer.SEQUENTIAL, (
            "it is done before the deadline, and nothing is simpler to run and to understand"
        )
    if deadline is not None and fast.seconds.high + fast.start > deadline:
        late = "never" if fast.seconds.low + fast.start > deadline else "not surely"
        return Answer(fast.options.model.value), (
            f"it is {gain:.1f} × as fast as one at a time; the deadline is {late} met"
        )
    return Answer(fast.options.model.value), f"it is {gain:.1f} × as fast as one at a time"


def _no_gain(gain: float) -> str:
    if gain < 1:
        return "all else is slower"
    if gain < 1.02:
        return "more at once gains nothing"
    return f"more at once gains no more than {1 - 1 / gain:.0%}".replace("%", " %")


def _ceiling(question: Question, sequential: Forecast) -> Ceiling:
    """What no number of workers gets past: the scarcest of what cannot be bought here."""
    unbound = plain(question.options, ExecutionModel.PARALLEL)
    for knob in knobs(question):
        unbound = knob.turned(unbound, knob.values[-1])
    scarcest = demands(question.plan(unbound), question.means(), question.machine.cores)[0]
    each = sequential.seconds.middle / max(1, question.images)
    share = serial(question.profile, question.means()) / each if each else 0.0
    share = min(1.0, max(0.0, share))
    speed_up = each / scarcest.seconds if scarcest.seconds else 1.0
    name = scarcest.name if scarcest.name != LANE else "one at a time"
    if scarcest.stage is not None and scarcest.stage not in name:
        name = f"{name}, most of it for {scarcest.stage}"
    return Ceiling(max(1.0, speed_up), name, share, amdahl(share))


def _slower(question: Question) -> Iterator[tuple[StageName, float]]:
    for stage in question.profile.stages:
        slowdown = stage.scaling.slowdown(2)
        # What is halved by the slowdown still gains; said is it all the same.
        if slowdown >= CONTENDED and stage.scope is Scope.IMAGE:
            yield stage.name, slowdown


def _sure(question: Question) -> Iterator[str]:
    profile = question.profile
    tries = sum(stage.attempts for stage in profile.stages)
    yield f"{tries:,} attempts were measured, from {profile.origin}"
    for name, slowdown in _slower(question):
        scaling = profile.stage(name).scaling
        best = best_at_once(scaling, 64)
        more = "one at a time is best" if best == 1 else f"more than {best} at once are slower"
        yield f"two of {name} at once take {slowdown:.1f} × as long each: {more}"


def _unsure(question: Question, chosen: Forecast) -> Iterator[str]:
    profile = question.profile
    if question.machine.cores > profile.cores:
        yield (
            f"measured on {profile.cores} cores, told for {question.machine.cores}: that more "
            "cores are as fast each is taken on trust"
        )
    for stage in profile.stages:
        under_way, measured = chosen.under_way.get(stage.name, 0.0), stage.scaling.measured_to
        if stage.place is Place.THREAD and under_way > max(2.0, 2 * measured):
            yield (
                f"{under_way:.0f} of {stage.name} at once; measured were {measured:.1f}. If what "
                "it calls gets slower with more callers, so does this"
            )
    if chosen.simulated < chosen.images:
        yield (
            f"{chosen.simulated:,} of {chosen.images:,} images were simulated one by one, the rest "
            "at the rate that came out"
        )
    yield from profile.doubts
