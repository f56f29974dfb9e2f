from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelane.model.ids import Subject
from imagelane.model.outcome import Rendition
from imagelane.model.states import ErrorClass, ImageState
from imagelane.report.clean import width
from imagelane.report.data import history_data, run_data
from imagelane.report.history import read_group, read_image, read_whole_run
from imagelane.report.ink import Ink, ink_for
from imagelane.report.read import EVERYTHING, read_run
from imagelane.report.story import story
from imagelane.report.text import runs, status
from tests.unit.report.made_up import HOSTILE, Recipe, digest, record

GOLDEN = Path(__file__).parent / "golden"
LOSSES = Recipe(
    {"harbour": 12, "market day": 9, "old town": 8},
    failing={
        Subject(2, 4): ("validate", ErrorClass.INVALID, "the file ends after 81,920 bytes", 1),
        Subject(2, 5): ("validate", ErrorClass.INVALID, "the file ends after 81,920 bytes", 1),
        Subject(3, 3): ("moderate", ErrorClass.TRANSIENT, "HTTP 503 from the service", 3),
    },
    rejected=frozenset({Subject(1, 11)}),
    pause_after=1.5,
)
RECIPES = {
    "losses": LOSSES,
    "empty": Recipe({}),
    "all-failed": Recipe(
        {"harbour": 4},
        failing={
            Subject(1, n): ("validate", ErrorClass.BUG, f"KeyError: {n}", 1) for n in range(1, 5)
        },
    ),
    "aborted": Recipe(
        {"harbour": 4, "market day": 2},
        failing={Subject(1, 2): ("watermark", ErrorClass.WORKER_DIED, "signal 11", 3)},
        policy=ImageState.DEAD,
    ),
    "many-groups": Recipe({f"SKU{n:04}": 1 for n in range(1, 61)}),
    "hostile": Recipe(
        {f"{HOSTILE}\n2": 3},
        failing={Subject(1, 2): ("validate", ErrorClass.INVALID, HOSTILE, 1)},
        names={Subject(1, 1): HOSTILE, Subject(1, 2): f"{HOSTILE}.jpg"},
    ),
}


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def agrees(name: str, text: str) -> None:
    """Compare with the golden file; IMAGELANE_GOLDEN=write makes it anew."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("IMAGELANE_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RECIPES)
def test_status_reads_as_it_always_did(name: str, tmp_path: Path) -> None:
    journal, row = record(RECIPES[name], tmp_path)
    lines = list(status(read_run(journal, row), Ink(), 100))
    agrees(f"status-{name}", "\n".join(lines) + "\n")


def test_status_of_everything(tmp_path: Path) -> None:
    journal, row = record(LOSSES, tmp_path)
    view = read_run(journal, row, EVERYTHING)
    lines = status(view, Ink(), 100, everything=True, interrupted="imagelane run gallery.yaml")
    agrees("status-everything", "\n".join(lines) + "\n")


def test_all_groups_are_listed_where_all_are_asked_for(tmp_path: Path) -> None:
    journal, row = record(RECIPES["many-groups"], tmp_path)
    text = "\n".join(status(read_run(journal, row, EVERYTHING), Ink(), 100, everything=True))
    assert all(f"SKU{n:04}" in text for n in range(1, 61))


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("columns", [80, 100, 140])
def test_tables_keep_to_the_width(name: str, columns: int, tmp_path: Path) -> None:
    journal, row = record(RECIPES[name], tmp_path)
    lines = list(status(read_run(journal, row), Ink(), columns))
    tables = [line for line in lines if line.startswith(("  ", "Stages")) and ":" not in line]
    assert [line for line in tables if width(line) > columns] == []


def test_the_sum_is_there_to_be_checked(tmp_path: Path) -> None:
    journal, row = record(LOSSES, tmp_path)
    text = "\n".join(status(read_run(journal, row), Ink(), 100))
    block = text.split("Images\n")[1].split("\n\n")[0]
    *states, total = [int(number) for number in re.findall(r"(\d+)$", block, re.MULTILINE)]
    assert sum(states) == total == 29


@pytest.mark.parametrize("of", ["1.1", "2.4", "3.3", "2", "run"])
def test_a_history_reads_as_it_always_did(of: str, tmp_path: Path) -> None:
    journal, row = record(LOSSES, tmp_path)
    subject = Subject.parse(of)
    if subject.ordinal:
        history = read_image(journal, row, subject)
    else:
        history = (
            read_group(journal, row, subject.group)
            if subject.group
            else read_whole_run(journal, row)
        )
    assert history is not None
    published: dict[str, str] = {
        rendition.digest: f"public/harbour/{rendition.name}.jpg"
        for entry in history.entries
        for rendition in entry.renditions
    }
    agrees(f"show-{of}", "\n".join(story(history, published, Ink())) + "\n")


def test_a_history_is_told_without_obeying_it(tmp_path: Path) -> None:
    evil = Rendition(HOSTILE, digest("x"), 10, "jpeg", 1, 1)
    recipe = Recipe(
        {HOSTILE: 2},
        failing={Subject(1, 2): ("watermark", ErrorClass.BUG, HOSTILE, 1)},
        names={Subject(1, 1): HOSTILE, Subject(1, 2): HOSTILE},
        renditions={Subject(1, 1): (evil,)},
    )
    journal, row = record(recipe, tmp_path)
    for number in (1, 2):
        history = read_image(journal, row, Subject(1, number))
        assert history is not None
        text = "".join(story(history, {evil.digest: HOSTILE}, Ink()))
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", text)


def test_there_is_no_history_of_what_is_not_there(tmp_path: Path) -> None:
    journal, row = record(LOSSES, tmp_path)
    assert read_image(journal, row, Subject(1, 99)) is None
    assert read_image(journal, row, Subject(9, 1)) is None
    assert read_group(journal, row, 9) is None


def test_colour_is_only_around_the_words(tmp_path: Path) -> None:
    journal, row = record(LOSSES, tmp_path)
    view = read_run(journal, row)
    coloured = "\n".join(status(view, Ink(colour=True), 100))
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == "\n".join(status(view, Ink(), 100))


def test_no_colour_into_a_file_and_none_where_nobody_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "out").open("w") as file:
        assert not ink_for(file).colour
    assert not ink_for(file).colour, "a closed file is no terminal"
    reading, writing = os.openpty()
    with os.fdopen(writing, "w") as terminal:
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        assert ink_for(terminal).colour
        monkeypatch.setenv("NO_COLOR", "1")
        assert not ink_for(terminal).colour
        monkeypatch.delenv("NO_COLOR")
        monkeypatch.setenv("TERM", "dumb")
        assert not ink_for(terminal).colour
    os.close(reading)


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    _, row = record(LOSSES, tmp_path)
    assert list(runs([row])) == [
        "20261123-225900-k3f9  finished   23 Nov 2026, 22:59:00  news-gallery"
    ]


@pytest.mark.parametrize("name", RECIPES)
def test_json_says_the_same(name: str, tmp_path: Path) -> None:
    journal, row = record(RECIPES[name], tmp_path)
    text = json.dumps(run_data(read_run(journal, row)))
    assert text.isascii()
    data = json.loads(text)
    assert sum(data["images"].values()) == data["received"] == sum(RECIPES[name].groups.values())
    assert sum(data["groups"]["states"].values()) == len(RECIPES[name].groups)
    assert "cards" not in text
    for stage in data["stages"]:
        assert stage["total"] >= stage["longest"] >= stage["median"]


def test_json_of_one_image(tmp_path: Path) -> None:
    journal, row = record(LOSSES, tmp_path)
    history = read_image(journal, row, Subject(3, 3))
    assert history is not None
    small = history.entries[2].renditions[0].digest
    data = json.loads(json.dumps(history_data(history, {small: "public/old-town/a-160.jpg"})))
    assert (data["subject"], data["state"], data["stage"]) == ("3.3", "skipped", "moderate")
    endings = [(one["stage"], one["ending"]) for one in data["entries"]]
    assert endings[-4:] == [
        ("moderate", "retried"),
        ("moderate", "retried"),
        ("moderate", "failed"),
        ("store", "skipped"),
    ]
    assert data["entries"][2]["renditions"][0]["published"] == "public/old-town/a-160.jpg"
    assert data["entries"][0]["at"].endswith("Z")
