"""Two coordinators on one run, two runs that publish one group: the fence lets one through."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from imagelane import wiring
from imagelane.adapters import owner
from imagelane.adapters.publishers.folder import FolderPublisher
from imagelane.model import events as e
from imagelane.model.states import GroupState, RunStatus
from imagelane.ports.journal import StaleFenceError
from imagelane.ports.publisher import Version
from tests.conftest import Paint
from tests.crash.aftermath import published
from tests.crash.conftest import Bystander, failures, required, required_program
from tests.integration.conftest import Project

ELSEWHERE = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"]
"""On another host, from which nobody can tell whether the first coordinator lives."""


def test_the_later_of_two_coordinators_records_and_the_earlier_is_told(
    bystander: Bystander, expected: dict[str, str]
) -> None:
    required(os.geteuid() == 0, "only root may name a host", "run the tests as root")
    required_program("unshare", "util-linux")
    project = bystander.project()
    first = bystander.start(project)
    first.until_recorded(3)
    first.stop_between_commits()
    bystander.start(project, under=ELSEWHERE).ends(0)
    first.process.send_signal(signal.SIGCONT)
    assert "another coordinator has taken" in first.ends(3)
    (run,) = project.runs()
    assert run.status is RunStatus.FINISHED
    assert sum(isinstance(event, e.RunResumed) for event in project.events()) == 1
    done = Counter((task.stage, task.subject) for task in project.tasks())
    assert set(done.values()) == {1}
    assert failures(project) == []
    assert published(project.public) == expected


@pytest.fixture
def changed(bystander: Bystander, paint: Paint) -> tuple[Project, dict[str, str]]:
    """Photographs as they will be when the second run begins, and what that publishes."""
    project = bystander.project("later")
    repaint(project, paint)
    return project, bystander.whole(project)


def repaint(project: Project, paint: Paint) -> None:
    paint(project.folder / "photos" / "market" / "2.jpg", (122, 90), colour=(10, 200, 30))


def test_a_run_that_was_overtaken_does_not_publish_over_the_later_one(
    bystander: Bystander,
    paint: Paint,
    expected: dict[str, str],
    changed: tuple[Project, dict[str, str]],
) -> None:
    _, later = changed
    assert later != expected
    project = bystander.project()
    first = bystander.start(project)
    first.until_recorded(3)
    first.stop_between_commits()
    repaint(project, paint)
    bystander.start(project, "--new").ends(0)
    assert published(project.public) == later
    first.process.send_signal(signal.SIGCONT)
    assert "a later coordinator" in first.ends(3)
    assert published(project.public) == later


def test_what_was_given_up_stays_so_whatever_the_earlier_coordinator_has_begun(
    bystander: Bystander, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = bystander.project()
    spec = wiring.load(project.pipeline)
    foreign = project.public / "harbour"
    fences: list[int] = []
    seen: list[str] = []

    def give_up() -> None:
        foreign.mkdir()
        run = project.runs()[0].run
        with wiring.session(spec, spec.options, resume=run, pool="inline") as (engine, _):
            assert engine.execute().group_counts[GroupState.ABORTED] == 1
        foreign.rmdir()
        seen.extend(sorted(published(project.public)))

    def promote(publisher: FolderPublisher, version: Version, fence: int) -> None:
        if not fences:
            fences.append(fence)
            give_up()
        original(publisher, version, fence)

    original = FolderPublisher.promote
    monkeypatch.setattr(FolderPublisher, "promote", promote)
    # As if it were on another host, from which nobody can tell whether it lives.
    monkeypatch.setattr(owner, "alive", lambda _: False)
    with (
        wiring.session(spec, spec.options, pool="inline") as (first, _),
        pytest.raises(StaleFenceError),
    ):
        first.execute()
    assert not foreign.exists()
    assert sorted(published(project.public)) == seen
    assert all("harbour" not in name for name in seen)
