"""Pipelines and profiles made of numbers."""

from __future__ import annotations

from collections.abc import Mapping

from imagelane.advise.foretell import Question
from imagelane.advise.shape import Shape
from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalPlan
from imagelane.model.policy import RunOptions
from imagelane.model.profile import (
    Costs,
    Effort,
    MemoryUse,
    Profile,
    Scaling,
    Specimen,
    StageProfile,
)
from imagelane.model.spec import ImagesSpec, PipelineSpec, Place, StageSpec, StageTraits
from imagelane.model.states import Scope
from imagelane.plan.draft import Machine
from imagelane.plan.logical import logical_plan
from imagelane.ports.source import SourceItem

FREE = Costs(start=0.0, warm=0.0, turn=0.0, event=0.0, commit=0.0, group=0.0, order=0.0, known=True)
"""A coordinator that costs nothing: what is left are the stages."""


def stage(
    name: str, place: Place, *needs: str, workers: int | None = None, scope: Scope = Scope.IMAGE
) -> StageSpec:
    pool = "io" if place is Place.THREAD else "cpu"
    traits = StageTraits(frozenset({Scope.IMAGE, Scope.GROUP}), place, pool)
    needed = tuple(map(StageName, needs))
    return StageSpec(StageName(name), name, traits, needs=needed, workers=workers, scope=scope)


def waits(name: str, *needs: str, workers: int | None = None) -> StageSpec:
    return stage(name, Place.THREAD, *needs, workers=workers)


def computes(name: str, *needs: str) -> StageSpec:
    return stage(name, Place.PROCESS, *needs)


def logical(*stages: StageSpec) -> LogicalPlan:
    return logical_plan(PipelineSpec("made", ImagesSpec("photos/"), stages, "/nowhere"))


def items(images: int, a_group: int = 10, size: int = 1_000_000) -> list[SourceItem]:
    return [
        SourceItem(
            sequence=number,
            group=number // a_group + 1,
            ordinal=number % a_group + 1,
            group_name=f"group {number // a_group + 1}",
            group_size=min(a_group, images - number // a_group * a_group),
            name=f"{number}.jpg",
            path=f"/photos/{number}.jpg",
            bytes=size,
            mtime_ns=0,
            last=number % a_group == a_group - 1 or number == images - 1,
        )
        for number in range(images)
    ]


def profile(
    plan: LogicalPlan,
    efforts: Mapping[str, Effort],
    *,
    scalings: Mapping[str, Scaling] | None = None,
    costs: Costs = FREE,
    cores: int = 2,
    count: int = 20,
) -> Profile:
    """Every image takes the same."""
    slowing = scalings or {}
    named = {StageName(name): (effort,) for name, effort in efforts.items()}
    stages = tuple(
        StageProfile(
            name=one.name,
            scope=one.scope,
            place=one.spec.traits.place,
            attempts=count,
            failures=0,
            alone=efforts[one.name].cpu + efforts[one.name].waited,
            cpu=efforts[one.name].cpu,
            median=efforts[one.name].cpu + efforts[one.name].waited,
            high=efforts[one.name].cpu + efforts[one.name].waited,
            per_megabyte=0.0,
            recorded=efforts[one.name].recorded,
            lacked=0.0,
            decoded=efforts[one.name].decoded,
            output=efforts[one.name].output,
            scaling=slowing.get(one.name, Scaling()),
        )
        for one in plan.stages
    )
    return Profile(
        pipeline=plan.name,
        plan=plan.digest,
        taken=1_800_000_000.0,
        origin="a sample of 20 of 20 images",
        cores=cores,
        speed=1.0,
        drift=0.0,
        images=tuple(Specimen(1e6, named) for _ in range(count)),
        groups=tuple(Specimen(10.0, named) for _ in range(count)),
        runs=(),
        stages=stages,
        costs=costs,
        memory=MemoryUse(40 << 20, 20 << 20, 30 << 20, 80 << 20, 16 << 20),
    )


def question(
    plan: LogicalPlan, measured: Profile, images: int, *, cores: int = 2, a_group: int = 10
) -> Question:
    return Question(
        logical=plan,
        options=RunOptions(),
        profile=measured,
        shape=Shape(items(images, a_group)),
        images=images,
        machine=Machine(cores, 4 << 30),
    )
