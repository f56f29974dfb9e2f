"""The loop: reports in, decisions recorded, orders out.

One turn: take in what the pool reported, let the scheduler decide, make its decisions durable in
one commit, and only then execute what follows from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from imagelane.model.events import Event, RunResumed, RunStarted, subject_of
from imagelane.model.ids import RunId
from imagelane.model.outcome import Failure, Outcome
from imagelane.model.plan import PhysicalPlan
from imagelane.model.run import RunState, evolve
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass, RunStatus, Scope
from imagelane.model.work import Order, OrderDone, Report, StageReport
from imagelane.ports.clock import Clock
from imagelane.ports.journal import Claimed, Journal
from imagelane.ports.observer import Observer, Pulse
from imagelane.ports.pool import Pool
from imagelane.ports.source import Source
from imagelane.record.members import write_members
from imagelane.record.recorder import Recorder
from imagelane.schedule.scheduler import Scheduler

PULSE = 0.125
"""Seconds between two looks of the observers, and the longest that a pause goes unnoticed."""

Promote = Callable[[Order], Outcome]
"""Executes a coordinator's stage on a group or the run; ``order.members`` is its members file."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What an engine is composed of: one adapter for each port.

    ``scratch`` is a folder of the run's own, for members files. ``draw`` gives random numbers in
    [0, 1). ``beginning`` is the event with which this coordinator enters the record. ``promoter``
    executes promotions, one after the other: a thread of its own, if none is given.
    """

    run: RunId
    plan: PhysicalPlan
    claimed: Claimed
    journal: Journal
    source: Source
    pool: Pool
    promote: Promote
    clock: Clock
    observers: Sequence[Observer]
    scratch: Path
    draw: Callable[[], float]
    beginning: RunStarted | RunResumed
    promoter: Executor | None = None


class Engine:
    """Executes one run, from its state to where it stands still."""

    def __init__(self, parts: Parts, state: RunState) -> None:
        self._parts = parts
        self._state = evolve(state, parts.beginning)
        self._scheduler = Scheduler(parts.plan, state, parts.draw)
        self._recorder = Recorder(parts.journal, parts.claimed, parts.clock, parts.observers)
        self._promotions: dict[Future[StageReport], int] = {}
        self._promoter = parts.promoter or ThreadPoolExecutor(1, "promote")
        self._began = parts.clock.monotonic()
        self._pulsed = 0.0

    @property
    def state(self) -> RunState:
        """The run as it stands."""
        return self._state

    def pause(self, reason: str) -> None:
        """Begin nothing more, finish what is in flight, stand still. Safe in a signal handler."""
        self._scheduler.stop(RunStatus.PAUSED, reason)
        self._parts.pool.wake()

    def execute(self) -> RunState:
        """Run until everything is settled, or the run is paused or halted.

        Raises:
            StaleFenceError: another coordinator took the run over; its record is untouched.
            JournalError: what happened cannot be recorded any more, so nothing more is begun.
        """
        parts, scheduler = self._parts, self._scheduler
        expected = parts.source.count()
        for observer in parts.observers:
            observer.opened(parts.plan, parts.run, expected)
        self._recorder.record([parts.beginning, *scheduler.take_events()])
        parts.pool.open(parts.plan)
        kill = True
        try:
            items = None if self._state.exhausted else parts.source.items(self._state.received)
            while True:
                while items is not None and scheduler.admits():
                    item = next(items, None)
                    if item is None:
                        items = None
                        scheduler.source_ended()
                    else:
                        scheduler.admit(item, parts.clock.now())
                now = parts.clock.monotonic()
                scheduler.tick(now, parts.clock.now())
                for number in scheduler.grants():
                    parts.pool.grant(number)
                orders = scheduler.dispatch(now)
                scheduler.settle()
                events = scheduler.take_events()
                waiting = self._submit_known(orders, events)
                # What was decided is durable before anything is done because of it.
                self._recorder.record(events)
                if self._state.status is not RunStatus.RUNNING:
                    break
                for order in waiting:
                    self._submit(order)
                self._pulse(now, expected)
                for report in self._reports(now):
                    scheduler.report(report, parts.clock.monotonic())
            kill = False
        finally:
            self._promoter.shutdown(wait=not kill, cancel_futures=True)
            parts.pool.close(kill=kill)
            for observer in parts.observers:
                observer.closed(self._state)
        return self._state

    def _submit_known(self, orders: Sequence[Order], events: Sequence[Event]) -> list[Order]:
        """Submit the orders for images of which everything is durable already, so that no worker
        waits for the disk; gives back the others."""
        touched = {subject_of(event) for event in events}
        waiting = []
        for order in orders:
            if order.subject.scope is Scope.IMAGE and order.subject not in touched:
                self._submit(order)
            else:
                waiting.append(order)
        return waiting

    def _submit(self, order: Order) -> None:
        place = self._parts.plan.segments[order.segment].place
        if order.subject.scope is not Scope.IMAGE:
            order = replace(order, members=str(self._members(order)))
        if place is Place.COORDINATOR:
            promotion = self._promoter.submit(self._promote, order)
            self._promotions[promotion] = order.number
            promotion.add_done_callback(lambda _: self._parts.pool.wake())
        else:
            self._parts.pool.submit(order)

    def _members(self, order: Order) -> Path:
        journal, run = self._parts.journal, self._parts.run
        groups = (
            [(order.subject.group, order.group_name)]
            if order.subject.scope is Scope.GROUP
            else ((row.group, row.name) for row in journal.groups(run))
        )
        target = self._parts.scratch / f"members-{order.subject}.jsonl"
        return write_members(journal, run, groups, target)

    def _promote(self, order: Order) -> StageReport:
        started = time.monotonic()
        outcome: Outcome
        try:
            outcome = self._parts.promote(order)
        except OSError as error:
            outcome = Failure(ErrorClass.TRANSIENT, f"cannot publish: {error}")
        return StageReport(
            order.number,
            order.stages[0],
            outcome,
            started,
            time.monotonic(),
            worker="coordinator",
        )

    def _reports(self, now: float) -> list[Report]:
        finished = [future for future in self._promotions if future.done()]
        reports: list[Report] = []
        for future in finished:
            number = self._promotions.pop(future)
            reports += [future.result(), OrderDone(number)]
        reports += self._parts.pool.poll(0.0 if finished else self._patience(now))
        return reports

    def _patience(self, now: float) -> float:
        """Seconds for which there is nothing to do but wait for a report."""
        patience = PULSE
        retry, gate = self._scheduler.wake_at()
        if retry is not None:
            patience = min(patience, max(0.0, retry - now))
        if gate is not None:
            patience = min(patience, max(0.0, gate - self._parts.clock.now()))
        return patience

    def _pulse(self, now: float, expected: tuple[int, int]) -> None:
        if now - self._pulsed < PULSE:
            return
        self._pulsed = now
        pulse = Pulse(
            self._scheduler.orders.queued(),
            self._scheduler.orders.running(),
            expected,
            now - self._began,
        )
        for observer in self._parts.observers:
            observer.pulse(self._state, pulse)
