"""Measuring, predicting and advising, as a user starts it, on pipelines that really run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.scenarios import SCENARIOS
from imagelane import wiring
from imagelane.model.policy import ExecutionModel
from tests.conftest import Imagelane

SCALE = 0.16
"""Of the half second for which the ledger's stage holds its lock."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, imagelane: Imagelane) -> Path:
    """The pipeline whose stage takes a database's write lock, measured."""
    file = SCENARIOS["ledger"].make(tmp_path_factory.mktemp("ledger") / "x", 14, scale=SCALE)
    done = imagelane("profile", file.name, "--sample", "14", "--seconds", "60", cwd=file.parent)
    assert "register gets slower in company" in done.stdout
    return file


def test_a_pipeline_behind_a_lock_is_told_before_anybody_runs_it(
    ledger: Path, imagelane: Imagelane
) -> None:
    done = imagelane("advise", ledger.name, "--images", "200", cwd=ledger.parent)
    first = done.stdout.splitlines()[:3]
    assert first[0].startswith("ledger: ")
    assert first[1].startswith("200 images in 14 groups take")
    assert first[2].startswith("Do not run register side by side")
    assert "register at once take" in done.stdout


def test_measuring_publishes_and_records_nothing(ledger: Path) -> None:
    assert [one.name for one in (ledger.parent / ".imagelane").iterdir()] == ["profile.json"]


def test_a_simulation_says_that_no_number_gets_past_the_lock(
    ledger: Path, imagelane: Imagelane
) -> None:
    def told(*options: str) -> float:
        arguments = ("--images", "100", "--seeds", "0", "--json", *options)
        done = imagelane("simulate", ledger.name, *arguments, cwd=ledger.parent)
        seconds: float = json.loads(done.stdout)["seconds"]["middle"]
        return seconds

    # Whoever holds the lock holds it for so long, and everybody else waits.
    alone = 100 * 0.5 * SCALE
    assert told("--workers", "register=1") >= alone
    assert told("--workers", "register=4") >= 0.95 * alone


def test_the_advice_is_written_into_the_file_and_means_what_it_says(
    ledger: Path, imagelane: Imagelane, tmp_path: Path
) -> None:
    before = ledger.read_text(encoding="utf-8")
    done = imagelane("advise", ledger.name, "--write", "--json", cwd=ledger.parent)
    chosen = json.loads(done.stdout)["chosen"]["options"]
    options = wiring.load(ledger).options
    assert options.model is ExecutionModel(chosen["model"])
    assert dict(options.workers) == chosen["workers"]
    assert ledger.read_text(encoding="utf-8").startswith(before)
    ledger.write_text(before, encoding="utf-8")


def test_what_was_measured_says_so_when_the_pipeline_has_changed(
    ledger: Path, imagelane: Imagelane
) -> None:
    before = ledger.read_text(encoding="utf-8")
    ledger.write_text(before + "  metadata:\n    needs: [validate]\n", encoding="utf-8")
    done = imagelane("advise", ledger.name, cwd=ledger.parent, code=2)
    ledger.write_text(before, encoding="utf-8")
    assert "the pipeline was changed since it was measured" in done.stderr
    assert "imagelane profile pipeline.yaml" in done.stderr


def test_without_measurements_it_says_how_to_take_them(
    tmp_path: Path, imagelane: Imagelane
) -> None:
    file = SCENARIOS["news"].make(tmp_path / "x", 3, scale=0.01)
    done = imagelane("advise", file.name, cwd=file.parent, code=2)
    assert "imagelane profile pipeline.yaml" in done.stderr


def test_earlier_runs_are_enough_to_advise(tmp_path: Path, imagelane: Imagelane) -> None:
    file = SCENARIOS["archive"].make(tmp_path / "x", 8)
    imagelane("run", file.name, "--quiet", cwd=file.parent)
    done = imagelane("advise", file.name, "--images", "60", cwd=file.parent)
    assert "from 1 earlier run" in done.stdout
    assert "usual figures stand for it" in " ".join(done.stdout.split())
    kept = imagelane("profile", file.name, "--from-journal", "--json", cwd=file.parent)
    assert {stage["name"] for stage in json.loads(kept.stdout)["stages"]} >= {"thumbnails"}
