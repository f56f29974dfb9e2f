"""Workers of one kind: hired when orders wait, sent away when they are worn or stuck."""

from __future__ import annotations

import errno
import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from imagelane.adapters.pools.child import WORKER, Child
from imagelane.adapters.pools.reserve import Reserve
from imagelane.adapters.pools.switchboard import Switchboard
from imagelane.execute.failures import one_line
from imagelane.execute.message import Opening, Stop, encode
from imagelane.execute.progress import Progress
from imagelane.model.outcome import Failure
from imagelane.model.spec import Place
from imagelane.model.work import Order, StageReport

START = 60.0
"""Seconds that a worker has to become ready."""

_LEAVE = 5.0
"""Seconds that an idle worker has to exit once it was told to."""

_HOPELESS_STARTS = 3
"""Starts that fail one after the other before the crew gives up."""

_UNLUCKY_STARTS = 10
"""The same where the machine is only short of something, or somebody killed them. With the pauses
between them, about half a minute."""

_SHORT_OF = frozenset({errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@dataclass(slots=True, eq=False)
class Dispatch:
    """An order in a worker's hands. Times are seconds of the monotonic clock.

    ``began``, ``timeout`` and ``deadline`` are those of the stage that is running. While it waits
    for memory its time stands still, and ``left`` seconds of it remain.
    """

    order: Order
    progress: Progress
    began: float = 0.0
    timeout: float = math.inf
    deadline: float = math.inf
    left: float = math.inf
    reported: bool = False

    def failed(self, failure: Failure, worker: str) -> StageReport | None:
        """The report of the stage that is running as failed; None where none is."""
        stage, now = self.progress.stage, time.monotonic()
        if stage is None:
            return None
        began = self.began or now
        return StageReport(self.order.number, stage, failure, began, now, worker=worker)


@dataclass(slots=True, eq=False)
class Worker:
    """A worker process and what it has in hand.

    ``until`` is when it must be ready, or gone. ``leaving`` ones take no new orders. ``stuck``
    means that a thread in it may never come back. ``dropped`` are orders whose answers nobody
    waits for any more.
    """

    child: Child
    crew: Crew
    slot: int
    born: float
    until: float
    ready: bool = False
    leaving: bool = False
    stuck: bool = False
    served: int = 0
    running: dict[int, Dispatch] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Terms:
    """What every worker of a crew is hired on. Those in ``reserve`` are taken first."""

    folder: Path
    environment: dict[str, str]
    opening: Opening
    reserve: Reserve | None = None
    worker: str = WORKER


class Crew:
    """Up to ``size`` workers that do up to ``capacity`` orders each at one moment.

    ``members`` are those that take orders, or will once they are ready; ``free`` those of them that
    have room now; ``trouble`` is why there can be none.
    """

    def __init__(
        self, letter: str, place: Place, board: Switchboard[Worker], *, capacity: int, size: int
    ) -> None:
        self.place = place
        self.size = size
        self.queue: deque[Order] = deque()
        self.members: list[Worker] = []
        self.free: dict[Worker, None] = {}
        self.trouble = ""
        self._letter = letter
        self._board = board
        self._capacity = capacity
        self._failed_starts = 0
        self._hire_after = 0.0

    def open(self, terms: Terms) -> None:
        """Say what workers are hired on, before the first order comes."""
        self._terms = terms
        self._told = encode(terms.opening)

    def assignments(self) -> Iterator[tuple[Worker, Order]]:
        """Waiting orders, each with a worker that has room for it."""
        while self.queue and self.free:
            yield next(iter(self.free)), self.queue.popleft()

    def took(self, worker: Worker, dispatch: Dispatch) -> None:
        """The worker has one more order in hand."""
        worker.running[dispatch.order.number] = dispatch
        if len(worker.running) >= self._capacity:
            del self.free[worker]

    def hire(self, expected: int = 0) -> None:
        """Start as many workers as the waiting orders call for, side by side; or as many as
        ``expected`` orders will."""
        now = time.monotonic()
        called_for = max(len(self.queue), expected)
        if not called_for:
            return
        if now < self._hire_after:
            self._board.look_by(self._hire_after)
            return
        starting = sum(not worker.ready for worker in self.members)
        unserved = called_for - starting * self._capacity
        wanted = min(-(-unserved // self._capacity), self.size - len(self.members))
        for _ in range(wanted):
            taken = {worker.slot for worker in self.members}
            slot = next(number for number in count(1) if number not in taken)
            try:
                child = self._new_child(f"{self._letter}{slot}")
            except OSError as error:
                self.start_failed(str(error), hopeless=error.errno not in _SHORT_OF)
                return
            worker = Worker(child, self, slot, born=now, until=now + START)
            self.members.append(worker)
            self._board.add(worker, child)
            self._board.say(child, self._told)
            self._board.look_by(worker.until)

    def _new_child(self, slot: str) -> Child:
        terms = self._terms
        waiting = terms.reserve.take(self.place, terms.folder) if terms.reserve else None
        return waiting or Child(slot, self.place, terms.folder, terms.environment, terms.worker)

    def started(self, worker: Worker) -> None:
        """It is ready: it takes orders."""
        worker.ready = True
        worker.until = math.inf
        self.free[worker] = None
        self._failed_starts = 0
        self.trouble = ""

    def start_failed(self, reason: str, *, hopeless: bool) -> None:
        """One that was to be hired never got ready. Others are tried, each after a longer pause."""
        self._failed_starts += 1
        self._hire_after = time.monotonic() + 0.1 * 2 ** min(self._failed_starts, 6)
        self._board.look_by(self._hire_after)
        enough = _HOPELESS_STARTS if hopeless else _UNLUCKY_STARTS
        if self._failed_starts >= enough and not any(one.ready for one in self.members):
            self.trouble = (
                f"no worker process can be started: {one_line(reason)}; "
                "'imagelane doctor' says what this machine lacks"
            )

    def retire(self, worker: Worker) -> None:
        """It takes no new orders, and goes once it has none in hand."""
        worker.leaving = True
        self._strike(worker)
        if worker.running:
            return
        if worker.stuck:
            self.remove(worker)
        else:
            worker.until = time.monotonic() + _LEAVE
            self._board.look_by(worker.until)
            self._board.say(worker.child, encode(Stop()))

    def remove(self, worker: Worker) -> None:
        """It is gone: end what is left of it."""
        self._strike(worker)
        worker.child.kill()
        self._board.remove(worker, worker.child)

    def _strike(self, worker: Worker) -> None:
        if worker in self.members:
            self.members.remove(worker)
        self.free.pop(worker, None)
