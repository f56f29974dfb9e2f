"""What the publish stages of a plan are executed with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from imagelane.config import Workspace
from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalPlan, LogicalStage, PhysicalPlan
from imagelane.model.spec import PipelineSpec, Place
from imagelane.plan.logical import logical_plan
from imagelane.ports.faults import Fault, no_fault
from imagelane.wiring.reading import workspace_of

if TYPE_CHECKING:
    from imagelane.ports.publisher import IndexedPublisher
    from imagelane.publish.promoter import Promoter, SlugBook


def promoter(
    physical: PhysicalPlan,
    workspace: Workspace,
    folder: Path,
    slugs: SlugBook,
    fence: int,
    fault: Fault,
) -> Promoter:
    """Executes the publish stages; ``fence`` is that of the coordinator that will."""
    from imagelane.publish.promoter import Promoter  # noqa: PLC0415

    publishers = {
        stage.name: _publisher(stage, folder / _target(stage, physical.logical), workspace, fault)
        for stage in physical.logical.stages
        if stage.spec.traits.place is Place.COORDINATOR
    }
    return Promoter(physical.logical, publishers, slugs, fence)


def publishers(spec: PipelineSpec) -> Mapping[StageName, IndexedPublisher]:
    """Where each publish stage of a pipeline publishes, in their order."""
    logical = logical_plan(spec)
    workspace = workspace_of(spec)
    return {
        stage.name: _publisher(stage, Path(spec.folder, _target(stage, logical)), workspace)
        for stage in logical.stages
        if stage.spec.traits.place is Place.COORDINATOR
    }


def _publisher(
    stage: LogicalStage, target: Path, workspace: Workspace, fault: Fault = no_fault
) -> IndexedPublisher:
    from imagelane.adapters.publishers.folder import FolderPublisher  # noqa: PLC0415

    database = stage.spec.parameters.get("database")
    return FolderPublisher(target, artifacts=workspace.artifacts, database=database, fault=fault)


def _target(stage: LogicalStage, logical: LogicalPlan) -> str:
    """Where a `publish` stage publishes: as it says, or else where what it needs was stored."""
    said = stage.spec.parameters.get("to")
    if said is not None:
        return str(said)
    stores = [
        needed.spec.parameters["to"]
        for needed in logical.stages
        if needed.name in stage.ancestors and needed.spec.uses == "store"
    ]
    return str(stores[-1])
