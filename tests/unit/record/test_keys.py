from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from imagelane.model.ids import Digest, StageName, Subject
from imagelane.model.outcome import Rendition
from imagelane.model.plan import LogicalPlan
from imagelane.model.spec import (
    Extent,
    GroupSpec,
    ImagesSpec,
    PipelineSpec,
    Place,
    Reads,
    Resampler,
    StageSpec,
    StageTraits,
)
from imagelane.model.states import Scope
from imagelane.model.work import Order, SourceFile
from imagelane.plan.logical import logical_plan
from imagelane.record.keys import Keys, Known, members_digest, reusable

VERSIONS = {"pyvips": "3.0", "python": "3.11"}
READS_SOURCE = StageTraits(reads=Reads.SOURCE)
MAKES_PICTURE = StageTraits(makes_picture=True)
MAKES_FILES = StageTraits(makes_renditions=True)
STORES = StageTraits(place=Place.THREAD, reads=Reads.RENDITIONS)


def stage(name: str, traits: StageTraits, *needs: str, **more: Any) -> StageSpec:
    extent = Extent(100) if traits.reads is Reads.PICTURE else None
    more.setdefault("uses", name)
    return StageSpec(
        StageName(name), traits=traits, needs=tuple(map(StageName, needs)), extent=extent, **more
    )


def plan(**changes: StageSpec) -> LogicalPlan:
    stages = {
        "validate": stage("validate", READS_SOURCE, parameters={"max_scans": 9}),
        "metadata": stage("metadata", StageTraits(), "validate"),
        "crop": stage("crop", MAKES_PICTURE, "validate", parameters={"aspect": "1:1"}),
        "thumbnails": stage("thumbnails", MAKES_FILES, "crop", parameters={"widths": [1]}),
        "mark": stage(
            "mark",
            MAKES_FILES,
            "metadata",
            "validate",
            uses="watermark",
            reads_facts=frozenset({"copyright"}),
        ),
        "own": stage("own", StageTraits(), "metadata", uses="own:weigh"),
        "store": stage("store", STORES, "thumbnails", "mark"),
        "sheet": stage(
            "sheet",
            StageTraits(scopes=frozenset({Scope.GROUP}), reads=Reads.RENDITIONS, gathers=True),
            "thumbnails",
            uses="contact-sheet",
            scope=Scope.GROUP,
        ),
    }
    images = ImagesSpec("photos", GroupSpec())
    return logical_plan(
        PipelineSpec("p", images, tuple({**stages, **changes}.values()), folder="/")
    )


SOURCE = SourceFile("/photos/quay.jpg", "quay.jpg", 10, 20)
ORDER = Order(1, Subject(1, 2), 0, (), (), SOURCE, "harbour")
MADE = Rendition("1", Digest("a" * 64), 9, "jpeg", 1, 1)
KNOWN = Known(
    {StageName("metadata"): {"copyright": "© A", "camera": "X"}},
    {StageName("thumbnails"): (MADE,)},
    "d" * 64,
)
NAMES = tuple(
    map(StageName, ("validate", "metadata", "crop", "thumbnails", "mark", "own", "store"))
)


def keys(
    logical: LogicalPlan | None = None,
    *,
    order: Order = ORDER,
    known: Known = KNOWN,
    versions: Mapping[str, str] = VERSIONS,
    files: Mapping[StageName, Mapping[str, str]] = {},
) -> dict[str, str]:
    made = Keys(logical or plan(), versions, files)
    return {name: made.of(name, order, known) for name in NAMES}


def other(found: dict[str, str]) -> set[str]:
    """The stages whose keys are not those that they have when nothing is changed."""
    return {name for name, key in found.items() if key != keys()[name]}


def renamed(source: SourceFile) -> Order:
    return replace(ORDER, source=source, subject=Subject(7, 9), group_name="market", number=99)


def learned(stage_name: str, facts: Mapping[str, Any]) -> Known:
    return replace(KNOWN, facts={**KNOWN.facts, StageName(stage_name): facts})


Case = tuple[Callable[[], dict[str, str]], set[str]]
EVERYTHING: set[str] = set(NAMES)
DECODED = EVERYTHING - {"store"}

