from __future__ import annotations

from pathlib import Path

import pytest

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.states import RunStatus
from imagelane.report.timeline import BINS, OTHERS, WORKERS, Busy, read_axis
from imagelane.testing.journals import MemoryJournal
from tests.unit.report.made_up import RUN, Recipe, record

ONE = StageName("one")


def done(number: int, started: float, finished: float) -> e.TaskSucceeded:
    subject = Subject(1, number)
    return e.TaskSucceeded(subject, ONE, 1, (), {}, None, "cpu-1", started, finished)


def received(number: int) -> e.ImageReceived:
    return e.ImageReceived(Subject(1, number), number, f"{number}.jpg", f"/{number}.jpg", 1, 1)


def test_pauses_take_no_room_on_the_axis(tmp_path: Path) -> None:
    journal, row = record(Recipe({"harbour": 20}, pause_after=1.5), tmp_path)
    axis = read_axis(journal, row)
    first, second = axis.sessions
    assert second.began - first.ended == pytest.approx(3 * 3600, abs=1)
    assert axis.length == pytest.approx(first.ended - first.began + second.ended - second.began)
    assert axis.length < 20
    ((place, pause),) = axis.breaks
    assert place == pytest.approx(first.ended - first.began)
    assert pause == pytest.approx(second.began - first.ended)


def test_a_killed_session_ends_with_its_last_event_and_a_reboot_begins_a_new_clock() -> None:
    journal = MemoryJournal()
    claimed = journal.create(RUN, {}, "tests")
    journal.append(
        claimed,
        [
            (100.0, e.RunStarted("p", "d", "parallel", {})),
            (100.1, e.GroupOpened(Subject(1), "g")),
            (100.2, received(1)),
            (100.2, received(2)),
            (103.0, done(1, 5001.0, 5003.0)),
            # Killed here. The machine was started again, so the monotonic clock begins anew.
            (9000.0, e.RunResumed("parallel")),
            (9004.0, done(2, 11.0, 12.0)),
            (9005.0, e.RunSettled(RunStatus.PAUSED)),
        ],
    )
    (row,) = journal.runs()
    axis = read_axis(journal, row)
    assert [session.ended - session.began for session in axis.sessions] == [3.0, 5.0]
    assert axis.place(5, 5001.0) == pytest.approx(1.0)
    assert axis.place(5, 5003.0) == pytest.approx(3.0)
    assert axis.place(7, 12.0) == pytest.approx(3.0 + 4.0)
    assert axis.breaks == ((3.0, 8897.0),)


def test_a_task_never_lies_before_its_session() -> None:
    journal = MemoryJournal()
    claimed = journal.create(RUN, {}, "tests")
    journal.append(
        claimed,
        [
            (100.0, e.RunStarted("p", "d", "parallel", {})),
            (100.1, e.GroupOpened(Subject(1), "g")),
            (100.2, received(1)),
            (101.0, done(1, 4000.0, 5000.0)),
        ],
    )
    (row,) = journal.runs()
    assert read_axis(journal, row).place(4, 4000.0) == 0.0


def test_busy_time_is_kept_to_the_second() -> None:
    busy = Busy(30.0)
    tasks = [("a", 0.0, 12.34), ("a", 12.34, 30.0), ("b", 7.01, 7.02), ("b", 29.99, 31.0)]
    for worker, began, ended in tasks:
        busy.add(worker, ONE, began, ended)
    rows = {worker: pieces[ONE] for worker, pieces in busy.workers()}
    assert sum(rows["a"]) == pytest.approx(30.0)
    assert sum(rows["b"]) == pytest.approx(0.01 + 1.01)
    assert all(piece <= busy.width + 1e-9 for piece in rows["a"])
    assert len(rows["a"]) == BINS


def test_peaks_count_what_ran_side_by_side() -> None:
    busy = Busy(10.0)
    for worker, began in (("a", 0.0), ("b", 1.0), ("c", 2.0), ("d", 6.0)):
        busy.add(worker, ONE, began, began + 3.0)
    assert busy.peak_of(frozenset("abcd")) == 3
    assert busy.peak_of(frozenset({"a", "d"})) == 1


def test_workers_beyond_the_limit_count_as_one() -> None:
    busy = Busy(10.0)
    for number in range(WORKERS + 50):
        busy.add(f"cpu-{number}", ONE, 1.0, 2.0)
    names = [name for name, _ in busy.workers()]
    assert len(names) == WORKERS + 1
    assert names[-1] == OTHERS
