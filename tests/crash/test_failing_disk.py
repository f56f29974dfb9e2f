"""fsync and writes fail at random: what is acknowledged is there, and the run comes to its end."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from imagelane.model.states import RunStatus
from tests.crash.aftermath import processes_in, published
from tests.crash.conftest import (
    PATIENCE,
    Bystander,
    required_program,
    rooted_environment,
)
from tests.crash.lives import PIPELINE
from tests.integration.conftest import Project

WRITER = """
import sys
from pathlib import Path
from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.model import events as e
from imagelane.model.ids import Subject
from imagelane.ports.journal import Claimed, JournalError
from imagelane.testing.histories import received
from imagelane.testing.journal_contract import RUN, record

def opened():
    for _ in range(50):
        try:
            return SqliteJournal(Path(sys.argv[1]), create=False)
        except JournalError:
            continue

failed = 0
journal = opened()
for n in range(1, 400):
    try:
        record(journal, Claimed(RUN, int(sys.argv[2])), received(Subject(1, n)))
        print(n, flush=True)
    except JournalError:
        failed += 1
        journal = opened()
print("failed", failed)
"""


def failing(call: str, probability: float) -> list[str]:
    """A command that lets a system call fail at random in the program that follows, and not in
    what that starts."""
    program = required_program("fiu-run", "fiu-utils")
    return [program, "-x", "-c", f"enable_random name=posix/io/{call},probability={probability}"]


@pytest.mark.parametrize("call", ["sync/fdatasync", "rw/pwrite"])
def test_what_a_journal_acknowledged_is_there_once_though_its_disk_fails(
    tmp_path: Path, call: str
) -> None:
    from imagelane.adapters.journals.sqlite import SqliteJournal
    from imagelane.model import events as e
    from imagelane.model.ids import Subject
    from imagelane.testing.journal_contract import RUN, record

    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    claimed = journal.create(RUN, {}, "owner")
    record(journal, claimed, e.GroupOpened(Subject(1), "a"))
    journal.close()
    done = subprocess.run(
        [*failing(call, 0.05), sys.executable, "-c", WRITER, str(path), str(claimed.fence)],
        env=rooted_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    *acknowledged, summary = done.stdout.splitlines()
    assert summary.startswith("failed"), done.stderr
    assert len(acknowledged) > 300, done.stderr
    journal = SqliteJournal(path)
    recorded = [one.event for one in journal.events(RUN)]
    ordinals = [event.subject.ordinal for event in recorded if isinstance(event, e.ImageReceived)]
    assert set(map(int, acknowledged)) <= set(ordinals)
    assert len(set(ordinals)) == len(ordinals)
    journal.close()


@pytest.mark.slow
@pytest.mark.parametrize("call", ["sync/fdatasync", "sync/fsync"])
def test_a_run_on_a_disk_that_fails_now_and_then_is_whole_in_the_end(
    bystander: Bystander, call: str
) -> None:
    reference = bystander.project("reference", PIPELINE)
    project = bystander.project(pipeline=PIPELINE)
    expected = bystander.whole(reference)
    tries = 0
    while not finished(project):
        tries += 1
        assert tries < 20, "it never came to its end"
        run = bystander.start(project, under=failing(call, 0.05))
        # 3: the disk said that it is read-only, so the run is paused.
        assert run.process.wait(PATIENCE) in {0, 3, 4}, run.said
        assert processes_in(project.folder) == []
    assert published(project.public) == expected
    done = Counter((task.stage, task.subject) for task in project.tasks())
    assert set(done.values()) == {1}


def finished(project: Project) -> bool:
    journal = project.folder / ".imagelane" / "journal.db"
    return journal.exists() and any(row.status is RunStatus.FINISHED for row in project.runs())