CASES: dict[str, Case] = {
    "nothing": (keys, set()),
    "renamed, moved, touched, another number": (
        lambda: keys(order=renamed(replace(SOURCE, name="x.jpg", path="/x.jpg", mtime_ns=1))),
        set(),
    ),
    "other bytes": (lambda: keys(known=replace(KNOWN, source="e" * 64)), DECODED),
    "a library": (lambda: keys(versions={**VERSIONS, "pyvips": "3.1"}), EVERYTHING),
    "another Python": (lambda: keys(versions={**VERSIONS, "python": "3.12"}), set()),
    "a parameter": (
        lambda: keys(plan(thumbnails=stage("thumbnails", MAKES_FILES, "crop"))),
        {"thumbnails"},
    ),
    "a parameter of what makes the picture": (
        lambda: keys(plan(crop=stage("crop", MAKES_PICTURE, "validate"))),
        {"crop", "thumbnails"},
    ),
    "a version": (
        lambda: keys(
            plan(
                metadata=stage("metadata", replace(StageTraits(), version="2"), "validate"),
            )
        ),
        {"metadata"},
    ),
    "the limits": (
        lambda: keys(plan(validate=stage("validate", READS_SOURCE, parameters={"max_scans": 8}))),
        DECODED,
    ),
    "a fact that is read": (
        lambda: keys(known=learned("metadata", {"copyright": "© B", "camera": "X"})),
        {"mark", "own"},
    ),
    "a fact that only a function may read": (
        lambda: keys(known=learned("metadata", {"copyright": "© A", "camera": "Y"})),
        {"own"},
    ),
    "a file that was made": (
        lambda: keys(
            known=replace(
                KNOWN,
                files={StageName("thumbnails"): (replace(MADE, digest=Digest("b" * 64)),)},
            )
        ),
        {"store"},
    ),
    "a logo": (lambda: keys(files={StageName("mark"): {"logo.png": "f" * 64}}), {"mark"}),
    "what resizes": (
        lambda: keys(replace(plan(), resampler=Resampler.FAST_IMAGE_RESIZE)),
        EVERYTHING,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_key_changes_with_what_its_stage_sees_and_with_nothing_else(case: str) -> None:
    made, expected = CASES[case]
    assert other(made()) == expected


def test_a_larger_picture_asked_for_changes_what_is_decoded() -> None:
    larger = replace(plan().stage("metadata").spec, extent=Extent(200))
    assert other(keys(plan(metadata=larger))) == DECODED - {"validate"}


def test_two_stages_never_share_a_key_by_chance() -> None:
    found = keys()
    assert len(set(found.values())) == len(found)


def member(**changes: Any) -> dict[str, Any]:
    return {
        "name": "quay.jpg",
        "state": "processing",
        "facts": {"metadata": {"camera": "X"}},
        "renditions": {"thumbnails": [["1", "a" * 64]], "mark": [["m", "b" * 64]]},
        **changes,
    }


def test_a_sheet_sees_the_files_that_it_needs_and_a_function_sees_all() -> None:
    logical = plan()
    sheet = logical.stage("sheet")
    own = replace(sheet, spec=replace(sheet.spec, uses="own:page"))
    elsewhere = member(
        facts={}, renditions={"thumbnails": [["1", "a" * 64]], "mark": [["m", "c" * 64]]}
    )
    thumbnail = member(renditions={"thumbnails": [["1", "c" * 64]]})
    assert members_digest([member()], sheet) == members_digest([elsewhere], sheet)
    assert members_digest([member()], sheet) != members_digest([thumbnail], sheet)
    assert members_digest([member()], sheet) != members_digest([member(name="x.jpg")], sheet)
    assert members_digest([member()], own) != members_digest([elsewhere], own)


def test_what_acts_on_the_world_outside_is_executed_unless_it_says_otherwise() -> None:
    outside = StageTraits(place=Place.THREAD)
    assert reusable(stage("crop", MAKES_PICTURE))
    assert reusable(stage("store", STORES))
    assert not reusable(stage("http", outside))
    assert not reusable(stage("own:look", StageTraits(contained=False)))
    assert reusable(stage("http", outside, reuse=True))
    assert not reusable(stage("crop", MAKES_PICTURE, reuse=False))
    coordinator = StageTraits(place=Place.COORDINATOR)
    assert not reusable(stage("publish", coordinator, reuse=True))
