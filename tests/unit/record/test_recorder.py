"""What is decided while the disk writes goes together in its next transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from imagelane.model import events as e
from imagelane.model.ids import RunId, Subject
from imagelane.ports.journal import Claimed, JournalFullError, StaleFenceError
from imagelane.record.recorder import AGAIN, Recorder
from imagelane.testing.clock import FakeClock
from imagelane.testing.journals import MemoryJournal
from imagelane.testing.simulation.executors import Later

RUN = RunId("run")
GROUP = Subject(1)
BEGINS = e.RunStarted("news", "plan", "parallel", {})


class Disk(MemoryJournal):
    """Counts transactions, and may be full."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.transactions: list[list[e.Event]] = []

    def append(self, claimed: Claimed, events: Iterable[tuple[float, e.Event]]) -> None:
        batch = list(events)
        if self.full:
            raise JournalFullError("full")
        super().append(claimed, batch)
        self.transactions.append([event for _, event in batch])


class Rig:
    def __init__(self) -> None:
        self.disk = Disk()
        self.clock = FakeClock()
        self.writer = Later()
        self.seen: list[e.Event] = []
        self.woken = 0
        claimed = self.disk.create(RUN, {}, "owner")
        self.recorder: Recorder[str] = Recorder(
            self.disk, claimed, self.clock, [self], self.writer, self.wake
        )

    def wake(self) -> None:
        self.woken += 1

    def recorded(self, events: Sequence[e.Event]) -> None:
        self.seen += events

    def opened(self, *_: object) -> None: ...

    def pulse(self, *_: object) -> None: ...

    def closed(self, *_: object) -> None: ...

    def durable(self) -> list[str]:
        return [decided.follows for decided in self.recorder.durable()]


def opened(number: int) -> e.GroupOpened:
    return e.GroupOpened(Subject(number), f"group {number}")


def test_nothing_follows_before_the_disk_is_done_and_then_in_order() -> None:
    rig = Rig()
    rig.recorder.decide([BEGINS], "first")
    assert rig.durable() == []
    rig.recorder.decide([opened(1)], "second")
    rig.recorder.decide([opened(2)], "third")
    assert rig.durable() == []
    assert rig.seen == []
    rig.writer.catch_up()
    assert rig.woken == 1
    assert rig.durable() == ["first"]
    assert rig.seen == [BEGINS]
    rig.writer.catch_up()
    assert rig.durable() == ["second", "third"]
    assert rig.disk.transactions == [[BEGINS], [opened(1), opened(2)]]
    assert rig.recorder.idle


def test_it_tells_of_whom_something_is_not_durable() -> None:
    rig = Rig()
    rig.recorder.decide([BEGINS, opened(1)], "")
    rig.durable()
    rig.recorder.decide([e.GateOpened(GROUP, "publish", 1, 0)], "")  # type: ignore[arg-type]
    assert rig.recorder.touches(GROUP)
    assert not rig.recorder.touches(Subject(2))
    rig.writer.catch_up()
    rig.durable()
    assert rig.recorder.touches(GROUP), "of the second transaction"
    rig.writer.catch_up()
    rig.durable()
    assert not rig.recorder.touches(GROUP)


def test_what_follows_from_nothing_waits_for_what_was_decided_before() -> None:
    rig = Rig()
    rig.recorder.decide([BEGINS], "first")
    rig.recorder.decide([], "and then")
    assert rig.durable() == []
    rig.writer.catch_up()
    assert rig.durable() == ["first", "and then"]
    rig.recorder.decide([], "at once")
    assert rig.durable() == ["at once"]
    assert len(rig.disk.transactions) == 1


def test_a_full_disk_is_tried_again_now_and_then_and_nothing_is_lost() -> None:
    rig = Rig()
    rig.disk.full = True
    rig.recorder.decide([BEGINS], "first")
    rig.durable()
    rig.recorder.decide([opened(1)], "second")
    rig.writer.catch_up()
    assert rig.durable() == []
    assert rig.recorder.patience(rig.clock.monotonic(), 60.0) == AGAIN
    rig.disk.full = False
    rig.writer.catch_up()
    assert rig.durable() == [], "not yet: it is not asked all the time"
    rig.clock.move(AGAIN)
    assert rig.durable() == []
    rig.writer.catch_up()
    assert rig.durable() == ["first", "second"]
    assert rig.recorder.full is None
    assert rig.disk.transactions == [[BEGINS, opened(1)]]


def test_whoever_was_replaced_is_told_so_and_nothing_follows() -> None:
    rig = Rig()
    rig.disk.claim(RUN, "another")
    rig.recorder.decide([BEGINS], "first")
    rig.durable()
    rig.writer.catch_up()
    with pytest.raises(StaleFenceError):
        rig.durable()
    assert rig.seen == []
