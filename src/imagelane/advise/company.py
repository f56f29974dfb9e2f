"""How company slows down: the same subjects, alone and with others beside them."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from imagelane.advise.observe import Observed, RunObserved
from imagelane.advise.scaling import fit
from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalStage
from imagelane.model.profile import Level, Scaling
from imagelane.model.spec import Place
from imagelane.model.states import Scope

FEW = 5
"""Attempts below which a level says nothing."""
MATTERS = 0.03
"""Share of all waiting below which it is not asked how a stage's waiting goes with company."""
TOGETHER = 1.4
"""So many side by side, on average, are company. With fewer nothing can be said of more."""
DRIFT = 0.03
"""The least by which a machine's speed is taken to change: those that look steady are shared."""


def may_contend(stage: LogicalStage, runs: Sequence[RunObserved]) -> bool:
    """Whether it is asked of a stage how its waiting goes with company: it must be able to get in
    its own way, which what is shut in cannot, and its waiting must matter."""
    traits = stage.spec.traits
    alone = traits.place is Place.PROCESS and traits.contained
    if stage.scope is not Scope.IMAGE or traits.place is Place.COORDINATOR or alone:
        return False
    waited: dict[StageName, float] = defaultdict(float)
    total = 0.0
    for run in runs:
        for one in run.attempts:
            waited[one.stage] += one.waited
            total += one.waited + one.cpu
    return waited[stage.name] > MATTERS * total


def waiting(
    stage: LogicalStage, runs: Sequence[RunObserved], base: Sequence[RunObserved]
) -> Scaling:
    """How waiting for a stage goes with how many of it are side by side: the same subjects, alone
    and in company, so that it does not matter which they are."""
    alone = _by_subject(base, stage.name)
    levels: list[Level] = []
    errors: list[float] = []
    for together in _levels(runs):
        level = _level(_by_subject(together, stage.name), alone)
        if level is not None:
            levels.append(level[0])
            errors.append(level[1])
    return _fitted(levels, errors)


def _levels(runs: Sequence[RunObserved]) -> list[list[RunObserved]]:
    """Runs that were arranged alike, together; each that was not, by itself."""
    found: dict[int, list[RunObserved]] = defaultdict(list)
    for number, run in enumerate(runs):
        found[run.level or -1 - number].append(run)
    return list(found.values())


def _by_subject(runs: Iterable[RunObserved], stage: StageName) -> Mapping[str, tuple[float, float]]:
    """(seconds waited, how many beside) of successful attempts, by subject."""
    found: dict[str, list[Observed]] = defaultdict(list)
    for run in runs:
        for one in run.attempts:
            if one.stage == stage and one.error is None and not one.fresh:
                found[one.key].append(one)
    return {
        key: (
            statistics.fmean(one.waited for one in ones),
            statistics.fmean(one.beside for one in ones),
        )
        for key, ones in found.items()
    }


def _level(
    together: Mapping[str, tuple[float, float]], alone: Mapping[str, tuple[float, float]]
) -> tuple[Level, float] | None:
    """The level and the standard error of its ratio, by the ratio estimator (Cochran, Sampling
    Techniques, 1977, section 2.11); None where too few subjects are in both."""
    common = [key for key in together if key in alone]
    base = sum(alone[key][0] for key in common)
    if len(common) < FEW or base <= 0:
        return None
    ratio = sum(together[key][0] for key in common) / base
    away = sum((together[key][0] - ratio * alone[key][0]) ** 2 for key in common)
    beside = statistics.fmean(together[key][1] for key in common)
    count = len(common)
    # Nothing is known better than to a hundredth.
    error = max(0.01, math.sqrt(away * count / (count - 1)) / base)
    return Level(beside, ratio, count), error


def computing(runs: Sequence[RunObserved], base: Sequence[RunObserved], speed: float) -> Scaling:
    """How computing goes with how many cores compute: caches, memory and hyper-threads are shared.

    Whatever the stage, by what all pixel stages of an image computed, at the speed of the profile.
    """
    alone = computed(base, speed)
    levels: list[Level] = []
    errors: list[float] = []
    for together in _levels(runs):
        found = _level(computed(together, speed), alone)
        if found is not None:
            levels.append(found[0])
            # The speed itself is only known so well.
            errors.append(math.hypot(found[1], DRIFT))
    return _fitted(levels, errors)


def _fitted(levels: Sequence[Level], errors: Sequence[float]) -> Scaling:
    """Where nothing was ever in company, nothing is said of it."""
    if max((level.at_once for level in levels), default=0.0) < TOGETHER:
        return Scaling(levels=tuple(levels))
    return fit(levels, errors)


def computed(runs: Iterable[RunObserved], speed: float) -> Mapping[str, tuple[float, float]]:
    """(processor seconds, cores that computed meanwhile) by image."""
    found: dict[str, tuple[float, float]] = {}
    for run in runs:
        ones = [
            one
            for one in run.attempts
            if one.place is Place.PROCESS and one.subject.scope is Scope.IMAGE
            if one.error is None and not one.fresh
        ]
        span = sum(end - begin for begin, end in _spans(ones))
        cores = sum(one.finished - one.started for one in ones) / span if span else 1.0
        taken: dict[str, float] = defaultdict(float)
        for one in ones:
            taken[one.key] += one.cpu * run.speed / speed
        found |= {key: (seconds, cores) for key, seconds in taken.items()}
    return found


def _spans(ones: Sequence[Observed]) -> list[tuple[float, float]]:
    """The stretches of time in which any was under way."""
    spans: list[tuple[float, float]] = []
    for one in sorted(ones, key=lambda one: one.started):
        if spans and one.started <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], one.finished)
        else:
            spans.append((one.started, one.finished))
    return spans
