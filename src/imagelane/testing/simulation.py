"""A simulated world: the real scheduler and the real fold, under time and workers that are made up.

Time passes only from one event to the next, so a run of hours takes milliseconds, and everything
that happens follows from the seed. The guarantees are checked after every step.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Outcome, Success
from imagelane.model.plan import PhysicalPlan
from imagelane.model.run import RunState, evolve
from imagelane.model.spec import Place
from imagelane.model.states import RunStatus, Scope
from imagelane.model.work import Claim, Order, OrderDone, Report, StageReport
from imagelane.ports.source import SourceItem
from imagelane.schedule.scheduler import Scheduler

EPOCH = 1_800_000_000.0
"""Wall-clock time at the beginning of every simulation."""


@dataclass(frozen=True, slots=True)
class Does:
    """What an attempt does: how long it takes, what comes of it, what it decodes (bytes)."""

    seconds: float
    outcome: Outcome = field(default_factory=Success)
    decodes: int = 0


Behaviour = Callable[[StageName, Subject, int], Does]
"""(stage, subject, attempt) to what the attempt does."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One attempt, as it was executed."""

    stage: StageName
    subject: Subject
    attempt: int
    started: float
    finished: float


class BrokenGuaranteeError(AssertionError):
    """The scheduler did what it promised never to do."""


