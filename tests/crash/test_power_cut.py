"""The power goes in the middle of a run: what the disk held at that moment is all that is left."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.model import events as e
from imagelane.model.event_form import type_name
from imagelane.model.states import GroupState
from imagelane.ports.artifacts import object_path
from tests.crash.aftermath import check_whole, galleries, processes_in, published
from tests.crash.conftest import Bystander, Watched, failures, required, required_program
from tests.integration.conftest import Project


class Machine:
    """A file system in a file, as it stands on a disk that loses power."""

    def __init__(self, room: Path) -> None:
        self._image = room / "disk.img"
        self.path = room / "mounted"
        self.path.mkdir()
        with self._image.open("wb") as file:
            file.truncate(48 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(self._image)], check=True)

    def mount(self) -> bool:
        done = subprocess.run(
            ["mount", "-o", "loop", str(self._image), str(self.path)], check=False
        )
        return done.returncode == 0

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.path)], check=True)

    def sync(self) -> None:
        subprocess.run(["sync", "-f", str(self.path)], check=True)

    def lose_power(self, run: Watched) -> None:
        """Everybody stops; what was on the disk is what is found when it is mounted again."""
        run.process.send_signal(signal.SIGSTOP)
        for worker in processes_in(run.project.folder):
            os.kill(worker, signal.SIGSTOP)
        left = self._image.with_suffix(".left")
        shutil.copyfile(self._image, left)
        run.process.kill()
        run.process.wait()
        for worker in processes_in(run.project.folder):
            os.kill(worker, signal.SIGKILL)
        while processes_in(run.project.folder):
            pass
        self.unmount()
        left.replace(self._image)
        assert self.mount()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    required(os.geteuid() == 0, "only root may mount a file system", "run the tests as root")
    required_program("mkfs.ext4", "e2fsprogs")
    made = Machine(tmp_path)
    required(made.mount(), "no loop device can be mounted", "run the tests where one can be")
    try:
        yield made
    finally:
        made.unmount()


def acknowledged(run: Watched) -> list[tuple[str, str]]:
    """The events that the run was told are durable, by type and subject."""
    lines = [line for line in run.said.splitlines() if line.startswith("{") and line.endswith("}")]
    events = [json.loads(line) for line in lines]
    return [(one["type"], one["subject"]) for one in events if "subject" in one]


def assert_nothing_lost(project: Project, told: list[tuple[str, str]], before: int) -> int:
    """All that was acknowledged is recorded, whole, and visible; how many events there are."""
    journal = SqliteJournal(project.folder / ".imagelane" / "journal.db")
    try:
        runs = journal.runs()
        events = [one.event for one in journal.events(runs[0].run)] if runs else []
    finally:
        journal.close()
    found = [(type_name(event), str(e.subject_of(event))) for event in events]
    assert found[before : before + len(told)] == told
    for event in events:
        if isinstance(event, e.TaskSucceeded):
            for one in event.renditions:
                path = project.folder / ".imagelane" / "artifacts" / object_path(one.digest)
                assert hashlib.sha256(path.read_bytes()).hexdigest() == one.digest
        if isinstance(event, e.GroupSettled) and event.state is GroupState.PUBLISHED:
            name = ("harbour", "market")[event.subject.group - 1]
            assert name in {gallery.name for gallery in galleries(project.public)}
            check_whole(project.public / name)
    return len(events)


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_power_cut_and_the_run_goes_on(
    machine: Machine, bystander: Bystander, expected: dict[str, str]
) -> None:
    project = bystander.project(within=machine.path)
    machine.sync()
    known = told = 0
    for tasks in (2, 9, 17, 26):
        run = bystander.start(project, "--json-lines")
        run.until_recorded(tasks)
        machine.lose_power(run)
        said = acknowledged(run)
        told += len(said)
        known = assert_nothing_lost(project, said, known)
    assert told >= 40, "there was not much to lose"
    bystander.start(project).ends(0)
    assert published(project.public) == expected
    assert failures(project) == []
