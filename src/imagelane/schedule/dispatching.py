"""Orders in flight: what could begin, what may, and the places that it takes until it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping

from imagelane.model.events import Event, MemoryEased, MemoryShort
from imagelane.model.ids import StageName, Subject
from imagelane.model.plan import LogicalStage, PhysicalPlan, Segment
from imagelane.model.run import RunState, SubjectState
from imagelane.model.spec import Place
from imagelane.model.states import Scope
from imagelane.model.work import Order
from imagelane.ports.memory import Room
from imagelane.schedule.breaker import Breakers
from imagelane.schedule.flight import Flight, compose, startable
from imagelane.schedule.lanes import Lanes
from imagelane.schedule.limits import Budget, Semaphores
from imagelane.schedule.pressure import Pressure
from imagelane.schedule.ready import ReadyQueues

_NOT_AN_IMAGE = -1


class Dispatcher:
    """Keeps the limits: an order takes its places when it begins and gives them back when done."""

    def __init__(
        self,
        plan: PhysicalPlan,
        state: RunState,
        stages: Mapping[StageName, LogicalStage],
        lanes: Lanes,
    ) -> None:
        self._plan = plan
        self._state = state
        self._stages = stages
        self._lanes = lanes
        self._segments: dict[Scope, list[Segment]] = {scope: [] for scope in Scope}
        for segment in plan.segments:
            self._segments[segment.scope].append(segment)
        self._semaphores = Semaphores(plan.limits)
        self._ready = ReadyQueues(len(plan.segments))
        self._busy: dict[Subject, set[int]] = {}
        self._not_before: dict[Subject, dict[StageName, float]] = {}
        # What a worker of an earlier coordinator says late, it says of an order that is not here.
        self._orders = state.coordinators << 32
        self._now = 0.0
        self.breakers = Breakers(stages, state.calls)
        self.budget = Budget(plan.decoded_bytes, plan.reservation)
        self.pressure = Pressure(plan.decoded_bytes)
        self.flights: dict[int, Flight] = {}

    def busy(self, subject: Subject) -> bool:
        """Whether an order of the subject is in flight."""
        return subject in self._busy

    def wait(self, subject: Subject, stage: StageName, due: float) -> None:
        """Leave a stage out until ``due``: it waits for its retry, and holds no place meanwhile."""
        self._not_before.setdefault(subject, {})[stage] = due

    def waited(self, subject: Subject, stage: StageName) -> bool:
        """Whether the stage was put off for a retry before."""
        return stage in self._not_before.get(subject, ())

    def consider(
        self,
        subject: Subject,
        record: SubjectState,
        place: tuple[int, int],
        now: float,
        wanted: Container[StageName] | None,
    ) -> None:
        """Queue the subject for each of its segments that can be begun."""
        busy = self._busy.get(subject, ())
        for segment in self._segments[subject.scope]:
            if segment.index not in busy and self._startable(segment, subject, record, now, wanted):
                self._ready.push(segment.index, subject, (*place, segment.index))

    def withdraw(self, subject: Subject) -> None:
        """Take the subject out of all queues."""
        for segment in self._segments[subject.scope]:
            self._ready.discard(segment.index, subject)

    def forget(self, subject: Subject) -> None:
        """The subject is over."""
        self._not_before.pop(subject, None)

    def undo(self, subject: Subject) -> None:
        """What is made of the subject, or is about to be, is of no use any more."""
        self.withdraw(subject)
        self.forget(subject)
        for flight in self.flights.values():
            if flight.order.subject == subject:
                flight.came_back = True

    def begin(self, now: float, wanted: Mapping[Subject, Container[StageName]]) -> Order | None:
        """The order that comes next within all limits, its places taken; None if there is none."""
        self._now = now
        while (picked := self._ready.pop_first(self._may)) is not None:
            index, subject = picked
            segment = self._plan.segments[index]
            record = self._state.of(subject)
            if not self._lanes.turn(subject, self._sequence(subject)):
                # One before it was taken up again since; its turn comes when that one is settled.
                continue
            stages = self._startable(segment, subject, record, now, wanted.get(subject))
            if stages:
                return self._take(segment, subject, stages)
        return None

    def done(self, flight: Flight) -> list[Subject]:
        """Give an order's places back; names the subjects whose turn may have come."""
        order, segment = flight.order, flight.segment
        del self.flights[order.number]
        busy = self._busy[order.subject]
        busy.discard(segment.index)
        if not busy:
            del self._busy[order.subject]
        self._semaphores.give_back(segment.limits)
        self.budget.release(order.number)
        self.breakers.ended(order.stages, order.number)
        return self._lanes.give_back(order.subject, flight.sequence, segment)

    def group_tasks_ready(self) -> int:
        """Groups that are ready for a stage of their own."""
        return sum(
            self._ready.waiting(segment.index)
            for scope in (Scope.GROUP, Scope.RUN)
            for segment in self._segments[scope]
        )

    def feel(self, room: Room) -> list[Event]:
        """Let the budget follow the machine's memory; says so where that became short, or eased."""
        before = self.pressure.short
        self.budget.total = self.pressure.budget(room)
        if self.pressure.short == before:
            return []
        kind = MemoryEased if before else MemoryShort
        return [kind(room.available, room.limit)]

    def queued(self) -> dict[StageName, int]:
        """Subjects that are ready, by stage."""
        return {
            name: self._ready.waiting(segment.index)
            for segment in self._plan.segments
            for name in segment.stages
        }

    def running(self) -> dict[StageName, int]:
        """Stages that are being executed: of each order the first that is not reported yet."""
        at = Counter(flight.at for flight in self.flights.values())
        return {name: at[name] for name in self._stages}

    def _may(self, index: int) -> bool:
        segment = self._plan.segments[index]
        return (
            self._semaphores.available(segment.limits)
            and self._lanes.available(segment)
            and self.breakers.allow(segment.stages, self._now)
            and (segment.place is not Place.PROCESS or self.budget.available())
        )

    def _take(self, segment: Segment, subject: Subject, stages: tuple[StageName, ...]) -> Order:
        self._orders += 1
        order = compose(
            self._orders,
            plan=self._plan,
            state=self._state,
            stages=self._stages,
            subject=subject,
            segment=segment,
            chosen=stages,
        )
        sequence = self._sequence(subject)
        self.flights[order.number] = Flight(order, segment, sequence)
        self._busy.setdefault(subject, set()).add(segment.index)
        self._semaphores.take(segment.limits)
        self._lanes.take(subject, sequence, segment)
        self.breakers.began(order.stages, order.number)
        if segment.place is Place.PROCESS:
            self.budget.reserve(order.number)
        if not self._lanes.turn(subject, sequence):
            self.withdraw(subject)
        return order

    def _sequence(self, subject: Subject) -> int:
        image = self._state.images.get(subject)
        return _NOT_AN_IMAGE if image is None else image.sequence

    def _startable(
        self,
        segment: Segment,
        subject: Subject,
        record: SubjectState,
        now: float,
        wanted: Container[StageName] | None,
    ) -> tuple[StageName, ...]:
        waiting = self._not_before.get(subject)
        later = {name for name, due in waiting.items() if due > now} if waiting else frozenset()
        return startable(segment, record, self._stages, later, wanted)
