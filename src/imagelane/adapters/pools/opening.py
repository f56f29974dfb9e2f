"""What workers are told of a plan before orders come."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from pathlib import Path

from imagelane.execute.message import Opening, PlannedStage
from imagelane.model.ids import StageName
from imagelane.model.outcome import Failure
from imagelane.model.plan import LogicalStage, PhysicalPlan
from imagelane.model.spec import Place, Reads
from imagelane.model.work import Report, StageReport


def opening(plan: PhysicalPlan, artifacts: Path, scratch: Path, folder: Path) -> Opening:
    """A plan as its workers need to know it.

    ``artifacts`` and ``scratch`` are folders on one file system, ``folder`` is the pipeline's own.
    A picture is materialised where a stage of another segment takes it.
    """
    segment_of = {name: segment.index for segment in plan.segments for name in segment.stages}
    taken_elsewhere = {
        stage.picture
        for stage in plan.logical.stages
        if stage.picture is not None and segment_of[stage.picture] != segment_of[stage.name]
    }
    return Opening(
        stages={
            stage.name: _planned(stage, materialise=stage.name in taken_elsewhere)
            for stage in plan.logical.stages
        },
        decode=plan.logical.decode,
        artifacts=str(artifacts.absolute()),
        scratch=str(scratch.absolute()),
        folder=str(folder.absolute()),
        resampler=plan.logical.resampler,
    )


def for_pixels(whole: Opening) -> Opening:
    """An opening for what decodes pictures: without the parameters of stages that it never
    executes, so that it holds no service's credentials."""
    stages: dict[StageName, PlannedStage] = {
        name: stage if stage.place is Place.PROCESS else replace(stage, parameters={})
        for name, stage in whole.stages.items()
    }
    return replace(whole, stages=stages)


def unlocking(plan: PhysicalPlan) -> frozenset[StageName]:
    """Stages whose end lets a stage of another segment begin while their own goes on."""
    found = set()
    for segment in plan.segments:
        for stage in plan.logical.stages:
            if stage.name not in segment.stages:
                found.update([name for name in segment.stages if name in stage.needs][-1:])
    return frozenset(found)


def pressing(reports: Iterable[Report], unlocking: Container[StageName]) -> bool:
    """Whether there is a report from which something follows. The others travel with it, so that a
    segment of many stages is recorded in one commit."""
    return any(
        not isinstance(report, StageReport)
        or isinstance(report.outcome, Failure)
        or report.stage in unlocking
        for report in reports
    )


def _planned(stage: LogicalStage, *, materialise: bool) -> PlannedStage:
    return PlannedStage(
        name=stage.name,
        uses=stage.spec.uses,
        scope=stage.scope,
        place=stage.spec.traits.place,
        parameters=stage.spec.parameters,
        picture=stage.picture,
        reads_picture=stage.spec.traits.reads is Reads.PICTURE,
        materialise=materialise,
        timeout=stage.spec.timeout,
        needs=stage.needs,
    )
