from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from imagelane.adapters.pools.opening import for_pixels, opening
from imagelane.model.ids import StageName
from imagelane.model.plan import Lane, LogicalPlan, LogicalStage, PhysicalPlan, Segment
from imagelane.model.spec import Extent, ImagesSpec, Place, Reads, StageSpec, StageTraits
from imagelane.model.states import Scope

FOLDERS = (Path("/w/artifacts"), Path("/w/scratch"), Path("/w"))


def stage(
    name: str,
    *needs: str,
    place: Place = Place.PROCESS,
    picture: str | None = None,
    makes_picture: bool = False,
) -> LogicalStage:
    needed = tuple(map(StageName, needs))
    spec = StageSpec(
        StageName(name),
        uses=name,
        traits=StageTraits(place=place, reads=Reads.PICTURE, makes_picture=makes_picture),
        parameters={"key": f"of {name}"},
        timeout=2.5,
    )
    taken = None if picture is None else StageName(picture)
    return LogicalStage(spec, needed, frozenset(needed), taken)


def plan(stages: list[LogicalStage], *segments: list[str]) -> PhysicalPlan:
    logical = LogicalPlan("p", ImagesSpec("photos"), tuple(stages), (Extent(480),), "digest")
    return PhysicalPlan(
        logical,
        tuple(
            Segment(index, tuple(map(StageName, names)), Scope.IMAGE, Place.PROCESS)
            for index, names in enumerate(segments)
        ),
        limits={},
        lane=Lane(),
        window=1,
        decoded_bytes=1,
        reservation=1,
        processes=1,
        model="parallel",
    )


RESIZED = [
    stage("resize", makes_picture=True),
    stage("encode", "resize", picture="resize"),
    stage("moderate", "resize", picture="resize", place=Place.THREAD),
]


def test_stages_are_told_as_planned() -> None:
    told = opening(plan(RESIZED, ["resize", "encode", "moderate"]), *FOLDERS)
    assert list(told.stages) == ["resize", "encode", "moderate"]
    assert told.decode == (Extent(480),)
    assert (told.artifacts, told.scratch, told.folder) == ("/w/artifacts", "/w/scratch", "/w")
    encode = told.stages[StageName("encode")]
    assert encode.picture == "resize"
    assert encode.needs == ("resize",)
    assert encode.timeout == 2.5
    assert encode.reads_picture


def test_a_picture_is_materialised_only_where_another_segment_takes_it() -> None:
    def materialised(*segments: list[str]) -> list[str]:
        told = opening(plan(RESIZED, *segments), *FOLDERS)
        return [name for name, one in told.stages.items() if one.materialise]

    assert materialised(["resize", "encode", "moderate"]) == []
    assert materialised(["resize", "encode"], ["moderate"]) == ["resize"]
    assert materialised(["resize"], ["encode"], ["moderate"]) == ["resize"]


def test_pixel_workers_are_not_told_what_services_are_asked_with() -> None:
    told = for_pixels(opening(plan(RESIZED, ["resize", "encode"], ["moderate"]), *FOLDERS))
    assert told.stages[StageName("moderate")].parameters == {}
    assert told.stages[StageName("encode")].parameters == {"key": "of encode"}


def test_relative_folders_are_made_absolute() -> None:
    told = opening(plan([stage("validate")], ["validate"]), Path("a"), Path("s"), Path("f"))
    assert {told.artifacts, told.scratch, told.folder} == {
        str(Path(name).absolute()) for name in "asf"
    }
    assert replace(told, folder="") != told
