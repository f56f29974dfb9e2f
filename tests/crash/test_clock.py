"""Somebody sets the clock in the middle of a run: nothing times out, and the record shows it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from imagelane.adapters.journals.sqlite import SqliteJournal
from tests.crash.aftermath import published
from tests.crash.conftest import STEADY, Bystander, failures, required
from tests.integration.conftest import Project

DAY = 24 * 60 * 60


def faketime_library() -> Path:
    found = [*Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]
    required(bool(found), "there is no libfaketime", "`apt-get install faketime` provides it")
    return found[0]


def times(project: Project) -> list[float]:
    """When each event was recorded, by the clock on the wall."""
    journal = SqliteJournal(project.folder / ".imagelane" / "journal.db", create=False)
    try:
        return [recorded.at for recorded in journal.events(journal.runs()[0].run)]
    finally:
        journal.close()


@pytest.mark.parametrize("days", [2, -2])
def test_a_clock_that_is_set_ends_no_waiting(
    bystander: Bystander, expected: dict[str, str], tmp_path: Path, days: int
) -> None:
    library = faketime_library()
    clock = tmp_path / "clock"
    clock.write_text("+0", encoding="ascii")
    timed = STEADY.replace("contact-sheet]}", "contact-sheet], gate: {timeout: 10m}}")
    timed = timed.replace("uses: command", "uses: command, timeout: 30s")
    # All images wait side by side, so there is hardly a middle.
    timed = timed.replace('"0.1"', '"1"')
    project = bystander.project(pipeline=timed)
    faked = ["env", f"LD_PRELOAD={library}", f"FAKETIME_TIMESTAMP_FILE={clock}"]
    faked += ["FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
    run = bystander.start(project, "--model", "parallel", under=faked)
    # By now all groups are closed, and their gates wait.
    run.until_recorded(5)
    unfinished = tmp_path / "clock.new"
    unfinished.write_text(f"{days:+}d", encoding="ascii")
    unfinished.replace(clock)
    run.ends(0)
    assert published(project.public) == expected
    assert failures(project) == []
    recorded = times(project)
    step = max((after - before for before, after in pairwise(recorded)), key=abs)
    assert round(step / DAY) == days, "the record shows the step"
