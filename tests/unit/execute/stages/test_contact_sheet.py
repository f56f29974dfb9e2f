from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.execute.sheet import (
    LONGEST_SIDE,
    MOST_PIXELS,
    Entry,
    Section,
    best_of,
    lay_out,
)
from imagelane.execute.stages import contact_sheet
from imagelane.model.ids import Digest, Subject
from imagelane.model.outcome import Rendition
from imagelane.model.states import ErrorClass, Scope
from tests.images.bench import Bench, member
from tests.images.files import Array, coded, opened

COLOURS = [(200, 30, 30), (30, 170, 40), (40, 60, 210), (200, 180, 20), (150, 40, 160)]
GROUP, RUN = Subject(1), Subject()


def picture(folder: Path, colour: tuple[int, int, int], size: tuple[int, int]) -> Path:
    path = folder / f"{'-'.join(map(str, (*colour, *size)))}.png"
    path.write_bytes(coded(np.full((size[1], size[0], 3), colour, np.uint8), "png"))
    return path


def lines(bench: Bench, count: int, **more: Any) -> list[dict[str, Any]]:
    bench.stage("thumbnails", widths=[100], format="png")
    found = []
    for number in range(count):
        size = (100, 150) if number % 3 == 2 else (150, 100)
        path = picture(bench.folder, COLOURS[number % len(COLOURS)], size)
        done = bench.one(path, "thumbnails")
        found.append(member(number + 1, f"{number:03}.jpg", {"thumbnails": done}, **more))
    return found


def sheet(bench: Bench, members: list[dict[str, Any]], subject: Subject = GROUP, **w: Any) -> Array:
    scope = Scope.RUN if subject == RUN else Scope.GROUP
    w = {"format": "png", "cell": 100, **w}
    bench.stage("contact-sheet", needs=["thumbnails"], scope=scope, **w)
    done = bench.one(None, "contact-sheet", subject=subject, members=bench.members(members))
    (rendition,) = done.renditions
    assert rendition.name == "contact-sheet"
    return opened(bench.bytes_of(rendition))


def places(pixels: Array, colour: tuple[int, int, int]) -> tuple[float, float] | None:
    rows, columns = np.nonzero(np.abs(pixels.astype(int) - colour).max(axis=2) <= 8)
    return (float(rows.mean()), float(columns.mean())) if len(rows) > 500 else None


def test_pictures_stand_in_their_order(bench: Bench) -> None:
    pixels = sheet(bench, lines(bench, 5), columns=2)
    found = [places(pixels, colour) for colour in COLOURS]
    assert None not in found
    rows = [round(place[0] / 60) for place in found if place]
    assert rows == sorted(rows)
    for left, right in ((0, 1), (2, 3)):
        one, other = found[left], found[right]
        assert one is not None
        assert other is not None
        assert one[1] < other[1]


def test_the_same_members_give_the_same_bytes(bench: Bench) -> None:
    members = lines(bench, 3)
    assert (sheet(bench, members) == sheet(bench, members)).all()


def test_what_is_missing_has_a_marked_place(bench: Bench) -> None:
    members = lines(bench, 3)
    whole = sheet(bench, members, columns=3)
    members[1]["renditions"] = {}
    members[1]["missing"] = {"thumbnails": "timeout"}
    partial = sheet(bench, members, columns=3)
    assert places(partial, COLOURS[1]) is None
    assert places(partial, COLOURS[0]) is not None
    mark = places(partial, (232, 232, 230))
    gone = places(whole, COLOURS[1])
    assert mark is not None
    assert gone is not None
    assert abs(mark[1] - gone[1]) < 5


@pytest.mark.parametrize("state", ["skipped", "rejected", "dead"])
def test_what_has_left_the_group_is_not_shown(bench: Bench, state: str) -> None:
    members = lines(bench, 3)
    members[0]["state"] = state
    pixels = sheet(bench, members)
    assert places(pixels, COLOURS[0]) is None
    assert places(pixels, COLOURS[1]) is not None


def test_an_empty_group(bench: Bench) -> None:
    assert sheet(bench, lines(bench, 0)).size


def test_of_the_run_each_group_has_its_heading(bench: Bench) -> None:
    members = [
        {**line, "group": 1 + (line["ordinal"] > 2), "group_name": "b\u202ea"}
        for line in lines(bench, 5)
    ]
    with_headings = sheet(bench, members, RUN, columns=5)
    one_group = [{**line, "group": 1} for line in members]
    assert with_headings.shape[0] > sheet(bench, one_group, RUN, columns=5).shape[0]


