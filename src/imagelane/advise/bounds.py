"""What the limits allow at most, without simulating: the bottleneck law.

A resource of k places through which every image passes for s seconds lets no more than k / s images
a second through (Lazowska et al., Quantitative System Performance, 1984, chapter 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imagelane.model.ids import StageName
from imagelane.model.plan import PhysicalPlan, Segment
from imagelane.model.profile import Profile, StageProfile
from imagelane.model.spec import Place
from imagelane.model.states import Scope

CORES = "the processor cores"
LANE = "one at a time"
COORDINATOR = "the coordinator"
PROMOTION = "publishing, one group after the other"


@dataclass(frozen=True, slots=True)
class Demand:
    """What each image asks of a resource: ``seconds`` of its time, all ``places`` at work."""

    name: str
    stages: Mapping[StageName, float]
    places: float
    seconds: float

    @property
    def stage(self) -> StageName | None:
        """The stage that asks for most."""
        return max(self.stages, key=lambda name: self.stages[name], default=None)


@dataclass(frozen=True, slots=True)
class Means:
    """Seconds of each stage for one image, those of groups and of the run shared out."""

    profile: Profile
    images: int
    groups: int
    sizes: float = 1.0

    def of(self, stage: StageProfile) -> tuple[float, float]:
        """(computing, waiting) for each image."""
        share = {Scope.IMAGE: 1.0, Scope.GROUP: self.groups / max(1, self.images)}.get(
            stage.scope, 1 / max(1, self.images)
        )
        return stage.cpu * share, stage.waits * share


def demands(plan: PhysicalPlan, means: Means, cores: int) -> list[Demand]:
    """What each image asks of every resource of a plan, the scarcest first."""
    found = list(_demands(plan, means, cores))
    return sorted(found, key=lambda demand: -demand.seconds)


def _demands(plan: PhysicalPlan, means: Means, cores: int) -> Iterator[Demand]:
    profile, costs = means.profile, means.profile.costs
    stages = {stage.name: stage for stage in profile.stages}
    computing = {name: means.of(stage)[0] for name, stage in stages.items()}
    orders = len([one for one in plan.segments if one.scope is Scope.IMAGE])
    events = len([one for one in plan.logical.stages if one.scope is Scope.IMAGE]) + 2
    turns = orders * costs.turn + events * costs.event
    total = sum(computing.values()) + turns
    yield Demand(CORES, computing, cores, total * profile.busy.slowdown(cores) / cores)
    yield Demand(COORDINATOR, {}, 1, turns)
    for limit, places in plan.limits.items():
        held = {
            name: _held(stages[name], means, _at_once(plan, segment))
            for segment in plan.segments
            if limit in segment.limits
            for name in segment.stages
            if name in stages
        }
        kind, _, name = limit.partition(":")
        shown = f"pool {name} ({places})" if kind == "pool" else f"{name}, {places} at once"
        yield Demand(shown, held, places, sum(held.values()) / places)
    if plan.lane.kind != "none":
        within = _names(one for one in plan.segments if one.index not in plan.lane.free)
        lanes = plan.lane.batches or 1
        held = {name: _held(stages[name], means, lanes) for name in within if name in stages}
        shown = LANE if plan.lane.kind == "run" else _batches(lanes)
        handed = orders * (costs.commit + costs.turn)
        yield Demand(shown, held, lanes, (sum(held.values()) + handed) / lanes)
    promoted = _names(one for one in plan.segments if one.place is Place.COORDINATOR)
    if promoted:
        held = {name: sum(means.of(stages[name])) for name in promoted if name in stages}
        yield Demand(PROMOTION, held, 1, sum(held.values()))


def _batches(lanes: int) -> str:
    return f"{lanes} batches side by side" if lanes > 1 else "one batch at a time"


def _at_once(plan: PhysicalPlan, segment: Segment) -> int:
    """How many of a segment can be side by side at most."""
    lanes = [plan.lane.batches] if plan.lane.kind == "batch" else []
    return min([*(plan.limits[one] for one in segment.limits), *lanes], default=1)


def _held(stage: StageProfile, means: Means, at_once: int) -> float:
    """Seconds that a place is held while so many of the stage are side by side."""
    computing, waiting = means.of(stage)
    return computing + waiting * stage.scaling.slowdown(at_once)


def _names(segments: Iterator[Segment]) -> Sequence[StageName]:
    return [name for segment in segments for name in segment.stages]


def serial(profile: Profile, means: Means) -> float:
    """Seconds of each image that are one after the other however many workers there are: what a
    stage contends for, promotions, or the coordinator's own. Each of these goes on beside the
    others, so it is the largest that counts and not their sum."""
    promoted = 0.0
    alone = [len(profile.stages) * (profile.costs.turn + profile.costs.event)]
    for stage in profile.stages:
        computing, waiting = means.of(stage)
        if stage.place is Place.COORDINATOR:
            promoted += computing + waiting
        elif stage.scope is Scope.IMAGE:
            alone.append(waiting * min(1.0, stage.scaling.contention))
    return max(promoted, *alone)
