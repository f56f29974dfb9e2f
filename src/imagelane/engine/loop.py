"""The loop: reports in, decisions recorded, orders out.

One turn: take in what the pool reported, let the scheduler decide, and hand its decisions to the
journal. What follows from them is executed once they are durable; meanwhile the loop goes on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from imagelane.engine.asked import Asked
from imagelane.engine.parts import PULSE, Parts
from imagelane.model.events import Event, subject_of
from imagelane.model.obstacle import obstacle_of
from imagelane.model.outcome import Failure, Outcome
from imagelane.model.run import RunState, evolve
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass, RunStatus, Scope
from imagelane.model.work import Claim, Order, OrderDone, Report, StageReport
from imagelane.ports.journal import JournalError, StaleFenceError
from imagelane.ports.observer import Pulse
from imagelane.ports.requests import Ticket
from imagelane.ports.source import SourceItem
from imagelane.record.deliveries import Deliveries
from imagelane.record.members import write_members
from imagelane.record.origin import origin_of
from imagelane.record.recorder import Recorder
from imagelane.schedule.flight import compose
from imagelane.schedule.obstacles import FIRST_REMAKE, GiveBack, Obstacles, Remake
from imagelane.schedule.scheduler import Scheduler

LAST_WORDS = 15.0
"""Seconds that alerts may take when the run stands still. What is not delivered by then is when the
run is taken up."""


@dataclass(frozen=True, slots=True)
class _Follows:
    """What is done once decisions are durable: orders begin, whoever asked is answered."""

    orders: Sequence[Order] = ()
    heard: Sequence[Ticket] = ()


class Engine:
    """Executes one run, from its state to where it stands still."""

    def __init__(self, parts: Parts, state: RunState) -> None:
        self._parts = parts
        self._state = evolve(state, parts.beginning)
        images, _ = parts.source.count()
        self._scheduler = Scheduler(parts.plan, state, parts.draw, images)
        self._writer = parts.writer or ThreadPoolExecutor(1, "record")
        self._recorder: Recorder[_Follows] = Recorder(
            parts.journal,
            parts.claimed,
            parts.clock,
            parts.observers,
            self._writer,
            parts.pool.wake,
            parts.fault,
        )
        self._deliveries = Deliveries(
            parts.run, parts.plan.logical.name, parts.notifiers, parts.clock.now, parts.pool.wake
        )
        self._obstacles = Obstacles()
        self._heard: list[Report] = []
        self._promotions: dict[Future[StageReport], int] = {}
        self._promoter = parts.promoter or ThreadPoolExecutor(1, "promote")
        self._asked = Asked(parts, self._scheduler)
        self._began = parts.clock.monotonic()
        self._began_at = parts.clock.now()
        self._pulsed = 0.0
        self._waiting = ""
        self._looked = float("-inf")

    @property
    def state(self) -> RunState:
        """The run as it stands."""
        return self._state

    @property
    def caught_up(self) -> bool:
        """Whether the journal holds everything that the state tells."""
        return self._recorder.idle

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
        parts.pool.open(parts.plan)
        kill = True
        try:
            self._decide([parts.beginning, *scheduler.take_events()])
            # Whoever cannot record that it has the run begins nothing in it.
            self._write_out(expected)
            self._deliveries.take_up(self._state)
            items = None if self._state.exhausted else parts.source.items(self._state.received)
            while True:
                self._carry_on()
                felt = self._feel_memory(parts.clock.monotonic())
                self._look_at_obstacles(parts.clock.monotonic())
                items = self._admit(items)
                now = parts.clock.monotonic()
                heard = self._asked.listen(now)
                if not self._waiting:
                    self._asked.take_up(now)
                scheduler.tick(now, self._wall(now))
                for number in scheduler.grants():
                    parts.pool.grant(number)
                orders = [] if self._waiting else scheduler.dispatch(now)
                scheduler.settle()
                events = [*felt, *scheduler.take_events(), *self._delivered()]
                waiting = self._submit_known(orders, events)
                self._decide(events, waiting, heard)
                self._carry_on()
                if self._state.status is not RunStatus.RUNNING:
                    self._write_out(expected)
                    break
                self._pulse(now, expected)
                for report in self._reports(now):
                    self._take(report, parts.clock.monotonic())
            self._deliver_the_rest()
            kill = False
        finally:
            self._promoter.shutdown(wait=not kill, cancel_futures=True)
            parts.pool.close(kill=kill)
            self._deliveries.close()
            self._writer.shutdown(wait=True, cancel_futures=True)
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

    def _delivered(self, patience: float = 0.0) -> list[Event]:
        """What became of alerts, applied to the state."""
        settled = self._deliveries.settled(patience)
        for event in settled:
            evolve(self._state, event)
        return list(settled)

    def _deliver_the_rest(self) -> None:
        """The run stands still and is recorded so: whatever happens to its alerts cannot hurt it
        any more."""
        ends = time.monotonic() + LAST_WORDS
        with suppress(JournalError, StaleFenceError):
            while self._deliveries.pending and (left := ends - time.monotonic()) > 0:
                self._decide(self._delivered(left))
                self._carry_on()
            while not self._recorder.idle and time.monotonic() < ends:
                self._parts.pool.poll(PULSE)
                self._carry_on()

    def _submit_known(self, orders: Sequence[Order], events: Sequence[Event]) -> list[Order]:
        """Submit the orders for images of which everything is durable already, so that no worker
        waits for the disk; gives back the others."""
        touched = {subject_of(event) for event in events}
        waiting = []
        for order in orders:
            subject = order.subject
            known = subject not in touched and not self._recorder.touches(subject)
            if subject.scope is Scope.IMAGE and known:
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

    # What is decided, and what follows

    def _decide(
        self,
        events: Sequence[Event],
        orders: Sequence[Order] = (),
        heard: Sequence[Ticket] = (),
    ) -> None:
        if events or orders or heard:
            self._recorder.decide(events, _Follows(orders, heard))

    def _carry_on(self) -> None:
        """Do what follows from decisions that are durable now."""
        if (full := self._recorder.full) is not None and self._scheduler.asked_to_stop:
            # Not even that can be recorded; it is taken up again from what is.
            raise full
        for decided in self._recorder.durable():
            self._asked.answer(decided.follows.heard)
            self._deliveries.deliver(decided.events)
            if decided.follows.orders:
                self._parts.fault("submit: before")
                for order in decided.follows.orders:
                    if self._scheduler.stopping:
                        self._scheduler.give_back(order.number)
                    else:
                        self._submit(order)
                self._parts.fault("submit: after")

    def _write_out(self, expected: tuple[int, int]) -> None:
        """Wait until everything is durable."""
        while not self._recorder.idle:
            now = self._parts.clock.monotonic()
            if self._recorder.full is not None:
                self._look_at_obstacles(now)
                self._pulse(now, expected)
            self._heard += self._parts.pool.poll(self._recorder.patience(now, PULSE))
            self._carry_on()

    # What stands in the way

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
        met = [self._no_room(one.where, one.needed) for one in self._obstacles.full()]
        if (full := self._recorder.full) is not None:
            met.append(f"{self._no_room(full.folder)}: nothing can be recorded")
        self._waiting = "; ".join(met)
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
        patience = min(self._recorder.patience(now, PULSE), self._asked.patience(now))
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
