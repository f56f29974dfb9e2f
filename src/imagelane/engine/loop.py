"""The loop: reports in, decisions recorded, orders out.

One turn: take in what the pool reported, let the scheduler decide, make its decisions durable in
one commit, and only then execute what follows from them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from imagelane.engine.asked import Asked
from imagelane.engine.parts import PULSE, Parts
from imagelane.engine.waits import Waits
from imagelane.model.events import Event, subject_of
from imagelane.model.obstacle import ObstacleKind, obstacle_of
from imagelane.model.outcome import Failure, Outcome
from imagelane.model.run import RunState, evolve
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass, RunStatus, Scope
from imagelane.model.work import Claim, Order, OrderDone, Report, StageReport
from imagelane.ports.journal import (
    JournalError,
    JournalFullError,
    StaleFenceError,
)
from imagelane.ports.observer import Pulse
from imagelane.ports.publisher import PublishError
from imagelane.ports.source import SourceItem
from imagelane.record.deliveries import Deliveries
from imagelane.record.members import write_members
from imagelane.record.origin import origin_of
from imagelane.record.recorder import Recorder
from imagelane.schedule.flight import compose
from imagelane.schedule.obstacles import FIRST_REMAKE, GiveBack, Obstacles, Remake
from imagelane.schedule.overtaken import may_go_live
from imagelane.schedule.scheduler import Scheduler

LAST_WORDS = 15.0
"""Seconds that alerts may take when the run stands still. What is not delivered by then is when the
run is taken up."""


class Engine:
    """Executes one run, from its state to where it stands still."""

    def __init__(self, parts: Parts, state: RunState) -> None:
        self._parts = parts
        # Before the scheduler decides anything: what it gives up it lets go of.
        self._overtaken = tuple(may_go_live(state, parts.plan.logical.stages))
        self._state = evolve(state, parts.beginning)
        images, _ = parts.source.count()
        self._scheduler = Scheduler(parts.plan, state, parts.draw, images)
        self._recorder = Recorder(
            parts.journal, parts.claimed, parts.clock, parts.observers, parts.fault
        )
        self._deliveries = Deliveries(
            parts.run, parts.plan.logical.name, parts.notifiers, parts.clock.now, parts.pool.wake
        )
        self._obstacles = Obstacles()
        self._waits = Waits()
        self._heard: list[Report] = []
        self._promotions: dict[Future[StageReport], int] = {}
        self._promoter = parts.promoter or ThreadPoolExecutor(1, "promote")
        self._asked = Asked(parts, self._scheduler)
        self._began = parts.clock.monotonic()
        self._began_at = parts.clock.now()
        self._pulsed = 0.0
        self._waiting = ""
        self._pausing = False
        self._looked = float("-inf")

    @property
    def state(self) -> RunState:
        """The run as it stands."""
        return self._state

    def pause(self, reason: str) -> None:
        """Begin nothing more, finish what is in flight, stand still. Safe in a signal handler."""
        self._pausing = True
        self._scheduler.stop(RunStatus.PAUSED, reason)
        self._parts.pool.wake()

    def execute(self) -> RunState:
        """Run until everything is settled, or the run is paused or halted.

        Raises:
            StaleFenceError: another coordinator took the run over; its record is untouched.
            PublishError: an earlier coordinator cannot be kept from publishing, so nothing is
                begun.
            JournalError: what happened cannot be recorded any more, so nothing more is begun.
        """
        parts, scheduler = self._parts, self._scheduler
        expected = parts.source.count()
        for observer in parts.observers:
            observer.opened(parts.plan, parts.run, expected)
        parts.pool.open(parts.plan)
        kill = True
        try:
            self._take_over(expected)
            self._record([parts.beginning, *scheduler.take_events()], expected)
            self._deliveries.take_up(self._state)
            items = None if self._state.exhausted else parts.source.items(self._state.received)
            while True:
                felt = self._feel_memory(parts.clock.monotonic())
                felt += self._waits.over(parts.clock.monotonic())
                items = self._admit(items)
                now = parts.clock.monotonic()
                self._asked.listen(now)
                early = self._reopen(now, expected)
                scheduler.tick(now, self._wall(now))
                for number in scheduler.grants():
                    parts.pool.grant(number)
                self._look_at_obstacles(now)
                orders = [] if self._waiting else scheduler.dispatch(now)
                scheduler.settle()
                events = [*felt, *scheduler.take_events(), *self._delivered()]
                waiting = self._submit_known(orders, events)
                # What was decided is durable before anything is done because of it.
                self._record(events, expected)
                self._asked.answer()
                self._deliveries.deliver([*early, *events])
                if self._state.status is not RunStatus.RUNNING:
                    break
                parts.fault("submit: before")
                for order in waiting:
                    self._submit(order)
                parts.fault("submit: after")
                self._pulse(now, expected)
                for report in self._reports(now):
                    self._take(report, parts.clock.monotonic())
            self._deliver_the_rest()
            kill = False
        finally:
            self._promoter.shutdown(wait=not kill, cancel_futures=True)
            parts.pool.close(kill=kill)
            self._deliveries.close()
            for observer in parts.observers:
                observer.closed(self._state)
        return self._state

    def _admit(self, items: Iterator[SourceItem] | None) -> Iterator[SourceItem] | None:
        """Take in what the window has a place for; None once the source has no more."""
        while items is not None and self._scheduler.admits() and not self._waiting:
            item = next(items, None)
            if item is None:
                self._scheduler.source_ended()
                return None
            self._scheduler.admit(item, self._wall(self._parts.clock.monotonic()))
        return items

    def _reopen(self, now: float, expected: tuple[int, int]) -> list[Event]:
        """Take up again what there is room for; gives what was recorded meanwhile."""
        recorded: list[Event] = []
        while not self._waiting and (first := self._asked.next(now)) is not None:
            if self._scheduler.unrecorded(first.group):
                # It is taken up as the record has it, so what is known of it must be there.
                recorded += (events := self._scheduler.take_events())
                self._record(events, expected)
            if not self._asked.take_up(now, first.events()):
                break
        return recorded

    def _delivered(self, patience: float = 0.0) -> list[Event]:
        """What became of alerts, applied to the state."""
        settled = self._deliveries.settled(patience)
        for event in settled:
            evolve(self._state, event)
        return list(settled)

    def _deliver_the_rest(self) -> None:
        """The run stands still and is recorded so: whatever happens to its alerts, or to the record
        of its waits, cannot hurt it any more."""
        ends = time.monotonic() + LAST_WORDS
        now = self._parts.clock.monotonic()
        with suppress(JournalError, StaleFenceError):
            self._recorder.record(self._waits.over(now, all_of_them=True))
            while self._deliveries.pending and (left := ends - time.monotonic()) > 0:
                self._recorder.record(self._delivered(left))

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
            try:
                order = replace(order, members=str(self._members(order)))
            except OSError as error:
                obstacle = obstacle_of(error, self._parts.scratch)
                if obstacle is None:
                    raise
                self._obstacles.met(obstacle, self._parts.clock.monotonic())
                self._scheduler.give_back(order.number)
                return
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
        return write_members(journal, run, groups, target, self._parts.fault)

    def _promote(self, order: Order) -> StageReport:
        started = time.monotonic()
        outcome: Outcome
        try:
            outcome = self._parts.promote(order)
            self._parts.fault("promote: unrecorded")
        except OSError as error:
            obstacle = obstacle_of(error, error.filename or self._parts.scratch)
            outcome = Failure(ErrorClass.TRANSIENT, f"cannot publish: {error}", obstacle=obstacle)
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
        heard, self._heard = self._heard, []
        reports += heard
        reports += self._parts.pool.poll(0.0 if reports else self._patience(now))
        return reports

    # What stands in the way

    def _take_over(self, expected: tuple[int, int]) -> None:
        """Keep earlier coordinators from publishing, which may not know yet that they are replaced.
        Before anything is recorded, so that what is recorded of a group's end stays true."""
        for subject, stage in self._overtaken:
            while True:
                try:
                    self._parts.take_over(subject, stage)
                except PublishError as error:
                    full = error.obstacle is not None and error.obstacle.kind is ObstacleKind.FULL
                    if self._pausing or self._asked.stops or not full:
                        raise
                    self._wait(f"{error}: nothing is begun", expected)
                else:
                    break

    def _wait(self, why: str, expected: tuple[int, int]) -> None:
        """Wait a moment, before anything else can be done but to hear that it should stop."""
        now = self._parts.clock.monotonic()
        self._waiting = why
        self._asked.listen(now)
        self._pulse(now, expected)
        # What workers say meanwhile is heard, so that they are not kept waiting.
        self._heard += self._parts.pool.poll(4 * PULSE)

    def _record(self, events: Sequence[Event], expected: tuple[int, int]) -> None:
        """Make events durable; wait while the journal's disk is full."""
        while True:
            try:
                self._recorder.record(events)
            except JournalFullError as error:
                if self._pausing or self._asked.stops:
                    raise
                self._waits.note([(error.folder, 0)], self._parts.clock.monotonic())
                self._wait(f"{self._no_room(error.folder)}: nothing can be recorded", expected)
            else:
                return

    def _take(self, report: Report, now: float) -> None:
        """Let the scheduler hear a report, unless something stood in the attempt's way."""
        if isinstance(report, Claim) and report.order >= FIRST_REMAKE:
            self._parts.pool.grant(report.order)
            return
        decided = deque(self._obstacles.take(report, now))
        while decided:
            match decided.popleft():
                case GiveBack(number):
                    self._scheduler.give_back(number)
                case Remake() as remake:
                    if not self._remake(remake):
                        decided.extend(self._obstacles.hopeless(remake))
                case passed:
                    self._scheduler.report(passed, now)

    def _remake(self, remake: Remake) -> bool:
        """Have what was damaged made again, without recording it: it is recorded. False where
        nobody knows how."""
        parts = self._parts
        flight = self._scheduler.orders.flights.get(remake.wanted_by)
        if flight is None:
            return False
        origin = origin_of(parts.journal, parts.run, flight.order.subject, remake.digest)
        if origin is None:
            return False
        segment = next(one for one in parts.plan.segments if origin.stage in one.stages)
        order = compose(
            remake.order,
            plan=parts.plan,
            state=origin.state,
            stages={stage.name: stage for stage in parts.plan.logical.stages},
            subject=origin.subject,
            segment=segment,
            chosen=(origin.stage,),
        )
        self._submit(order)
        return True

    def _look_at_obstacles(self, now: float) -> None:
        self._obstacles.look(now, self._parts.free)
        self._waits.note(((one.where, one.needed) for one in self._obstacles.full()), now)
        self._waiting = "; ".join(
            self._no_room(one.where, one.needed) for one in self._obstacles.full()
        )
        if self._obstacles.unwritable is not None:
            folder = self._obstacles.unwritable.where
            self._scheduler.stop(
                RunStatus.PAUSED,
                f"nothing can be written to {folder}: make it writable, then run the same command",
            )

    def _no_room(self, folder: str, needed: int = 0) -> str:
        wanted = f"{needed:,} bytes are needed and " if needed else ""
        return f"no room on the disk of {folder}: {wanted}{self._parts.free(folder):,} are free"

    def _patience(self, now: float) -> float:
        """Seconds for which there is nothing to do but wait for a report."""
        patience = PULSE
        patience = min(patience, self._asked.patience(now))
        retry, gate = self._scheduler.wake_at()
        if retry is not None:
            patience = min(patience, max(0.0, retry - now))
        if gate is not None:
            patience = min(patience, max(0.0, gate - self._wall(now)))
        return patience

    def _wall(self, now: float) -> float:
        """Wall-clock time as it was when this coordinator began, and went on evenly since: whoever
        sets the clock meanwhile ends no gate's waiting."""
        return self._began_at + now - self._began

    def _feel_memory(self, now: float) -> list[Event]:
        """Let what the machine has left bound what is begun, and say so where that changes."""
        memory = self._parts.memory
        if memory is None or now - self._looked < PULSE:
            return []
        self._looked = now
        room = memory.room()
        events = [] if room is None else self._scheduler.orders.feel(room)
        if self._scheduler.orders.pressure.short:
            self._parts.pool.shed()
        return events

    def _pulse(self, now: float, expected: tuple[int, int]) -> None:
        if now - self._pulsed < PULSE:
            return
        self._pulsed = now
        pulse = Pulse(
            self._scheduler.orders.queued(),
            self._scheduler.orders.running(),
            expected,
            now - self._began,
            self._waiting,
            self._scheduler.orders.pressure.short,
        )
        for observer in self._parts.observers:
            observer.pulse(self._state, pulse)
