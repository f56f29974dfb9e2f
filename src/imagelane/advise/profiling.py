"""From observed runs to a profile: what each attempt takes alone, and how company slows it down."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from imagelane.advise.company import DRIFT, FEW, computed, computing, may_contend, waiting
from imagelane.advise.draws import spread_of
from imagelane.advise.observe import Observed, RunObserved
from imagelane.advise.scaling import line
from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalPlan, LogicalStage
from imagelane.model.profile import (
    Costs,
    Effort,
    MemoryUse,
    Profile,
    Scaling,
    Specimen,
    StageProfile,
)
from imagelane.model.spec import Place
from imagelane.model.states import Scope

_USUAL = Costs()
SMALL = 0.05
"""Millions of bytes: how time goes with the size of smaller files is not told."""


def profile_of(
    runs: Sequence[RunObserved], logical: LogicalPlan, *, cores: int, taken: float, origin: str
) -> Profile:
    """Everything that can be said from these runs.

    What attempts take alone is that of the run with the fewest side by side; the others show what
    company does to them. Raises ValueError if they hold no attempt.
    """
    if not any(run.attempts for run in runs):
        raise ValueError("these runs hold no attempt at any stage")
    speed = statistics.median(run.speed for run in runs)
    base = _base(runs)
    waits = {
        stage.name: waiting(stage, runs, base)
        for stage in logical.stages
        if may_contend(stage, runs)
    }
    busy = computing(runs, base, speed)
    costs = _costs(runs, base, speed)
    efforts = _efforts(runs, base, waits, busy, costs, speed)
    kept = {scope: _specimens(efforts, runs, scope) for scope in Scope}
    profile = Profile(
        pipeline=logical.name,
        plan=logical.digest,
        taken=taken,
        origin=origin,
        cores=cores,
        speed=speed,
        drift=max(DRIFT, spread_of([math.log(run.speed / speed) for run in runs])),
        images=kept[Scope.IMAGE],
        groups=kept[Scope.GROUP],
        runs=kept[Scope.RUN],
        stages=tuple(_stage(stage, kept, waits, runs) for stage in logical.stages),
        costs=costs,
        busy=busy,
        memory=_memory(runs),
    )
    return replace(profile, doubts=tuple(_doubts(profile, runs, base)))


def _base(runs: Sequence[RunObserved]) -> list[RunObserved]:
    """The runs with the fewest side by side."""
    seen = [(run.level or _company(run), run) for run in runs if run.attempts]
    least = min(level for level, _ in seen)
    return [run for level, run in seen if level < least + 0.5]


def _company(run: RunObserved) -> float:
    """How many were side by side in a run that nobody arranged."""
    return max(1.0, statistics.fmean(one.beside for one in run.attempts))


# What everything costs beside the stages


def _costs(runs: Sequence[RunObserved], base: Sequence[RunObserved], speed: float) -> Costs:
    watched = [run for run in runs if run.usage is not None]
    usual = 0.0
    for run in watched:
        usual += _USUAL.turn * len(run.commits) + _USUAL.event * run.events
    taken = sum(run.usage.coordinator * run.speed / speed for run in watched if run.usage)
    share = taken / usual if usual else 1.0
    commits = [gap for run in base for scope, gap in _handed_over(run) if scope is Scope.IMAGE]
    of_groups = [gap for run in base for scope, gap in _handed_over(run) if scope is Scope.GROUP]
    warm = _warm(runs, speed)
    commit = _low(commits) if len(commits) >= FEW else _USUAL.commit
    return Costs(
        start=_start(watched, speed) or _USUAL.start,
        warm=_USUAL.warm if warm is None else warm,
        turn=_USUAL.turn * share,
        event=_USUAL.event * share,
        commit=commit,
        group=max(commit, _low(of_groups)) if of_groups else _USUAL.group,
        order=_USUAL.order,
        known=bool(watched),
    )


def _handed_over(run: RunObserved) -> Iterable[tuple[Scope, float]]:
    """From the commit before an attempt to its start, where a commit could be what it waited for:
    attempts that began with their order."""
    last: dict[str, float] = {}
    commits = run.commits
    place = 0
    for one in sorted(run.attempts, key=lambda one: one.started):
        while place < len(commits) and commits[place] <= one.started:
            place += 1
        follows = one.started - last.get(one.worker, -math.inf) > 0.0005
        last[one.worker] = one.finished
        if place and follows:
            yield one.subject.scope, one.started - commits[place - 1]


def _low(values: Sequence[float]) -> float:
    """The lower quartile: what waited longer waited for something else as well."""
    return sorted(values)[len(values) // 4]


def _start(runs: Sequence[RunObserved], speed: float) -> float:
    """Processor seconds of a worker that no attempt accounts for; 0 where it is not known."""
    left = []
    for run in runs:
        spent: dict[str, float] = defaultdict(float)
        for one in run.attempts:
            if one.place is Place.PROCESS:
                spent[one.worker.rpartition("-")[2]] += one.cpu
        for process, seconds in spent.items():
            total = run.usage.workers.get(process, 0.0) if run.usage else 0.0
            if total > seconds:
                left.append((total - seconds) * run.speed / speed)
    return statistics.median(left) if left else 0.0


def _warm(runs: Sequence[RunObserved], speed: float) -> float | None:
    """Processor seconds that a worker's first order takes more than others do; None: not known."""
    usual: dict[StageName, list[float]] = defaultdict(list)
    first: dict[tuple[int, str], list[tuple[StageName, float]]] = defaultdict(list)
    for number, run in enumerate(runs):
        for one in run.attempts:
            if one.place is Place.PROCESS and one.error is None:
                cpu = one.cpu * run.speed / speed
                if one.fresh:
                    first[number, one.worker].append((one.stage, cpu))
                else:
                    usual[one.stage].append(cpu)
    means = {name: statistics.fmean(taken) for name, taken in usual.items()}
    more = [
        sum(cpu - means[name] for name, cpu in ones)
        for ones in first.values()
        if all(name in means for name, _ in ones)
    ]
    return max(0.0, statistics.median(more)) if more else None


