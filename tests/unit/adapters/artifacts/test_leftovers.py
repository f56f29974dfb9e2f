from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagelane.adapters.artifacts.leftovers import GRACE, clear_leftovers
from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.adapters.owner import this_process
from imagelane.model import events as e
from imagelane.model.ids import RunId
from imagelane.model.states import RunStatus
from imagelane.ports.journal import RunRow
from imagelane.testing.journal_contract import record


@dataclass
class Workspace:
    root: Path

    def scratch(self, run: str) -> Path:
        made = self.root / "scratch" / run
        made.mkdir(parents=True)
        (made / "new-1").write_bytes(b"half")
        return made

    def clear(self, runs: list[RunRow], grace: float = GRACE) -> int:
        return clear_leftovers(
            self.root / "scratch",
            self.root / "artifacts",
            [self.root / "public"],
            runs,
            grace=grace,
        )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def runs(tmp_path: Path) -> list[RunRow]:
    """One that is over, two that are not; one that is just beginning, and one that never began."""
    journal = SqliteJournal(tmp_path / "journal.db")
    begun = e.RunStarted("gallery", "digest", "parallel", {})
    for name, status in (("over", RunStatus.FINISHED), ("paused", RunStatus.PAUSED)):
        claimed = journal.create(RunId(name), {}, "owner")
        record(journal, claimed, begun, e.RunSettled(status))
    record(journal, journal.create(RunId("running"), {}, "owner"), begun)
    journal.create(RunId("beginning"), {}, this_process())
    journal.create(RunId("never"), {}, "owner")
    rows = journal.runs()
    journal.close()
    return rows


def test_scratch_goes_with_its_run(workspace: Workspace, runs: list[RunRow]) -> None:
    folders = {str(row.run): workspace.scratch(row.run) for row in runs}
    assert workspace.clear(runs) == 1
    left = {name for name, folder in folders.items() if folder.exists()}
    assert left == {"paused", "running", "beginning", "never"}
    assert workspace.clear(runs, grace=0.0) == 1
    assert {name for name, folder in folders.items() if folder.exists()} == left - {"never"}


def test_scratch_of_a_run_that_is_just_being_made_is_left_alone(
    workspace: Workspace, runs: list[RunRow]
) -> None:
    unknown = workspace.scratch("unknown")
    assert workspace.clear(runs) == 0
    assert unknown.exists()
    assert workspace.clear(runs, grace=0.0) == 1
    assert not unknown.exists()


@pytest.mark.parametrize("place", ["public/.objects/.new-1", "artifacts/.tmp/1"])
def test_a_file_that_is_being_written_has_its_time_whatever_its_content_is_dated(
    workspace: Workspace, place: str
) -> None:
    file = workspace.root / place
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half")
    old = time.time() - 10 * GRACE
    os.utime(file, (old, old))
    assert workspace.clear([]) == 0
    assert workspace.clear([], grace=0.0) == 1
    assert not file.exists()


def test_nothing_else_is_touched(workspace: Workspace) -> None:
    kept = [
        workspace.root / "public/.objects/ab/cdef",
        workspace.root / "artifacts/ab/cdef",
        workspace.root / "artifacts/quarantine/abcdef-1",
    ]
    for path in kept:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"whole")
    assert workspace.clear([], grace=0.0) == 0
    assert all(path.exists() for path in kept)
