"""What goes wrong in a simulated world, and when."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    CRASH_DECIDED = "crash_decided"
    """The coordinator dies with decisions that it has not recorded."""
    CRASH_SUBMITTED = "crash_submitted"
    """... when the orders that need no commit are out, and the commit is not made."""
    CRASH_RECORDED = "crash_recorded"
    """... when its decisions are recorded, and nothing was begun because of them."""
    CRASH_EXECUTED = "crash_executed"
    """... when all is begun, and nothing has come back."""
    PAUSE = "pause"
    """Somebody pauses the run, and takes it up later."""
    RIVAL = "rival"
    """A second coordinator takes the run over, while the first does not know."""
    DISK_FULL = "disk_full"
    """The commit is refused, and nothing of it recorded."""
    DISK_UNKNOWN = "disk_unknown"
    """The commit fails, and is recorded nevertheless."""
    DISK_SLOW = "disk_slow"
    """The commit takes time, in which reports come in."""
    WORKER_DIES = "worker_dies"
    """The worker is killed in the middle of the next order."""
    LOST = "lost"
    """The next order's results are lost; its pool gives it up later."""
    DUPLICATED = "duplicated"
    """The next order's reports come twice, the second ones when it may be done already."""
    REORDERED = "reordered"
    """The next order's reports come in the wrong order."""
    LATE = "late"
    """The next order's reports come late."""
    OVERTAKEN = "overtaken"
    """The next promotion hangs, a second coordinator takes the run over, and then it goes on."""
    DECIDES = "decides"
    """Somebody decides, while the run goes on, on what has failed or waits."""
    REFUSED = "refused"
    """The target refuses the next promotion, for good."""

    def __repr__(self) -> str:
        """As it is written in a test."""
        return f"Kind.{self.name}"


OF_THE_COORDINATOR = frozenset(
    {Kind.CRASH_DECIDED, Kind.CRASH_SUBMITTED, Kind.CRASH_RECORDED, Kind.CRASH_EXECUTED}
)
CHANGE_THE_END = frozenset({Kind.WORKER_DIES, Kind.LOST, Kind.REFUSED, Kind.DECIDES})
"""After these an image may end otherwise than it would have: its attempts may be used up."""


@dataclass(frozen=True, slots=True)
class Fault:
    """It happens at the first opportunity from ``step`` on. ``size`` is in [0, 1): how far into
    the order, how many of ten seconds."""

    kind: Kind
    step: int
    size: float = 0.5

    @property
    def seconds(self) -> float:
        return 10.0 * self.size


class Faults:
    """The faults that are still to come. ``step`` is moved on by the world."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.step = 0
        self._to_come: dict[Kind, deque[Fault]] = {}
        for fault in sorted(faults, key=lambda one: one.step):
            self._to_come.setdefault(fault.kind, deque()).append(fault)

    def strike(self, kind: Kind) -> Fault | None:
        """The fault that happens now, if one does; it happens once."""
        waiting = self._to_come.get(kind)
        if not waiting or waiting[0].step > self.step:
            return None
        if kind is Kind.OVERTAKEN:
            rivals = self._to_come.setdefault(Kind.RIVAL, deque())
            rivals.appendleft(Fault(Kind.RIVAL, self.step))
        return waiting.popleft()
