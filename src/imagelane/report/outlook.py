"""What will hold a run up, and how long it will still take, from what its tasks took so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imagelane.model.ids import StageName
from imagelane.model.plan import PhysicalPlan, Segment
from imagelane.model.spec import Place
from imagelane.model.states import Scope

SURE = 2.0
"""Seconds of work before anything is said of the time left."""
LATEST = 3.0
"""How much worse than its bound a run is taken to go on at most."""

Tasks = Mapping[StageName, int]
Means = Mapping[StageName, float]
"""Seconds that a task of each stage took on average; 0 where none was tried yet."""


@dataclass(frozen=True, slots=True)
class _Resource:
    """Stages that share so many places."""

    stages: tuple[StageName, ...]
    places: int

    def load(self, means: Means, tasks: Tasks) -> float:
        """Seconds that it takes for so many tasks of each stage, never idle."""
        return sum(tasks[name] * means[name] for name in self.stages) / self.places


class Outlook:
    """The resource with most work ahead decides: a limit, a lane, the worker processes."""

    def __init__(self, plan: PhysicalPlan) -> None:
        self._resources = tuple(_resources(plan))
        self._of_images = frozenset(
            stage.name for stage in plan.logical.stages if stage.scope is Scope.IMAGE
        )
        self._first: float | None = None

    def bottleneck(self, means: Means, remaining: Tasks) -> StageName | None:
        """The stage with most work ahead in the resource with most work ahead."""
        loads = [(one.load(means, remaining), one) for one in self._resources]
        load, busiest = max(loads, key=lambda pair: pair[0], default=(0.0, None))
        if busiest is None or not load:
            return None
        return max(busiest.stages, key=lambda name: remaining[name] * means[name])

    def left(self, means: Means, tries: Tasks, remaining: Tasks, elapsed: float) -> float | None:
        """Seconds that are left; None while a stage of images has not been tried yet.

        What the busiest resource took longer than it should have so far, because work was late to
        come to it, is taken to go on.
        """
        should = max((one.load(means, tries) for one in self._resources), default=0.0)
        if self._first is None and should:
            self._first = max(0.0, elapsed - should)
        if not should or self._first is None or elapsed - self._first < SURE:
            return None
        if any(remaining[name] and not tries[name] for name in self._of_images):
            return None
        late = min(LATEST, max(1.0, (elapsed - self._first) / should))
        return late * max(one.load(means, remaining) for one in self._resources)


def _resources(plan: PhysicalPlan) -> Iterator[_Resource]:
    segments = plan.segments
    for limit, places in plan.limits.items():
        yield _Resource(_stages([one for one in segments if limit in one.limits]), places)
    if plan.lane.kind != "none":
        in_lane = [one for one in segments if one.index not in plan.lane.free]
        yield _Resource(_stages(in_lane), plan.lane.batches or 1)
    of_process = [one for one in segments if one.place is Place.PROCESS]
    if of_process:
        yield _Resource(_stages(of_process), max(1, plan.processes))
    promoted = [one for one in segments if one.place is Place.COORDINATOR]
    if promoted:
        yield _Resource(_stages(promoted), 1)


def _stages(segments: Sequence[Segment]) -> tuple[StageName, ...]:
    return tuple(name for segment in segments for name in segment.stages)
