from __future__ import annotations

import io

import pytest

from imagelane.adapters.observers import quiet
from imagelane.adapters.observers.quiet import Quiet
from imagelane.model import events as e
from imagelane.model.ids import Subject
from imagelane.model.run import RunState, evolve
from imagelane.model.states import ErrorClass, ImageState, RunStatus
from imagelane.ports.observer import Pulse
from tests.unit.report.made_up import HOSTILE, Recipe
from tests.unit.report.playing import play

TRUNCATED = ("validate", ErrorClass.INVALID, "the file ends after 81,920 bytes", 1)


def said(recipe: Recipe) -> list[str]:
    out = io.StringIO()
    play(recipe, Quiet(out))
    return out.getvalue().splitlines()


def test_nothing_is_said_while_all_is_well() -> None:
    assert said(Recipe({"harbour": 5})) == []


def test_a_failure_is_said_once_after_its_last_attempt() -> None:
    recipe = Recipe(
        {"harbour": 5},
        failing={Subject(1, 2): ("moderate", ErrorClass.TIMEOUT, "took more than 10 s", 3)},
    )
    assert said(recipe) == ["1.2 IMG_1002.jpg: moderate: timeout: took more than 10 s"]


def test_a_group_that_does_not_go_live_is_said() -> None:
    recipe = Recipe({"harbour": 5}, failing={Subject(1, 2): TRUNCATED}, policy=ImageState.DEAD)
    assert said(recipe) == [
        "1.2 IMG_1002.jpg: validate: invalid: the file ends after 81,920 bytes",
        "1 harbour: aborted: 1 of its images failed for good",
    ]


def test_endless_errors_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "MOST", 3)
    recipe = Recipe({"harbour": 9}, failing={Subject(1, n): TRUNCATED for n in range(1, 10)})
    lines = said(recipe)
    assert len(lines) == 4
    assert lines[-1] == "and 6 more errors; `imagelane status` lists them"


def test_hostile_text_is_cleaned() -> None:
    recipe = Recipe(
        {"harbour": 1},
        failing={Subject(1, 1): ("validate", ErrorClass.INVALID, HOSTILE, 1)},
        names={Subject(1, 1): HOSTILE},
    )
    (line,) = said(recipe)
    assert line.isprintable()


def test_a_run_that_stands_still_says_so() -> None:
    out = io.StringIO()
    Quiet(out).closed(evolve(RunState(), e.RunSettled(RunStatus.HALTED, "moderate failed")))
    assert out.getvalue() == "the run is halted: moderate failed\n"


def test_what_it_waits_for_is_said_once_each_time() -> None:
    out = io.StringIO()
    observer = Quiet(out)
    for waiting in ("", "no room", "no room still", "", f"no {HOSTILE}"):
        observer.pulse(RunState(), Pulse(waiting=waiting))
    first, second = out.getvalue().splitlines()
    assert first == "waiting: no room"
    assert second.startswith("waiting: no ")
    assert second.isprintable()
