"""Every mistake says where, what was found, what was expected, and what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagelane.declare.load import load, parse
from imagelane.declare.problems import DeclarationError, Problem
from imagelane.model.spec import Location

from .conftest import Mistakes
from .table import HEAD, TABLE


@pytest.mark.parametrize("name", TABLE)
def test_the_message(name: str, mistakes: Mistakes) -> None:
    text, message = TABLE[name]
    (problem,) = mistakes(text)
    # The excerpt in the middle has a test of its own.
    bare = str(Problem(problem.found, problem.expected, problem.hint, problem.path))
    assert message in f"x:{str(problem.location).partition(':')[2]}: {bare}"


def test_all_mistakes_of_a_file_come_together_in_its_order(mistakes: Mistakes) -> None:
    found = mistakes(
        "pipeline: p\n"
        "images: {from: photos/, ordr: name}\n"
        "stages:\n"
        "  validate: {with: {max_megapixels: -1, formats: [jpg]}, worker: 2}\n"
        "  thumbnails: {needs: [valid], workers: 0, on_failure: ignore}\n"
        "  watermark: {needs: [thumbnails], takes: thumbnails, with: {text: '{a', colr: 1}}\n"
        "  publsh: {gate: setled}\n"
        "run: {model: paralel, parallel: [x]}\n"
    )
    places = [(one.location.line, one.location.column) for one in found if one.location]
    assert places == sorted(places)
    assert [one.where for one in found] == [
        "images.ordr",
        "stages.validate.with.max_megapixels",
        "stages.validate.with.formats[0]",
        "stages.validate.worker",
        "stages.thumbnails.needs[0]",
        "stages.thumbnails.workers",
        "stages.thumbnails.on_failure",
        "stages.watermark.takes",
        "stages.watermark.with.text",
        "stages.watermark.with.colr",
        "stages.publsh",
        "stages.publsh.gate",
        "run.model",
        "run.parallel[0]",
    ]


def test_a_value_that_cannot_be_read_is_one_mistake(mistakes: Mistakes) -> None:
    (problem,) = mistakes(HEAD + "  thumbnails:\n    workers: .inf\n")
    assert problem.found == "'.inf' as a number"


def test_the_line_is_shown_with_a_mark_below(mistakes: Mistakes) -> None:
    problems = mistakes(HEAD + "  watermark:\n    with: {text: '東京 ©', size: 7}\n")
    assert str(DeclarationError(problems)) == (
        "1 mistake in gallery.yaml\n"
        "\n"
        "gallery.yaml:5:32: stages.watermark.with.size: found 7\n"
        "  5 |     with: {text: '東京 ©', size: 7}\n"
        "    |                                  ^\n"
        "  expected a share from 0 to 1, such as 0.9 or 90%"
    )


def test_long_and_hostile_lines_are_shown_safely() -> None:
    line = "x" * 500 + "\x1b[31m\u202e!"
    text = str(Problem("f", location=Location("a.yaml", 1, 502), line=line))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert max(map(len, text.splitlines())) < 130
    assert text.splitlines()[2].endswith("^")


def test_users_code_without_anyone_to_look_at_it(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="cannot be looked at here"):
        parse(HEAD + "  mine: {uses: 'mine:threshold'}\n", "x", tmp_path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    cases: list[tuple[Path, str]] = [
        (tmp_path / "none.yaml", "there is no file"),
        (tmp_path, "is a folder"),
        (tmp_path / "latin.yaml", "the file is not UTF-8"),
        (tmp_path / "a\0b", "cannot be read"),
        (tmp_path / ("a" * 300), "cannot be read"),
    ]
    (tmp_path / "latin.yaml").write_bytes("pipeline: p\nimages: ©".encode("latin-1"))
    for path, message in cases:
        with pytest.raises(DeclarationError, match=message) as caught:
            load(path)
        assert len(caught.value.problems) == 1


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD + "  thumbnails:\n", encoding="utf-8-sig")
    assert load(tmp_path / "a.yaml").name == "p"
