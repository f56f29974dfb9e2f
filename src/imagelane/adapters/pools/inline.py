"""No workers: orders are executed in this very process, one after the other."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from imagelane.adapters.pools.opening import opening
from imagelane.model.plan import PhysicalPlan
from imagelane.model.work import Order, OrderDone, Report, StageReport


class InlinePool:
    """For stepping through a stage with a debugger, and for seeing what it prints.

    This is the one place outside a worker where libvips is loaded, when the pool is opened. So a
    process that has used it must never fork, and has no other pool beside it. Nothing is contained
    here: no timeout is enforced, a crash ends the run (which can be resumed), and a stage sees
    everything that this process sees. Claims are granted at once, because there is only one.
    """

    def __init__(self, artifacts: Path, scratch: Path, folder: Path) -> None:
        self._folders = (artifacts, scratch, folder)
        self._queue: deque[Order] = deque()
        self._number = 0
        self._stages: Iterator[StageReport] | None = None
        self._done: list[Report] = []
        self._bell = threading.Event()
        self._name = f"inline-{os.getpid()}"

    def open(self, plan: PhysicalPlan) -> None:
        from imagelane.execute import segment  # noqa: PLC0415 - loads libvips

        self._execute = segment.execute
        self._opening = opening(plan, *self._folders)

    def submit(self, order: Order) -> None:
        self._queue.append(order)

    def grant(self, order: int) -> None:
        """Nothing waits here."""

    def poll(self, timeout: float) -> Sequence[Report]:
        """Execute one stage, and report it."""
        if self._done:
            reports, self._done = self._done, []
            return reports
        if self._stages is None and self._queue:
            order = self._queue.popleft()
            self._number = order.number
            self._stages = self._execute(order, self._opening, lambda _: None)
        if self._stages is None:
            # Nothing can come, but whoever asks wants to be kept waiting, not to go in circles.
            self._bell.wait(timeout)
            self._bell.clear()
            return []
        report = next(self._stages, None)
        if report is not None:
            return [replace(report, worker=self._name)]
        self._stages = None
        return [OrderDone(self._number)]

    def wake(self) -> None:
        self._bell.set()

    def shed(self) -> None:
        """Nothing is held between two orders."""

    def close(self, *, kill: bool = False) -> None:  # noqa: ARG002 - nothing runs by now
        """Orders that were not begun are done, without a report; so is one between two stages."""
        if self._stages is not None:
            self._stages = None
            self._done.append(OrderDone(self._number))
        self._done += [OrderDone(order.number) for order in self._queue]
        self._queue.clear()
