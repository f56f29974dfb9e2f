"""One run in simulated time: coordinators, and the record that outlives them.

A turn here goes as the engine's does: decide, begin what needs no commit, record, begin the rest.
Between any two of these a coordinator may die; what it decided and did not record is lost with it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Success
from imagelane.model.plan import PhysicalPlan
from imagelane.model.run import RunState, evolve
from imagelane.model.spec import Place
from imagelane.model.states import RunStatus, Scope
from imagelane.model.work import Order, Report, StageReport
from imagelane.ports.source import SourceItem
from imagelane.schedule.overtaken import may_go_live
from imagelane.schedule.scheduler import Scheduler
from imagelane.testing.simulation.behaviour import Behaviour
from imagelane.testing.simulation.broken import BrokenGuaranteeError
from imagelane.testing.simulation.faults import Fault, Faults, Kind
from imagelane.testing.simulation.watch import Blind, Watch
from imagelane.testing.simulation.workers import ANYBODY, Crew, Interval, Promotion, Workers

EPOCH = 1_800_000_000.0
"""Wall-clock time at the beginning of every simulation."""
OVER = frozenset({RunStatus.FINISHED, RunStatus.FAILED, RunStatus.CANCELLED})
PULSE = 0.125
"""Seconds after which a coordinator looks again, whatever happens."""
IDLE_TURNS = 500
"""A run that does nothing at all for so many turns goes round in circles."""


@dataclass(slots=True)
class Coordinator:
    """One process that executes the run, until it dies or another takes over."""

    fence: int
    state: RunState
    scheduler: Scheduler
    crew: Crew
    position: int
    stopping: bool = False


@dataclass(slots=True)
class World:
    """One run. ``plans`` are those under which the run is taken up again, one after the other; the
    last of them, or ``plan``, for good. All of them lower one logical plan. ``events`` may hold
    what was recorded before. A ``blind`` world is not held against the promises."""

    plan: PhysicalPlan
    items: Sequence[SourceItem]
    behaviour: Behaviour
    seed: int = 0
    faults: Sequence[Fault] = ()
    plans: Sequence[PhysicalPlan] = ()
    blind: bool = False
    state: RunState = field(default_factory=RunState)
    events: list[e.Event] = field(default_factory=list)
    executed: list[Interval] = field(default_factory=list)
    now: float = 0.0
    steps: int = 0
    most_in_flight: int = 0
    watch: Watch = field(init=False)
    _faults: Faults = field(init=False)
    _workers: Workers = field(init=False)
    _draw: random.Random = field(init=False)
    _coordinators: list[Coordinator] = field(init=False, default_factory=list)
    _fence: int = field(init=False, default=ANYBODY)
    _pointers: dict[tuple[Subject, StageName], int] = field(init=False, default_factory=dict)
    """The fence that each pointer was raised to."""
    _live: dict[tuple[Subject, StageName], str] = field(init=False, default_factory=dict)
    _restart: float = field(init=False, default=0.0)
    _idle: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        looks_on = Blind if self.blind else Watch
        self.watch = looks_on(self.plan.logical, self.items, self.events)
        self._faults = Faults(self.faults)
        # Asked for at each attempt: a test may put another behaviour in its place.
        self._workers = Workers(lambda: self.behaviour, self._faults, self.executed)
        self._draw = random.Random(self.seed)

    def run(self, *, until: int | None = None) -> RunState:
        """Run to where the run stands still, or up to the step ``until``. A run that was paused or
        halted is resumed.

        Raises:
            BrokenGuaranteeError: a guarantee does not hold; or nothing more happens although the
                run is not settled.
        """
        if self._coordinators and self.state.status in OVER:
            return self.state
        if not self._coordinators:
            self._take_up()
        while until is None or self.steps < until:
            self._turns()
            if self._stands_still():
                break
            self._advance()
        return self.state

    def crash(self) -> None:
        """Lose everything but the record: the state becomes the fold of the events so far."""
        for one in list(self._coordinators):
            self._lose(one, lambda _: False)
        self.state = fold(self.events)

    def by_hand(self, events: Sequence[e.Event]) -> None:
        """Record what somebody decided while nobody executes the run, as `imagelane resolve`
        does."""
        recorded = list(events)
        if self.state.status in {RunStatus.FINISHED, RunStatus.FAILED}:
            recorded.append(e.RunSettled(RunStatus.PAUSED, "a decision waits to be carried out"))
        self._fence += 1
        self.watch.known.fence = self._fence
        self.watch.followed(recorded)
        self.events += recorded
        self.state = fold(self.events)

    # Coordinators

    def _take_up(self) -> None:
        """Claim the run, fold its record, and say so in it, as a new coordinator does."""
        state = fold(self.events) if self.events or self._fence else self.state
        plan = self.plan
        if self._fence and self.plans:
            plan = self.plans[min(self._fence, len(self.plans)) - 1]
        self._fence += 1
        crew = self._workers.crews[self._fence] = Crew(plan)
        for pointer in may_go_live(state, plan.logical.stages):
            self._pointers[pointer] = self._fence
        begins = (
            e.RunResumed(plan.model)
            if self.events
            else e.RunStarted(plan.logical.name, plan.logical.digest, plan.model, {})
        )
        evolve(state, begins)
        draw = random.Random(self.seed).random
        scheduler = Scheduler(plan, state, draw, len(self.items))
        one = Coordinator(self._fence, state, scheduler, crew, state.received)
        self._coordinators.append(one)
        self.state = state
        self._commit(one, [begins, *scheduler.take_events()])

    def _lose(self, one: Coordinator, survive: Callable[[int], bool]) -> None:
        self._coordinators.remove(one)
        self._workers.orphan(one.fence, survive=survive)
        self._restart = self.now

    def _gives_up(self, one: Coordinator) -> None:
        """It is told that it was replaced. What it has begun goes on all the same."""
        self._coordinators.remove(one)
        self._workers.orphan(one.fence, survive=lambda _: True, promotes=True)
        self._restart = self.now

    def _dies(self, one: Coordinator, *kinds: Kind) -> bool:
        for kind in kinds:
            if fault := self._faults.strike(kind):
                # Some of its workers live on, and report to whoever comes next.
                self._lose(one, lambda _: self._draw.random() < 0.5)
                self._restart = self.now + fault.seconds
                return True
        return False

    def _turns(self) -> None:
        if self._coordinators and self._faults.strike(Kind.RIVAL):
            self._take_up()
        if self._coordinators and self._faults.strike(Kind.PAUSE):
            one = self._coordinators[-1]
            one.scheduler.stop(RunStatus.PAUSED, "asked to")
            one.stopping = self.watch.known.asked_to_stop = True
        for one in list(self._coordinators):
            # One that stands still waits for nobody, though others may not know yet that it does.
            if one.state.status is RunStatus.RUNNING:
                self._turn(one)
            self.steps += 1
            self._faults.step = self.steps

    def _turn(self, one: Coordinator) -> None:
        orders = self._decide(one)
        events = one.scheduler.take_events()
        self._idle = 0 if events or orders else self._idle + 1
        if self._dies(one, Kind.CRASH_DECIDED) or not self._carry_out(one, orders, events):
            return
        self.most_in_flight = max(self.most_in_flight, len(one.crew.running))
        if len(one.scheduler.orders.flights) != len(one.crew.running):
            raise BrokenGuaranteeError(
                "the scheduler has lost count of its orders", "no_order_lost"
            )
        if one.fence == self._fence:
            self.watch.turned(one.state, one.crew)

    def _decide(self, one: Coordinator) -> list[Order]:
        scheduler = one.scheduler
        while scheduler.admits():
            if one.position == len(self.items):
                scheduler.source_ended()
            else:
                scheduler.admit(self.items[one.position], EPOCH + self.now)
                one.position += 1
        scheduler.tick(self.now, EPOCH + self.now)
        for number in scheduler.grants():
            self._workers.grant(one.fence, number, self.now)
        orders = scheduler.dispatch(self.now)
        scheduler.settle()
        return orders

    def _carry_out(
        self, one: Coordinator, orders: Sequence[Order], events: Sequence[e.Event]
    ) -> bool:
        """Record what was decided and begin what follows; False where the coordinator's life, or
        the run, ends with that."""
        touched = {e.subject_of(event) for event in events}
        waiting = []
        for order in orders:
            if order.subject.scope is Scope.IMAGE and order.subject not in touched:
                self._begin(one, order)
            else:
                waiting.append(order)
        if self._dies(one, Kind.CRASH_SUBMITTED) or not self._commit(one, events):
            return False
        if self._dies(one, Kind.CRASH_RECORDED) or one.state.status is not RunStatus.RUNNING:
            return False
        for order in waiting:
            self._begin(one, order)
        return not self._dies(one, Kind.CRASH_EXECUTED)

    def _commit(self, one: Coordinator, events: Sequence[e.Event]) -> bool:
        """Record events, all or none; False where that was the end of the coordinator."""
        if not events:
            return True
        refused = one.fence < self._fence
        if refused or self._dies(one, Kind.DISK_FULL):
            if refused:
                self._gives_up(one)
            return False
        wall = EPOCH + self.now
        self.watch.recorded(events, one.fence, wall, one.crew)
        self.events += events
        one.stopping |= self.watch.known.halted or self.watch.known.decided is not None
        if slow := self._faults.strike(Kind.DISK_SLOW):
            self.now += slow.seconds
        return not self._dies(one, Kind.DISK_UNKNOWN)

    def _begin(self, one: Coordinator, order: Order) -> None:
        # One that was replaced may do again what the other has recorded since: it was told so late.
        if one.fence == self._fence:
            wall = EPOCH + self.now
            self.watch.begun(order, one.state, one.crew, wall, stopping=one.stopping)
        manifest = None
        if one.crew.plan.segments[order.segment].place is Place.COORDINATOR:
            manifest = self.watch.manifest(order.subject)
        self._workers.begin(one.fence, order, self.now, manifest)

    # Time

    def _stands_still(self) -> bool:
        if not self._coordinators:
            # It died with the end of the run recorded: nobody takes that up.
            if ended := self.watch.known.status in OVER:
                self.state = fold(self.events)
                self._drain()
            return ended
        owner = self._coordinators[-1]
        self.state = owner.state
        if owner.fence != self._fence or owner.state.status is RunStatus.RUNNING:
            return False
        # Whoever was replaced and does not know it yet may still have something to say.
        for one in self._coordinators[:-1]:
            if self._workers.owes(one.fence):
                return False
        for one in list(self._coordinators):
            self._gives_up(one)
        if self.state.status in OVER:
            self._drain()
        return True

    def _drain(self) -> None:
        """Whoever was replaced and still hangs goes on."""
        for fence, promotion in self._workers.promotions():
            self._promote(fence, promotion)

    def _advance(self) -> None:
        """Let time pass to the next report, or the next moment that somebody waits for."""
        moments = [] if self._owned() else [self._restart]
        for one in self._coordinators:
            if one.state.status is not RunStatus.RUNNING:
                continue
            retry, gate = one.scheduler.wake_at()
            moments += [at for at in (retry, gate and gate - EPOCH) if at is not None]
        if (due := self._workers.next_due()) is not None:
            moments.append(due)
        if not moments and self._idle:
            raise BrokenGuaranteeError(f"nobody waits for anything: {self.state}", "nobody_waits")
        if self._idle > IDLE_TURNS:
            raise BrokenGuaranteeError(f"nothing moves: {self.state}", "a_run_comes_to_an_end")
        self.now = max(self.now, min(moments, default=self.now + PULSE))
        if not self._owned() and self.now >= self._restart:
            self._take_up()
        for fence, report in self._workers.deliver(self.now):
            if isinstance(report, Promotion):
                self._promote(fence, report)
            elif (heard := self._addressee(fence)) is not None:
                heard.scheduler.report(self._of_what_is_live(heard, report), self.now)

    def _addressee(self, fence: int) -> Coordinator | None:
        if fence == ANYBODY:
            return self._coordinators[-1] if self._coordinators else None
        return next((one for one in self._coordinators if one.fence == fence), None)

    def _of_what_is_live(self, one: Coordinator, report: Report) -> Report:
        """To promote what is live already does nothing, so it cannot fail."""
        flight = one.scheduler.orders.flights.get(report.order)
        if flight is None or not isinstance(report, StageReport):
            return report
        manifest = self._live.get((flight.order.subject, report.stage))
        if manifest is None or isinstance(report.outcome, Success):
            return report
        return replace(report, outcome=Success(facts={"manifest": manifest}))

    def _owned(self) -> bool:
        return any(one.fence == self._fence for one in self._coordinators)

    def _promote(self, fence: int, promotion: Promotion) -> None:
        """What a publisher does: refuse a coordinator when a later one has published already, or
        has taken the pointer over."""
        subject, stage = promotion.order.subject, promotion.order.stages[0]
        if self._pointers.get((subject, stage), fence) > fence:
            if (one := self._addressee(fence)) is not None:
                self._gives_up(one)
            return
        self._pointers[subject, stage] = fence
        self._live[subject, stage] = promotion.manifest
        self.watch.promoted(subject, fence, promotion.manifest)


def fold(events: Iterable[e.Event]) -> RunState:
    """The state that events lead to."""
    state = RunState()
    for event in events:
        evolve(state, event)
    return state
