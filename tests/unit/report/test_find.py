from __future__ import annotations

from pathlib import Path

import pytest

from imagelane.model.ids import RunId, Subject
from imagelane.ports.journal import Journal, RunRow
from imagelane.report.find import NothingFoundError, find, find_run
from tests.unit.report.made_up import HOSTILE, Recipe, record


@pytest.fixture
def run(tmp_path: Path) -> tuple[Journal, RunRow]:
    names = {
        Subject(1, 1): "Dawn over the harbour.jpg",
        Subject(1, 2): "DSC_0042.jpg",
        Subject(2, 1): "DSC_0042.jpg",
        Subject(2, 2): "DSC_0042.heic",
        Subject(2, 3): "market day",
        Subject(3, 1): HOSTILE,
        Subject(3, 2): "2.jpg",
    }
    return record(Recipe({"harbour": 3, "Market Day (2)": 4, "1001": 25}, names=names), tmp_path)


@pytest.mark.parametrize(
    ("word", "subject"),
    [
        ("1.2", (1, 2)),
        ("2", (2, 0)),
        ("run", (0, 0)),
        ("Dawn over the harbour.jpg", (1, 1)),
        ("dawn OVER the harbour.JPG", (1, 1)),
        ("Dawn over the harbour", (1, 1)),
        ("DSC_0042.heic", (2, 2)),
        ("/photos/1/DSC_0042.jpg", (1, 2)),
        ("2/DSC_0042.jpg", (2, 1)),
        ("*heic", (2, 2)),
        ("harb*", (1, 0)),
        ("photos/1/Dawn*", (1, 1)),
        ("harbour", (1, 0)),
        ("market-day-2", (2, 0)),
        ("market day", (2, 3)),
        ("1001", (3, 0)),
        ("2.jpg", (3, 2)),
        (HOSTILE, (3, 1)),
    ],
)
def test_one_is_meant(run: tuple[Journal, RunRow], word: str, subject: tuple[int, int]) -> None:
    found = find(*run, word)
    assert [one for one, _ in found.subjects] == [Subject(*subject)]
    assert found.count == 1


def test_a_name_that_several_have_is_a_question(run: tuple[Journal, RunRow]) -> None:
    found = find(*run, "DSC_0042.jpg")
    assert [one for one, _ in found.subjects] == [Subject(1, 2), Subject(2, 1)]
    assert not found.pattern


def test_a_pattern_that_several_match_is_an_answer(run: tuple[Journal, RunRow]) -> None:
    found = find(*run, "IMG_30*")
    assert (found.count, len(found.subjects), found.pattern) == (23, 20, True)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("harbor", "did you mean 'harbour'"),
        ("DSC_0043.heic", "'DSC_0042.heic'"),
        ("zzzzzz", "`imagelane status`"),
        ("9.1", "no image and no group '9.1'"),
        ("\x1b[2J", "'␛[2J'"),
        ("-1", "no image and no group"),
    ],
)
def test_nothing_is_meant(run: tuple[Journal, RunRow], word: str, hint: str) -> None:
    with pytest.raises(NothingFoundError) as raised:
        find(*run, word)
    assert hint in str(raised.value)
    assert "\x1b" not in str(raised.value)


def rows(run: tuple[Journal, RunRow], *names: str) -> list[RunRow]:
    from dataclasses import replace

    return [replace(run[1], run=RunId(name)) for name in names]


def test_runs_are_found_by_how_they_begin_or_end(run: tuple[Journal, RunRow]) -> None:
    listed = rows(run, "20261124-080000-k3f9", "20261123-225900-aaaa", "20261123-080000-bbbb")
    assert find_run(listed, None).run == "20261124-080000-k3f9"
    assert find_run(listed, "bbbb").run == "20261123-080000-bbbb"
    assert find_run(listed, "20261124").run == "20261124-080000-k3f9"
    assert find_run(listed, "20261123-225900-aaaa").run == "20261123-225900-aaaa"


@pytest.mark.parametrize(
    ("word", "hint"),
    [("20261123", "write more of it"), ("20261123-2259-aaaa", "there is no run"), ("k", "k3f9")],
)
def test_runs_that_are_not_clear(run: tuple[Journal, RunRow], word: str, hint: str) -> None:
    listed = rows(run, "20261124-080000-k3f9", "20261123-225900-aaaa", "20261123-080000-bbbb")
    with pytest.raises(NothingFoundError, match=hint):
        find_run(listed, word)


def test_no_run_at_all_says_how_to_begin() -> None:
    with pytest.raises(NothingFoundError, match="imagelane run"):
        find_run([], None)