# Attempts, as they would have been alone


def _efforts(
    runs: Sequence[RunObserved],
    base: Sequence[RunObserved],
    waits: Mapping[StageName, Scaling],
    busy: Scaling,
    costs: Costs,
    speed: float,
) -> Mapping[tuple[str, Scope], Mapping[StageName, tuple[Effort, ...]]]:
    """By subject. One that was measured alone stands for itself; what company did to the others is
    taken away."""
    found: dict[tuple[str, Scope], dict[StageName, tuple[Effort, ...]]] = {}
    turn = costs.turn + costs.event
    for run in sorted(runs, key=lambda run: run not in base):
        cores = _cores(run)
        made: dict[tuple[str, Scope], dict[StageName, list[Effort]]] = {}
        # What a worker did first says how long it takes to get ready; unless there is nothing else.
        for one in [one for one in run.attempts if not one.fresh] or run.attempts:
            scaling = waits.get(one.stage, Scaling())
            effort = Effort(
                cpu=one.cpu * run.speed / speed / busy.slowdown(cores),
                waited=one.waited / scaling.slowdown(one.beside),
                recorded=max(0.0, one.at - one.finished - turn),
                decoded=one.decoded,
                output=one.output,
                error=one.error,
            )
            of_subject = made.setdefault((one.key, one.subject.scope), {})
            of_subject.setdefault(one.stage, []).append(effort)
        for subject, by_stage in made.items():
            found.setdefault(subject, {name: tuple(tries) for name, tries in by_stage.items()})
    return _recorded_at_once(found, runs)


def _cores(run: RunObserved) -> float:
    return next((cores for _, cores in computed([run], run.speed).values()), 1.0)


def _recorded_at_once(
    efforts: Mapping[tuple[str, Scope], Mapping[StageName, tuple[Effort, ...]]],
    runs: Sequence[RunObserved],
) -> Mapping[tuple[str, Scope], Mapping[StageName, tuple[Effort, ...]]]:
    """The same, with reports that travelled with a later one of their order taken for as quick as
    any: what kept them was no disk."""
    kept_back = _kept_back(runs)
    soonest = min(
        (
            statistics.median(one.recorded for one in tries)
            for by_stage in efforts.values()
            for name, tries in by_stage.items()
            if name not in kept_back
        ),
        default=0.0,
    )
    return {
        subject: {
            name: tuple(
                replace(one, recorded=min(one.recorded, soonest)) if name in kept_back else one
                for one in tries
            )
            for name, tries in by_stage.items()
        }
        for subject, by_stage in efforts.items()
    }


def _kept_back(runs: Sequence[RunObserved]) -> frozenset[StageName]:
    """Stages after which their worker mostly went on with the same subject at once."""
    followed: dict[StageName, list[bool]] = defaultdict(list)
    for run in runs:
        by_worker: dict[str, list[Observed]] = defaultdict(list)
        for one in run.attempts:
            by_worker[one.worker].append(one)
        for ones in by_worker.values():
            ones.sort(key=lambda one: one.started)
            for one, after in zip(ones, [*ones[1:], None], strict=True):
                followed[one.stage].append(
                    after is not None
                    and after.subject == one.subject
                    and after.started - one.finished < max(0.0005, one.at - one.finished)
                )
    return frozenset(name for name, seen in followed.items() if sum(seen) > len(seen) / 2)