def test_a_title_and_labels_take_room(bench: Bench) -> None:
    members = lines(bench, 2)
    plain = sheet(bench, members, labels=False)
    labelled = sheet(bench, members)
    titled = sheet(bench, members, title="{group}")
    assert plain.shape[0] < labelled.shape[0] < titled.shape[0]


def test_on_dark_paper_the_letters_are_light(bench: Bench) -> None:
    pixels = sheet(bench, lines(bench, 2), background="#101012", title="Harbour", cell=200)
    assert (pixels[:40] > 180).any()


def test_two_stages_with_pictures_must_be_told_apart(bench: Bench) -> None:
    members = lines(bench, 1)
    done = bench.stage("encode", formats=["png"], widths=[20]).one(
        picture(bench.folder, (9, 9, 9), (90, 60)), "encode"
    )
    members[0]["renditions"]["encode"] = [
        [one.name, one.digest, one.bytes, one.format, one.width, one.height]
        for one in done.renditions
    ]
    bench.stage("contact-sheet", needs=["thumbnails", "encode"])
    failure = bench.fails(None, "contact-sheet", subject=GROUP, members=bench.members(members))
    assert failure.error is ErrorClass.BUG
    assert "say which with 'of'" in failure.message
    assert sheet(bench, members, of="encode").size


def test_a_file_that_is_gone_is_worth_another_try(bench: Bench) -> None:
    members = lines(bench, 1)
    (row,) = members[0]["renditions"]["thumbnails"]
    (bench.folder / "artifacts" / row[1][:2] / row[1][2:]).unlink()
    bench.stage("contact-sheet", needs=["thumbnails"])
    failure = bench.fails(None, "contact-sheet", subject=GROUP, members=bench.members(members))
    assert failure.error is ErrorClass.TRANSIENT


def entry(width: int, height: int) -> Entry:
    rendition = Rendition("x", Digest("0" * 64), 1, "jpeg", width, height) if width else None
    return Entry("n", rendition)


@given(
    sizes=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 3000)), max_size=60),
    cell=st.integers(16, 2000),
    columns=st.none() | st.integers(1, 100),
    labels=st.booleans(),
)
def test_nothing_overlaps_or_falls_off_the_sheet(
    sizes: list[tuple[int, int]], cell: int, columns: int | None, *, labels: bool
) -> None:
    sheet = lay_out([Section("a", [entry(*size) for size in sizes])], cell, columns, labels=labels)
    assert sheet.width * sheet.height <= MOST_PIXELS * 1.001
    assert max(sheet.width, sheet.height) <= LONGEST_SIDE
    boxes = [
        (one.left, one.top, one.left + one.width, one.top + one.height) for one in sheet.placed
    ]
    for left, top, right, lower in boxes:
        assert 0 <= left < right <= sheet.width
        assert 0 <= top < lower <= sheet.height
    ordered = sorted(boxes)
    for number, one in enumerate(ordered):
        for other in ordered[number + 1 : number + 8]:
            apart = other[0] >= one[2] or other[1] >= one[3] or other[3] <= one[1]
            assert apart


def test_a_group_of_ten_thousand_still_fits_on_a_sheet() -> None:
    sheet = lay_out([Section("", [entry(150, 100)] * 10_000)], 240, None, labels=True)
    assert sheet.width * sheet.height <= MOST_PIXELS
    assert len(sheet.placed) + sheet.left_out == 10_000
    assert len(sheet.placed) > 5_000


def test_more_images_than_fit_are_counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_sheet, "MOST_ENTRIES", 3)
    members = lines(bench, 5)
    some = sheet(bench, members, columns=3)
    assert places(some, COLOURS[2]) is not None
    assert places(some, COLOURS[3]) is None
    monkeypatch.setattr(contact_sheet, "MOST_ENTRIES", 5)
    assert places(sheet(bench, members, columns=3), COLOURS[3]) is not None


def test_the_best_file_is_the_smallest_that_is_large_enough() -> None:
    def files(*widths: int) -> list[Rendition]:
        return [
            Rendition(str(width), Digest(f"{width:064}"), 1, "jpeg", width, width // 2)
            for width in widths
        ]

    def name(found: Rendition | None) -> str | None:
        return found.name if found else None

    assert name(best_of(files(1080, 160, 480), 240)) == "480"
    assert name(best_of(files(160, 100), 240)) == "160"
    assert best_of([Rendition("x", Digest("0" * 64), 1, "sha256")], 240) is None
