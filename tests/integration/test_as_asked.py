"""Exactly the model asked for, read off the journal's own times and not off the code's intent."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from imagelane.model import events as e
from imagelane.model.states import Scope
from tests.conftest import Imagelane
from tests.integration.conftest import NewProject, Project

Ran = Callable[..., Project]

IN_A_WORKER = {"validate", "metadata", "thumbnails", "crop", "watermark", "encode"}


def most_at_once(tasks: Iterable[e.TaskSucceeded]) -> int:
    """The largest number of tasks between their start and their end at one moment."""
    moments = []
    for task in tasks:
        moments += [(task.started, 1), (task.finished, -1)]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def most_bytes(tasks: Iterable[e.TaskSucceeded]) -> int:
    """The most that workers had decoded at one moment, each counted over its whole order."""
    moments = []
    for task in tasks:
        moments += [(task.started, task.decoded_bytes), (task.finished, -task.decoded_bytes)]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


@pytest.fixture
def ran(project: NewProject, imagelane: Imagelane) -> Ran:
    def execute(*options: str) -> Project:
        made = project()
        imagelane("run", "gallery.yaml", "--quiet", *options, cwd=made.folder)
        return made

    return execute


@pytest.mark.parametrize("fuse", [(), ("--no-fuse",)])
def test_sequential_is_one_task_at_a_time_in_order(ran: Ran, fuse: tuple[str, ...]) -> None:
    made = ran("--model", "sequential", *fuse)
    tasks = sorted(made.tasks(), key=lambda task: task.started)
    assert most_at_once(tasks) == 1
    images = [task.subject for task in tasks if task.subject.scope is Scope.IMAGE]
    assert images == sorted(images)
    # A group's own stages come before the next group begins.
    order = [task.subject.group for task in tasks]
    assert order == sorted(order)


def test_parallel_keeps_every_limit(ran: Ran) -> None:
    made = ran("--workers", "2", "--workers", "thumbnails=1,check=1", "--max-in-flight", "3")
    tasks = list(made.tasks())
    assert most_at_once(t for t in tasks if t.stage in IN_A_WORKER) <= 2
    assert most_at_once(t for t in tasks if t.stage == "thumbnails") == 1
    assert most_at_once(t for t in tasks if t.stage == "check") == 1
    assert most_in_flight(made.events()) <= 3


def test_parallel_is_parallel(ran: Ran) -> None:
    made = ran("--workers", "2")
    assert most_at_once(t for t in made.tasks() if t.stage in IN_A_WORKER) == 2


def test_hybrid_runs_batches_side_by_side_and_each_in_order(ran: Ran) -> None:
    made = ran("--model", "hybrid", "--batch-size", "3", "--parallel-batches", "2")
    events = made.events()
    sequence = {
        event.subject: event.sequence for event in events if isinstance(event, e.ImageReceived)
    }
    tasks = [event for event in events if isinstance(event, e.TaskSucceeded)]
    of_images = [task for task in tasks if task.subject.scope is Scope.IMAGE]
    for batch in range(3):
        inside = [task for task in of_images if sequence[task.subject] // 3 == batch]
        assert most_at_once(inside) == 1
        begun = [sequence[task.subject] for task in sorted(inside, key=lambda t: t.started)]
        assert begun == sorted(begun)
    assert most_at_once(tasks) == 2


def test_one_stage_moved_over_and_the_rest_one_at_a_time(ran: Ran) -> None:
    made = ran("--parallel", "check=2")
    tasks = list(made.tasks())
    assert most_at_once(task for task in tasks if task.stage != "check") == 1
    assert most_at_once(task for task in tasks if task.stage == "check") <= 2


def test_the_budget_of_decoded_pictures_is_kept(ran: Ran) -> None:
    budget = 1_500_000
    made = ran("--workers", "4", "--memory", str(budget))
    tasks = [task for task in made.tasks() if task.stage in IN_A_WORKER]
    assert max(task.decoded_bytes for task in tasks) > budget // 8, "claims were needed"
    assert most_bytes(tasks) <= budget


def most_in_flight(events: Iterable[e.Event]) -> int:
    most = now = 0
    for event in events:
        if isinstance(event, e.ImageReceived):
            now += 1
        elif isinstance(event, e.ImageSettled):
            now -= 1
        most = max(most, now)
    return most
