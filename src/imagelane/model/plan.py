"""Plans: the declared stages made into a DAG (logical), and into what is dispatched (physical)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from imagelane.model.ids import StageName
from imagelane.model.policy import GatePolicy, Tolerance
from imagelane.model.spec import Extent, ImagesSpec, Place, Resampler, StageSpec
from imagelane.model.states import Scope


@dataclass(frozen=True, slots=True)
class LogicalStage:
    """A stage in the DAG.

    ``needs`` are its direct needs, resolved. ``ancestors`` are all that it needs, directly or not.
    ``picture`` names the stage whose picture it works on (None: the source's own), for stages that
    read pictures. ``gate`` is set on every group stage.
    """

    spec: StageSpec
    needs: tuple[StageName, ...]
    ancestors: frozenset[StageName]
    picture: StageName | None = None
    gate: GatePolicy | None = None

    @property
    def name(self) -> StageName:
        return self.spec.name

    @property
    def scope(self) -> Scope:
        return self.spec.scope


@dataclass(frozen=True, slots=True)
class LogicalPlan:
    """The DAG, in topological order: declared order wherever the needs leave it free.

    ``decode`` lists the extents of all stages that take the source's picture. Together with an
    image's own size they fix the shrink of its decode, so it is the same whether stages are fused
    or not, and under every model. ``resampler`` does all resizing. ``digest`` pins the plan for a
    run's whole life; execution options are no part of it.
    """

    name: str
    images: ImagesSpec
    stages: tuple[LogicalStage, ...]
    decode: tuple[Extent, ...]
    digest: str
    tolerance: Tolerance = Tolerance()
    resampler: Resampler = Resampler.LIBVIPS

    def stage(self, name: str) -> LogicalStage:
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def of_scope(self, scope: Scope) -> tuple[LogicalStage, ...]:
        return tuple(stage for stage in self.stages if stage.scope is scope)


@dataclass(frozen=True, slots=True)
class Segment:
    """Stages that one worker executes one after the other on one subject, over one decode.

    ``index`` is the segment's place in the plan. ``limits`` names the semaphores of which one
    place each is held while it runs.
    """

    index: int
    stages: tuple[StageName, ...]
    scope: Scope
    place: Place
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """What is done one after the other.

    ``none``: nothing is. ``run``: one lane for the whole run. ``batch``: a lane for each batch of
    ``batch_size`` consecutive images, ``batches`` of them side by side. ``free`` are the segments
    that were moved out of the lane.
    """

    kind: Literal["none", "run", "batch"] = "none"
    batch_size: int = 0
    batches: int = 0
    free: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PhysicalPlan:
    """A logical plan lowered for an execution model: what is dispatched, and how much at once.

    ``limits`` gives the places of each semaphore that a segment names. ``window`` is the largest
    number of images in flight, ``decoded_bytes`` the budget of decoded pictures, ``reservation``
    what each worker process may decode without asking.
    """

    logical: LogicalPlan
    segments: tuple[Segment, ...]
    limits: Mapping[str, int]
    lane: Lane
    window: int
    decoded_bytes: int
    reservation: int
    processes: int
    model: str
    fused: bool = True
    notes: tuple[str, ...] = field(default=())
