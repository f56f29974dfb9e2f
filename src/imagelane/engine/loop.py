"""The loop: reports in, decisions recorded, orders out.

One turn: take in what the pool reported, let the scheduler decide, and hand its decisions to the
journal. What follows from them is executed once they are durable; meanwhile the loop goes on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from imagelane.engine.asked import Asked
from imagelane.engine.parts import PULSE, Parts
from imagelane.engine.promotions import Promotions, with_members
from imagelane.engine.waits import Waits
from imagelane.model.events import Event, subject_of
from imagelane.model.obstacle import ObstacleKind, obstacle_of
from imagelane.model.run import RunState, evolve
from imagelane.model.spec import Place
from imagelane.model.states import RunStatus, Scope
from imagelane.model.work import Claim, Order, Report
from imagelane.ports.journal import JournalError, StaleFenceError
from imagelane.ports.observer import Pulse
from imagelane.ports.publisher import PublishError
from imagelane.ports.requests import Ticket
from imagelane.ports.source import SourceItem
from imagelane.record.deliveries import Deliveries
from imagelane.record.origin import origin_of
from imagelane.record.recorder import Recorder
from imagelane.schedule.flight import compose
from imagelane.schedule.obstacles import FIRST_REMAKE, GiveBack, Obstacles, Remake
from imagelane.schedule.overtaken import may_go_live
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
        # Before the scheduler decides anything: what it gives up it lets go of.
        self._overtaken = tuple(may_go_live(state, parts.plan.logical.stages))
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
        self._waits = Waits()
        self._heard: list[Report] = []
        self._promotions = Promotions(parts)
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
            self._decide([parts.beginning, *scheduler.take_events()])
            # Whoever cannot record that it has the run begins nothing in it.
            self._write_out(expected)
            self._deliveries.take_up(self._state)
            items = None if self._state.exhausted else parts.source.items(self._state.received)
            while True:
                self._carry_on()
                felt = self._feel_memory(parts.clock.monotonic())
                felt += self._waits.over(parts.clock.monotonic())
                self._look_at_obstacles(parts.clock.monotonic())
                items = self._admit(items)
                now = parts.clock.monotonic()
                self._asked.listen(now)
                self._reopen(now, expected)
                scheduler.tick(now, self._wall(now))
                for number in scheduler.grants():
                    parts.pool.grant(number)
                orders = [] if self._waiting else scheduler.dispatch(now)
                scheduler.settle()
                events = [*felt, *scheduler.take_events(), *self._delivered()]
                waiting = self._submit_known(orders, events)
                self._decide(events, waiting)
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
            self._promotions.close(kill=kill)
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

    def _reopen(self, now: float, expected: tuple[int, int]) -> None:
        """Take up again what there is room for."""
        while not self._waiting and (first := self._asked.next(now)) is not None:
            known = self._recorder.touches_group(first.group)
            if known or self._scheduler.unrecorded(first.group):
                # It is taken up as the record has it, so what is known of it must be there.
                self._decide(self._scheduler.take_events())
                self._write_out(expected)
            if not self._asked.take_up(now, first.events()):
                break

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
            self._decide(self._waits.over(now, all_of_them=True))
            self._carry_on()
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
                order = with_members(order, self._parts)
            except OSError as error:
                obstacle = obstacle_of(error, self._parts.scratch)
                if obstacle is None:
                    raise
                self._obstacles.met(obstacle, self._parts.clock.monotonic())
                self._scheduler.give_back(order.number)
                return
        if place is Place.COORDINATOR:
            self._promotions.begin(order)
        else:
            self._parts.pool.submit(order)

    def _reports(self, now: float) -> list[Report]:
        heard, self._heard = self._heard, []
        reports = [*self._promotions.reports(), *heard]
        reports += self._parts.pool.poll(0.0 if reports else self._patience(now))
        return reports

    # What is decided, and what follows

    def _decide(self, events: Sequence[Event], orders: Sequence[Order] = ()) -> None:
        heard = self._asked.done()
        if events or orders or heard:
            self._recorder.decide(events, _Follows(orders, heard))

    def _carry_on(self) -> None:
        """Do what follows from decisions that are durable now."""
        if (full := self._recorder.full) is not None and self._scheduler.decided.asked:
            # Not even that can be recorded; it is taken up again from what is.
            raise full
        for decided in self._recorder.durable():
            self._asked.answer(decided.follows.heard)
            self._deliveries.deliver(decided.events)
            if decided.follows.orders:
                self._parts.fault("submit: before")
                for order in decided.follows.orders:
                    if self._scheduler.decided.stopping:
                        self._scheduler.give_back(order.number)
                    else:
                        self._submit(order)
                self._parts.fault("submit: after")

    def _write_out(self, expected: tuple[int, int]) -> None:
        """Wait until everything is durable."""
        self._carry_on()
        while not self._recorder.idle:
            now = self._parts.clock.monotonic()
            if self._recorder.full is not None:
                self._look_at_obstacles(now)
                self._asked.listen(now)
                self._pulse(now, expected)
            self._heard += self._parts.pool.poll(self._recorder.patience(now, PULSE))
            self._carry_on()

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
                    if self._scheduler.decided.asked or not full:
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
        met = [(one.where, one.needed) for one in self._obstacles.full()]
        said = [self._no_room(where, needed) for where, needed in met]
        if (full := self._recorder.full) is not None:
            met.append((full.folder, 0))
            said.append(f"{self._no_room(full.folder)}: nothing can be recorded")
        self._waits.note(met, now)
        self._waiting = "; ".join(said)
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