def _specimens(
    efforts: Mapping[tuple[str, Scope], Mapping[StageName, tuple[Effort, ...]]],
    runs: Sequence[RunObserved],
    scope: Scope,
) -> tuple[Specimen, ...]:
    sizes: dict[str, float] = {}
    for run in runs:
        sizes |= run.sizes
    return tuple(
        Specimen(float(sizes.get(key, 1.0)), by_stage)
        for (key, of_scope), by_stage in sorted(efforts.items(), key=lambda pair: pair[0])
        if of_scope is scope
    )


# Summaries


def _stage(
    stage: LogicalStage,
    kept: Mapping[Scope, tuple[Specimen, ...]],
    waits: Mapping[StageName, Scaling],
    runs: Sequence[RunObserved],
) -> StageProfile:
    tried = [
        (one.size, effort)
        for one in kept[stage.scope]
        for effort in one.efforts.get(stage.name, ())
    ]
    seconds = sorted(effort.cpu + effort.waited for _, effort in tried) or [0.0]
    unit = 1e6 if stage.scope is Scope.IMAGE else 1.0
    sizes = sorted(size / unit for size, _ in tried) or [0.0]
    _, slope = line([(size / unit, effort.cpu + effort.waited) for size, effort in tried])
    if sizes[-1] < 2 * sizes[0] or sizes[-1] < SMALL:
        slope = 0.0
    efforts = [effort for _, effort in tried]
    own = [one for run in runs for one in run.attempts if one.stage == stage.name]
    taken = sum(one.finished - one.started for one in own)
    return StageProfile(
        name=stage.name,
        scope=stage.scope,
        place=stage.spec.traits.place,
        attempts=len(own),
        failures=sum(one.error is not None for one in own),
        alone=statistics.fmean(seconds),
        cpu=_mean(effort.cpu for effort in efforts),
        median=statistics.median(seconds),
        high=seconds[min(len(seconds) - 1, math.ceil(0.9 * len(seconds)) - 1)],
        per_megabyte=slope,
        recorded=_mean(effort.recorded for effort in efforts),
        lacked=sum(one.lacked for one in own) / taken if taken else 0.0,
        decoded=max((effort.decoded for effort in efforts), default=0),
        output=_mean(effort.output for effort in efforts),
        scaling=waits.get(stage.name, Scaling()),
    )


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return statistics.fmean(found) if found else 0.0


def _memory(runs: Sequence[RunObserved]) -> MemoryUse | None:
    """Of the run with most processes, since pages that they share count once. Workers are not at
    their most all at one moment: each counts for its share of what all had together."""
    seen = [
        (len({one.worker for one in run.attempts if one.place is Place.PROCESS}), place, run.usage)
        for place, run in enumerate(runs)
        if run.usage and run.usage.memory
    ]
    if not seen:
        return None
    used = [usage.memory for _, _, usage in seen if usage.memory]
    workers, _, usage = max(seen, key=lambda one: one[:2])
    most = usage.memory or used[0]
    shared = (usage.together - most.coordinator - most.host) / workers if workers else 0.0
    return replace(
        most,
        host=max(one.host for one in used),
        idle=min((one.idle for one in used if one.idle), default=0),
        worker=round(min(most.worker, max(most.idle, shared))),
        decoded=max(one.decoded for one in used),
        least=max(usage.least for _, _, usage in seen),
    )


def _doubts(
    profile: Profile, runs: Sequence[RunObserved], base: Sequence[RunObserved]
) -> Iterable[str]:
    if not profile.costs.known:
        yield "what the coordinator itself takes was not measured: usual figures stand for it"
    if profile.memory is None:
        yield "memory was not measured"
    if len(profile.images) < 20:
        yield f"only {len(profile.images)} images were measured"
    if not any(one.usage for one in runs) and _company(base[0]) > 1.5:
        yield "nothing was measured alone, so how much company slows down is not known"
    unseen = [stage.name for stage in profile.stages if not stage.attempts]
    if unseen:
        yield f"no attempt was seen at {', '.join(unseen)}, which count as nothing"
    lacked = max((stage.lacked for stage in profile.stages), default=0.0)
    if lacked > 0.2:
        yield "other programs took part of the processor while it was measured"
