"""A pool without workers: what each attempt does is made up, and time passes on a fake clock."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from imagelane.model.outcome import Failure
from imagelane.model.plan import PhysicalPlan
from imagelane.model.work import Order, OrderDone, Report, StageReport
from imagelane.testing.clock import FakeClock
from imagelane.testing.simulation import Behaviour


class ScriptedPool:
    """Fulfils the pool port in simulated time. ``submitted`` keeps every order, as it came."""

    def __init__(self, behaviour: Behaviour, clock: FakeClock) -> None:
        self._behaviour = behaviour
        self._clock = clock
        self._due: list[tuple[float, int, Report]] = []
        self._serial = 0
        self.submitted: list[Order] = []
        self.granted: list[int] = []
        self.closed: list[bool] = []
        self.shed_at: list[float] = []

    def open(self, plan: PhysicalPlan) -> None:
        self._plan = plan

    def submit(self, order: Order) -> None:
        self.submitted.append(order)
        at = self._clock.monotonic()
        failed: set[str] = set()
        for stage, attempt in zip(order.stages, order.attempts, strict=True):
            if failed.intersection(self._plan.logical.stage(stage).needs):
                failed.add(stage)
                continue
            does = self._behaviour(stage, order.subject, attempt)
            started, at = at, at + does.seconds
            if isinstance(does.outcome, Failure):
                failed.add(stage)
            self._later(at, StageReport(order.number, stage, does.outcome, started, at))
        self._later(at, OrderDone(order.number))

    def grant(self, order: int) -> None:
        self.granted.append(order)

    def poll(self, timeout: float) -> Sequence[Report]:
        now = self._clock.monotonic()
        until = min([now + timeout, *(due for due, _, _ in self._due[:1])])
        self._clock.move(max(0.0, until - now))
        reports = []
        while self._due and self._due[0][0] <= self._clock.monotonic():
            reports.append(heapq.heappop(self._due)[2])
        return reports

    def wake(self) -> None:
        """Nothing waits in real time here."""

    def shed(self) -> None:
        self.shed_at.append(self._clock.monotonic())

    def close(self, *, kill: bool = False) -> None:
        self.closed.append(kill)

    def _later(self, due: float, report: Report) -> None:
        self._serial += 1
        heapq.heappush(self._due, (due, self._serial, report))
