"""Pipelines for the simulated world, made of values only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imagelane.model.ids import StageName
from imagelane.model.plan import PhysicalPlan
from imagelane.model.policy import RunOptions
from imagelane.model.spec import (
    Extent,
    ImagesSpec,
    PipelineSpec,
    Place,
    PrimarySpec,
    Reads,
    StageSpec,
    StageTraits,
)
from imagelane.model.states import Scope
from imagelane.plan.draft import Machine
from imagelane.plan.logical import logical_plan
from imagelane.plan.physical import physical_plan

MACHINE = Machine(cores=2, memory=8 << 30)
ALL = frozenset(Scope)


def stage(
    name: str,
    needs: Sequence[str] = (),
    *,
    place: Place = Place.PROCESS,
    scope: Scope = Scope.IMAGE,
    pool: str = "",
    reads: Reads = Reads.PICTURE,
    gathers: bool = False,
    makes_picture: bool = False,
    keeps_size: bool = False,
    extent: Extent | None = None,
    **options: Any,
) -> StageSpec:
    pools = {Place.PROCESS: "cpu", Place.THREAD: "io", Place.COORDINATOR: "coordinator"}
    traits = StageTraits(
        scopes=ALL,
        place=place,
        pool=pool or pools[place],
        reads=reads,
        gathers=gathers,
        makes_picture=makes_picture,
        keeps_size=keeps_size,
    )
    return StageSpec(
        name=StageName(name),
        uses=options.pop("uses", name),
        traits=traits,
        needs=tuple(StageName(need) for need in needs),
        scope=scope,
        extent=extent or (Extent(width=100) if reads is Reads.PICTURE else None),
        **options,
    )


def waits(name: str, needs: Sequence[str] = (), **options: Any) -> StageSpec:
    return stage(name, needs, place=Place.THREAD, reads=Reads.NOTHING, **options)


def reduces(name: str, needs: Sequence[str] = (), **options: Any) -> StageSpec:
    return stage(
        name,
        needs,
        place=Place.COORDINATOR,
        scope=options.pop("scope", Scope.GROUP),
        reads=Reads.RENDITIONS,
        gathers=True,
        **options,
    )


def news_gallery(**moderate: Any) -> list[StageSpec]:
    return [
        stage("validate"),
        stage("metadata", ["validate"]),
        stage("thumbnails", ["validate"]),
        stage("watermark", ["metadata"], makes_picture=True),
        waits("moderate", ["validate"], **moderate),
        waits("store", ["thumbnails", "watermark", "moderate"], gathers=True),
        stage("contact-sheet", ["thumbnails"], scope=Scope.GROUP, reads=Reads.RENDITIONS),
        reduces("publish", ["store", "contact-sheet"]),
    ]


def pipeline(
    stages: Sequence[StageSpec], *, primary: PrimarySpec | None = None, name: str = "simulated"
) -> PipelineSpec:
    return PipelineSpec(name, ImagesSpec("photos/", primary=primary), tuple(stages), "/nowhere")


def planned(
    stages: Sequence[StageSpec],
    options: RunOptions = RunOptions(),
    *,
    primary: PrimarySpec | None = None,
    machine: Machine = MACHINE,
) -> PhysicalPlan:
    return physical_plan(logical_plan(pipeline(stages, primary=primary)), options, machine)