@dataclass(slots=True)
class World:
    """One run in simulated time."""

    plan: PhysicalPlan
    items: Sequence[SourceItem]
    behaviour: Behaviour
    seed: int = 0
    state: RunState = field(default_factory=RunState)
    events: list[e.Event] = field(default_factory=list)
    executed: list[Interval] = field(default_factory=list)
    now: float = 0.0
    steps: int = 0
    most_in_flight: int = 0
    _due: list[tuple[float, int, Report]] = field(default_factory=list)
    _serial: int = 0
    _running: dict[int, Order] = field(default_factory=dict)
    _waiting: dict[int, tuple[Order, int, float]] = field(default_factory=dict)
    _decoding: dict[int, int] = field(default_factory=dict)
    _opened: set[tuple[int, str]] = field(default_factory=set)

    def run(self, *, until: int | None = None) -> RunState:
        """Run to where the run stands still, or for ``until`` steps.

        Raises:
            BrokenGuaranteeError: a guarantee does not hold; or nothing more happens although the
                run is not settled.
        """
        scheduler = Scheduler(self.plan, self.state, random.Random(self.seed).random)
        self._take(scheduler)
        position = self.state.received
        while until is None or self.steps < until:
            while scheduler.admits():
                if position == len(self.items):
                    scheduler.source_ended()
                else:
                    scheduler.admit(self.items[position], EPOCH + self.now)
                    position += 1
            scheduler.tick(self.now, EPOCH + self.now)
            for number in scheduler.grants():
                self._granted(number)
            orders = scheduler.dispatch(self.now)
            scheduler.settle()
            self._take(scheduler)
            if self.state.status is not RunStatus.RUNNING:
                break
            for order in orders:
                self._begin(order)
            self._check(scheduler)
            self._advance(scheduler)
            self.steps += 1
        return self.state

    def crash(self) -> None:
        """Lose everything but the record: the state becomes the fold of the events so far."""
        self.state = fold(self.events)
        self._due.clear()
        self._running.clear()
        self._waiting.clear()
        self._decoding.clear()

    def _take(self, scheduler: Scheduler) -> None:
        events = scheduler.take_events()
        for event in events:
            if isinstance(event, e.GateOpened):
                self._gate_opened(event)
        self.events += events

    def _gate_opened(self, event: e.GateOpened) -> None:
        # The same gate opens once, whatever arrives together (faults: gate race).
        key = (event.subject.group, event.stage)
        if key in self._opened:
            raise BrokenGuaranteeError(f"gate {key} opened twice")
        self._opened.add(key)

    def _begin(self, order: Order) -> None:
        self._running[order.number] = order
        need = max(
            self.behaviour(stage, order.subject, attempt).decodes
            for stage, attempt in zip(order.stages, order.attempts, strict=True)
        )
        if need > order.reservation and self._place(order) is Place.PROCESS:
            self._waiting[order.number] = (order, need, self.now)
            self._later(0.0, Claim(order.number, need))
        else:
            self._decoding[order.number] = min(need, order.reservation)
            self._execute(order)

    def _granted(self, number: int) -> None:
        order, need, _ = self._waiting.pop(number)
        self._decoding[number] = need
        self._execute(order)

    def _execute(self, order: Order) -> None:
        at = self.now
        failed: set[StageName] = set()
        for stage, attempt in zip(order.stages, order.attempts, strict=True):
            needs = self.plan.logical.stage(stage).needs
            if failed.intersection(needs):
                failed.add(stage)
                continue
            does = self.behaviour(stage, order.subject, attempt)
            started, at = at, at + does.seconds
            if isinstance(does.outcome, Failure):
                failed.add(stage)
            self._later(at - self.now, StageReport(order.number, stage, does.outcome, started, at))
            self.executed.append(Interval(stage, order.subject, attempt, started, at))
        self._later(at - self.now, OrderDone(order.number))

    def _later(self, delay: float, report: Report) -> None:
        self._serial += 1
        heapq.heappush(self._due, (self.now + delay, self._serial, report))

    def _advance(self, scheduler: Scheduler) -> None:
        """Let time pass to the next report or the next moment that the scheduler waits for."""
        retry, gate = scheduler.wake_at()
        moments = [moment for moment in (retry, gate and gate - EPOCH) if moment is not None]
        if self._due:
            moments.append(self._due[0][0])
        if not moments:
            raise BrokenGuaranteeError(f"the run is stuck: {self.state}")
        self.now = max(self.now, min(moments))
        while self._due and self._due[0][0] <= self.now:
            _, _, report = heapq.heappop(self._due)
            if isinstance(report, OrderDone):
                del self._running[report.order]
                self._decoding.pop(report.order, None)
            scheduler.report(report, self.now)

    def _place(self, order: Order) -> Place:
        return self.plan.segments[order.segment].place

    def _check(self, scheduler: Scheduler) -> None:
        """The guarantees that hold at every moment."""
        state, plan = self.state, self.plan
        settled = sum(state.image_counts.values()) + sum(
            group.settled_total for group in state.groups.values()
        )
        if settled + len(state.images) != state.received:
            raise BrokenGuaranteeError(
                f"{state.received} images received, but {settled} settled and "
                f"{len(state.images)} in flight"
            )
        if len(state.images) > plan.window:
            raise BrokenGuaranteeError(f"{len(state.images)} images in flight of {plan.window}")
        held: Counter[str] = Counter()
        for order in self._running.values():
            held.update(plan.segments[order.segment].limits)
        for name, count in held.items():
            if count > plan.limits[name]:
                raise BrokenGuaranteeError(f"{count} places of {name} taken of {plan.limits[name]}")
        decoding = [size for size in self._decoding.values() if size]
        if sum(decoding) > plan.decoded_bytes and len(decoding) > 1:
            raise BrokenGuaranteeError(f"{sum(decoding)} bytes decoded of {plan.decoded_bytes}")
        self._check_lane()
        self.most_in_flight = max(self.most_in_flight, len(self._running))
        if len(scheduler.orders.flights) != len(self._running):
            raise BrokenGuaranteeError("the scheduler has lost count of its orders")

    def _check_lane(self) -> None:
        lane = self.plan.lane
        in_lane = [order for order in self._running.values() if order.segment not in lane.free]
        if lane.kind == "run" and len(in_lane) > 1:
            raise BrokenGuaranteeError(f"{len(in_lane)} orders at once in a sequential lane")
        if lane.kind == "batch":
            if len(in_lane) > lane.batches:
                raise BrokenGuaranteeError(f"{len(in_lane)} orders in {lane.batches} lanes")
            batches = Counter(
                self.state.images[order.subject].sequence // lane.batch_size
                for order in in_lane
                if order.subject.scope is Scope.IMAGE and order.subject in self.state.images
            )
            if any(count > 1 for count in batches.values()):
                raise BrokenGuaranteeError("two orders at once inside one batch")


def fold(events: Iterable[e.Event]) -> RunState:
    """The state that events lead to."""
    state = RunState()
    for event in events:
        evolve(state, event)
    return state


def items_of(groups: Sequence[int], *, primary: bool = False) -> list[SourceItem]:
    """A source with groups of these sizes; with ``primary``, the first image of each is it."""
    items: list[SourceItem] = []
    for number, size in enumerate(groups, 1):
        for ordinal in range(1, size + 1):
            items.append(
                SourceItem(
                    sequence=len(items),
                    group=number,
                    ordinal=ordinal,
                    group_name=f"group-{number}",
                    group_size=size,
                    name=f"{ordinal}.jpg",
                    path=f"/photos/{number}/{ordinal}.jpg",
                    bytes=1,
                    mtime_ns=0,
                    last=ordinal == size,
                    role="primary" if primary and ordinal == 1 else "",
                )
            )
    return items
