"""The engine when something stands in the way: it waits or mends, and no attempt is used up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from imagelane.engine.parts import PULSE
from imagelane.model import events as e
from imagelane.model.decision import Request
from imagelane.model.ids import Digest, RunId, StageName, Subject
from imagelane.model.obstacle import Obstacle, ObstacleKind
from imagelane.model.outcome import Failure, Rendition, Success
from imagelane.model.states import ErrorClass, ImageState, RunStatus
from imagelane.ports.journal import Claimed, JournalFullError
from imagelane.ports.requests import Ticket
from imagelane.schedule.obstacles import FIRST_REMAKE
from imagelane.testing.journals import MemoryJournal
from imagelane.testing.simulation import Behaviour, Does
from imagelane.testing.simulation.desk import Desk
from tests.simulation.test_engine import RUN, Rig

LAST = Subject(1, 3)


def rendition(subject: Subject) -> Rendition:
    return Rendition("160", Digest(f"{subject.group:032}{subject.ordinal:032}"), 1, "jpeg")


def meeting(obstacle: Obstacle, stage: str, subject: Subject, times: int) -> Behaviour:
    """A stage meets an obstacle so many times on one subject; thumbnails are made of each image."""
    left = [times]

    def behave(name: StageName, about: Subject, attempt: int) -> Does:
        assert attempt == 1, "no attempt was used up"
        if name == stage and about == subject and left[0]:
            left[0] -= 1
            return Does(1.0, Failure(ErrorClass.TRANSIENT, "met", obstacle=obstacle))
        made = (rendition(about),) if name == "thumbnails" else ()
        return Does(1.0, Success(made))

    return behave


def assert_whole(rig: Rig) -> None:
    events = [recorded.event for recorded in rig.journal.events(RUN)]
    assert not [event for event in events if isinstance(event, e.TaskFailed)]
    done = Counter(
        (event.stage, event.subject) for event in events if isinstance(event, e.TaskSucceeded)
    )
    assert set(done.values()) == {1}
    assert rig.journal.image_counts(RUN) == {ImageState.PUBLISHED: 5}


@pytest.mark.parametrize("times", [1, 2, 7])
@pytest.mark.parametrize("stage", ["watermark", "store"])
def test_a_full_disk_costs_time_and_nothing_else(tmp_path: Path, stage: str, times: int) -> None:
    full = Obstacle(ObstacleKind.FULL, "/photos", 10)
    rig = Rig(tmp_path, behaviour=meeting(full, stage, LAST, times))
    assert rig.engine().execute().status is RunStatus.FINISHED
    assert_whole(rig)


def test_nothing_is_begun_while_a_disk_is_full(tmp_path: Path) -> None:
    full = Obstacle(ObstacleKind.FULL, "/photos", 10)
    rig = Rig(tmp_path, groups=[40], behaviour=meeting(full, "validate", Subject(1, 1), 1 << 30))
    engine = rig.engine(pausing=lambda: len(rig.pool.submitted) > 100)
    begun: list[int] = []
    poll = rig.pool.poll

    def counting(timeout: float) -> object:
        begun.append(len(rig.pool.submitted))
        if len(begun) > 2000:
            engine.pause("seen enough")
        return poll(timeout)

    rig.pool.poll = counting  # type: ignore[assignment,method-assign]
    assert engine.execute().status is RunStatus.PAUSED
    tries = [order for order in rig.pool.submitted if order.subject == Subject(1, 1)]
    assert len(begun) > 2000
    assert 2 <= len(tries) <= 20, "it is tried again now and then, and not all the time"


def test_a_folder_that_cannot_be_written_pauses_the_run(tmp_path: Path) -> None:
    unwritable = Obstacle(ObstacleKind.UNWRITABLE, "/public")
    rig = Rig(tmp_path, behaviour=meeting(unwritable, "store", LAST, 1))
    state = rig.engine().execute()
    assert state.status is RunStatus.PAUSED
    assert "/public" in state.reason
    assert rig.engine().execute().status is RunStatus.FINISHED
    assert_whole(rig)


def test_what_was_damaged_is_made_again_and_not_recorded_again(tmp_path: Path) -> None:
    damaged = Obstacle(ObstacleKind.DAMAGED, rendition(LAST).digest)
    rig = Rig(tmp_path, behaviour=meeting(damaged, "store", LAST, 1))
    assert rig.engine().execute().status is RunStatus.FINISHED
    assert_whole(rig)
    (again,) = (order for order in rig.pool.submitted if order.number >= FIRST_REMAKE)
    assert (again.subject, again.stages) == (LAST, (StageName("thumbnails"),))


def test_what_a_group_lacks_is_made_again_from_an_image_that_has_settled(tmp_path: Path) -> None:
    damaged = Obstacle(ObstacleKind.DAMAGED, rendition(LAST).digest)
    rig = Rig(tmp_path, behaviour=meeting(damaged, "contact-sheet", LAST.of_group, 1))
    assert rig.engine().execute().status is RunStatus.FINISHED
    assert_whole(rig)
    (again,) = (order for order in rig.pool.submitted if order.number >= FIRST_REMAKE)
    assert (again.subject, again.stages) == (LAST, (StageName("thumbnails"),))


def test_what_nobody_made_uses_up_attempts(tmp_path: Path) -> None:
    lost = Obstacle(ObstacleKind.DAMAGED, "0" * 64)

    def behave(name: StageName, about: Subject, _: int) -> Does:
        failing = name == "store" and about == LAST
        failure = Failure(ErrorClass.TRANSIENT, "gone", obstacle=lost)
        return Does(1.0, failure) if failing else Does(1.0)

    rig = Rig(tmp_path, behaviour=behave)
    assert rig.engine().execute().status is RunStatus.FINISHED
    failed = [
        recorded.event
        for recorded in rig.journal.events(RUN)
        if isinstance(recorded.event, e.TaskFailed)
    ]
    assert [event.attempt for event in failed] == [1, 2, 3]
    assert rig.journal.image_counts(RUN)[ImageState.SKIPPED] == 1


def waited(rig: Rig) -> list[e.WaitedForRoom]:
    events = (recorded.event for recorded in rig.journal.events(RUN))
    return [event for event in events if isinstance(event, e.WaitedForRoom)]


@pytest.mark.parametrize("times", [1, 7])
def test_a_wait_for_room_is_recorded_once_with_how_long_it_was(tmp_path: Path, times: int) -> None:
    full = Obstacle(ObstacleKind.FULL, "/photos", 10)
    rig = Rig(tmp_path, behaviour=meeting(full, "store", LAST, times))
    rig.engine().execute()
    (wait,) = waited(rig)
    assert (wait.folder, wait.needed) == ("/photos", 10)
    assert wait.seconds >= 5.0 * times


class Full(MemoryJournal):
    """A journal whose disk is full for so many tries, from a commit on."""

    def __init__(self, commits: int, tries: int) -> None:
        super().__init__()
        self._commits = commits
        self._tries = tries
        self.waits = False

    def append(self, claimed: Claimed, events: Iterable[tuple[float, e.Event]]) -> None:
        self._commits -= 1
        if self._commits < 0 < self._tries:
            self._tries -= 1
            self.waits = True
            raise JournalFullError("the disk is full", folder="/journal")
        super().append(claimed, events)


@pytest.mark.parametrize("commits", [0, 1, 4, 9])
def test_a_wait_for_the_journals_own_disk_is_recorded_when_it_has_room(
    tmp_path: Path, commits: int
) -> None:
    rig = Rig(tmp_path, journal=Full(commits, 3))
    assert rig.engine().execute().status is RunStatus.FINISHED
    assert_whole(rig)
    (wait,) = waited(rig)
    assert wait.folder == "/journal"
    assert wait.seconds == pytest.approx(3 * 4 * PULSE, abs=4 * PULSE)


class Late(Desk):
    """Letters that come only when something has happened."""

    def __init__(self, happened: Callable[[], bool]) -> None:
        super().__init__()
        self._happened = happened

    def waiting(self, run: RunId) -> Sequence[tuple[Ticket, Request]]:
        return super().waiting(run) if self._happened() else []


@pytest.mark.parametrize("kind", ["pause", "cancel"])
def test_who_asks_it_to_stop_is_heard_while_the_journals_disk_is_full(
    tmp_path: Path, kind: str
) -> None:
    journal = Full(2, 1 << 30)
    rig = Rig(tmp_path, journal=journal, requests=Late(lambda: journal.waits))
    assert rig.requests is not None
    rig.requests.post(RUN, Request(kind, "asked to", "somebody"))
    with pytest.raises(JournalFullError):
        rig.engine().execute()
    assert rig.requests.waiting(RUN), "what could not be recorded is not answered"
