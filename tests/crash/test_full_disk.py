"""A disk is full, read-only or gone in the middle of a run: nothing is lost, and it goes on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from imagelane.model.states import RunStatus
from tests.crash.aftermath import published
from tests.crash.conftest import Bystander, Disk, Watched, failures
from tests.integration.conftest import Project

Place = Callable[[Project, Disk], None]


def put_artifacts_on(project: Project, disk: Disk) -> None:
    for name in ("artifacts", "scratch"):
        _move(project.folder / ".imagelane" / name, disk.path / name)


def put_target_on(project: Project, disk: Disk) -> None:
    _move(project.public, disk.path / "public")


def put_journal_on(project: Project, disk: Disk) -> None:
    (project.folder / ".imagelane").mkdir()
    (project.folder / ".imagelane" / "journal.db").symlink_to(disk.path / "journal.db")


def _move(path: Path, to: Path) -> None:
    to.mkdir()
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(to)


@pytest.fixture(params=[put_artifacts_on, put_target_on, put_journal_on])
def full(request: pytest.FixtureRequest, disk: Disk, bystander: Bystander) -> Watched:
    """A run whose artifacts, target or journal have no room from its middle on."""
    project = bystander.project()
    request.param(project, disk)
    run = bystander.start(project)
    run.until_recorded(3)
    disk.fill()
    run.until(lambda: "waiting: no room on the disk of" in run.said)
    return run


def test_a_full_disk_is_waited_for_and_the_run_goes_on_by_itself(
    full: Watched, disk: Disk, expected: dict[str, str]
) -> None:
    assert "0 are free" in full.said
    disk.make_room()
    said = full.ends(0)
    assert "there is room: it goes on" in said
    assert published(full.project.public) == expected
    assert failures(full.project) == [], "a full disk is no image's doing"
    assert len(full.project.runs()) == 1


def test_a_run_that_waits_for_room_can_be_left_and_taken_up(
    full: Watched, disk: Disk, expected: dict[str, str], bystander: Bystander
) -> None:
    full.interrupt()
    # A journal without room cannot even record the pause.
    assert full.process.wait(60) in {3, 4}
    disk.make_room()
    bystander.start(full.project).ends(0)
    assert published(full.project.public) == expected
    assert failures(full.project) == []
    (run,) = full.project.runs()
    assert run.status is RunStatus.FINISHED


def test_a_target_that_is_read_only_pauses_the_run_and_says_so(
    disk: Disk, bystander: Bystander, expected: dict[str, str]
) -> None:
    project = bystander.project()
    put_target_on(project, disk)
    run = bystander.start(project)
    run.until_recorded(3)
    disk.remount("ro")
    run.ends(3)
    (row,) = project.runs()
    assert row.status is RunStatus.PAUSED
    assert "nothing can be written to" in row.reason
    assert "public" in row.reason
    assert failures(project) == []
    disk.remount("rw")
    bystander.start(project).ends(0)
    assert published(project.public) == expected


def test_a_target_that_is_gone_is_filled_again(
    bystander: Bystander, expected: dict[str, str]
) -> None:
    project = bystander.project()
    run = bystander.start(project)
    run.until(lambda: list(project.public.glob(".objects/*/*")))
    shutil.rmtree(project.public)
    run.ends(0)
    assert published(project.public) == expected
