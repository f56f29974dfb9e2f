"""The best options of each model: tried in simulation, and made as small as they may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from imagelane.advise.foretell import Play, Question
from imagelane.advise.scaling import best_at_once
from imagelane.model.forecast import Move
from imagelane.model.policy import ExecutionModel, RunOptions
from imagelane.model.profile import Scaling
from imagelane.model.spec import Place
from imagelane.model.states import Scope
from imagelane.plan.draft import IO_PLACES, pool_of, pool_size

WITHIN = 0.05
"""How near the best is good enough: more workers for less than that are not worth it."""
MOST_MOVES = 4
_BETTER = 0.99
_LADDER = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64)


@dataclass(frozen=True, slots=True)
class Knob:
    """A number that can be turned: worker processes, how many of a stage, batches side by side."""

    name: str
    values: Sequence[int]
    turned: Callable[[RunOptions, int], RunOptions]


def knobs(question: Question) -> list[Knob]:
    """What can be turned in parallel: worker processes if there are any, how many of what waits are
    under way at once, and how many of a stage that has a limit in the pipeline file or gets slower
    in company. Nothing goes past what the file allows: a service may bear no more."""
    found = []
    stages = question.logical.stages
    if any(stage.spec.traits.place is Place.PROCESS for stage in stages):
        values = _up_to(question.machine.cores)
        found.append(Knob("worker processes", values, _pool("cpu")))
    waiting = [one for one in stages if one.spec.traits.place is Place.THREAD]
    for pool in sorted({pool_of(stage.spec) for stage in waiting} - {"cpu"}):
        most = pool_size(pool, question.options, question.machine)
        found.append(Knob(f"places in pool {pool}", _up_to(most), _pool(pool)))
    for stage in waiting:
        scaling = _scaling(question, stage.name)
        limited = stage.spec.workers or question.options.workers.get(stage.name)
        if stage.scope is Scope.IMAGE and (limited or scaling.slowdown(2) > 1):
            size = pool_size(pool_of(stage.spec), question.options, question.machine)
            most = min(limited or size, max(1, best_at_once(scaling)))
            found.append(Knob(f"{stage.name} at once", _up_to(most), _workers(stage.name)))
    return found


def _up_to(most: int) -> list[int]:
    return sorted({*(number for number in _LADDER if number < most), most})


def _scaling(question: Question, name: str) -> Scaling:
    try:
        return question.profile.stage(name).scaling
    except KeyError:
        return Scaling()


def _pool(name: str) -> Callable[[RunOptions, int], RunOptions]:
    def turned(options: RunOptions, number: int) -> RunOptions:
        return replace(options, pools={**options.pools, name: number})

    return turned


def _workers(name: str) -> Callable[[RunOptions, int], RunOptions]:
    def turned(options: RunOptions, number: int) -> RunOptions:
        return replace(options, workers={**options.workers, name: number})

    return turned


def _batches(options: RunOptions, number: int) -> RunOptions:
    return replace(options, parallel_batches=number)


def plain(options: RunOptions, model: ExecutionModel) -> RunOptions:
    """The options of a model with nothing turned. What has to do with the bytes that may be in hand
    and with named pools stays as the file says."""
    pools = {name: size for name, size in options.pools.items() if name != "cpu"}
    return replace(
        options, model=model, workers={}, pools=pools, parallel=frozenset(), max_in_flight=0
    )


@dataclass(frozen=True, slots=True)
class Found:
    """The smallest options within `WITHIN` of the best, how long they take, and how long the best
    ones take. ``knee`` is (number, seconds) for the knob that matters most, ``knee_of``."""

    options: RunOptions
    seconds: float
    best: float
    knee_of: str
    knee: tuple[tuple[int, float], ...]


def parallel(question: Question, play: Play) -> Found:
    """The best of the parallel model: every knob up, then each as far down as nothing is lost."""
    options = plain(question.options, ExecutionModel.PARALLEL)
    return _settled(options, knobs(question), play)


def hybrid(question: Question, play: Play, processes: int) -> Found:
    """The best number of batches side by side."""
    options = _pool("cpu")(plain(question.options, ExecutionModel.HYBRID), processes)
    waits = any(stage.spec.traits.place is Place.THREAD for stage in question.logical.stages)
    most = IO_PLACES if waits else 2 * question.machine.cores
    enough = max(1, -(-question.images // options.batch_size))
    return _settled(options, [Knob("batches", _up_to(min(most, enough)), _batches)], play)


def _settled(options: RunOptions, turn: Sequence[Knob], play: Play) -> Found:
    numbers = {knob.name: knob.values[-1] for knob in turn}

    def seconds(changed: Mapping[str, int]) -> float:
        return play(_turned(options, turn, {**numbers, **changed}))

    best = seconds({})
    # More at once may be slower: in company, or because it takes cores from what matters.
    for knob in turn:
        for value in reversed(knob.values[:-1]):
            tried = seconds({knob.name: value})
            if tried < best * _BETTER:
                best, numbers[knob.name] = tried, value
    knee: list[tuple[int, float]] = []
    knee_of = ""
    for knob in turn:
        below = [value for value in knob.values if value <= numbers[knob.name]]
        curve = []
        for value in below:
            curve.append((value, seconds({knob.name: value})))
            if curve[-1][1] <= best * (1 + WITHIN):
                numbers[knob.name] = value
                break
        if not knee or curve[0][1] > knee[0][1]:
            knee, knee_of = curve, knob.name
    return Found(_turned(options, turn, numbers), seconds({}), best, knee_of, tuple(knee))


def _turned(options: RunOptions, turn: Sequence[Knob], numbers: Mapping[str, int]) -> RunOptions:
    for knob in turn:
        options = knob.turned(options, numbers[knob.name])
    return options


def moves(question: Question, play: Play, most: Mapping[str, int]) -> list[Move]:
    """Which stages to move out of a sequential run's lane, one after the other: each time the one
    that gains most. ``most`` is how many of each stage may be side by side."""
    options = plain(question.options, ExecutionModel.SEQUENTIAL)
    before = play(options)
    found: list[Move] = []
    names = [stage.name for stage in question.logical.stages if _worth(question, stage.name)]
    while names and len(found) < MOST_MOVES:
        tried = []
        for name in names:
            moved = replace(
                options,
                parallel=options.parallel | {name},
                workers={**options.workers, name: most.get(name, 1)},
            )
            tried.append((play(moved), name, moved))
        seconds, name, moved = min(tried, key=lambda one: one[0])
        if seconds > before * (1 - WITHIN):
            break
        found.append(Move(name, moved.workers[name], seconds, before - seconds))
        options, before = moved, seconds
        names.remove(name)
    return found


def _worth(question: Question, name: str) -> bool:
    """Whether a stage of images takes enough for moving it to matter."""
    stages = [one for one in question.profile.stages if one.scope is Scope.IMAGE]
    total = sum(one.alone for one in stages)
    return any(one.name == name and one.alone > 0.02 * total for one in stages)
