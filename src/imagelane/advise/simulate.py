"""One run in simulated time: the real scheduler, over measured times.

A turn goes as the engine's does: take in what was reported, decide, begin what needs no commit,
commit, begin the rest.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imagelane.advise.draws import Draws
from imagelane.advise.works import Efforts, Tally, Works
from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.plan import PhysicalPlan
from imagelane.model.profile import Costs, Scaling
from imagelane.model.run import RunState, evolve
from imagelane.model.states import GroupState, RunStatus, Scope
from imagelane.model.work import Order
from imagelane.ports.source import SourceItem
from imagelane.schedule.scheduler import Scheduler

EPOCH = 1_800_000_000.0
"""Wall-clock time at the beginning of every simulation."""
IDLE_TURNS = 1_000
"""A run that does nothing at all for so many turns goes round in circles."""
_LIVE = frozenset({GroupState.PUBLISHED, GroupState.PARTIAL})


@dataclass(frozen=True, slots=True)
class Trace:
    """A run as it went. Seconds are counted from when the first task began.

    ``seconds`` until all was over, ``live`` when each group was, in order. ``start`` is what came
    before the first task. ``settled`` is when each so-many-th image was settled, for rates.
    """

    status: RunStatus
    seconds: float
    start: float
    live: tuple[float, ...]
    images: int
    tally: Tally
    computed: float
    settled: tuple[tuple[int, float], ...]

    def busy(self, stage: StageName) -> float:
        """How many of a stage were under way, on average."""
        return self.tally.busy[stage] / self.seconds if self.seconds else 0.0


class SimulationError(Exception):
    """Nothing more happens in a simulated run although it is not over."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a run is simulated: cores, and how what goes on there slows each other down."""

    cores: int
    scalings: dict[StageName, Scaling]
    busy: Scaling
    costs: Costs


def simulate(
    plan: PhysicalPlan, items: Iterator[SourceItem], expected: int, draws: Draws, site: Site
) -> Trace:
    """Play one run to its end.

    Raises:
        SimulationError: it goes round in circles.
    """
    return _Play(plan, items, expected, draws, site).run()


class _Play:
    def __init__(
        self,
        plan: PhysicalPlan,
        items: Iterator[SourceItem],
        expected: int,
        draws: Draws,
        site: Site,
    ) -> None:
        self._items = items
        self._draws = draws
        self._costs = site.costs
        self._works = Works(plan, site.cores, site.scalings, site.busy, site.costs)
        self._state = evolve(
            RunState(), e.RunStarted(plan.logical.name, plan.logical.digest, plan.model, {})
        )
        jitter = random.Random(0)  # noqa: S311 - of retries, seeded
        self._scheduler = Scheduler(plan, self._state, jitter.random, expected)
        self._efforts: dict[Subject, Efforts] = {}
        self._live: list[float] = []
        self._settled: list[tuple[int, float]] = []
        self._images = 0
        self._step = max(1, expected // 64)
        self._open = True

    def run(self) -> Trace:
        works, scheduler, state = self._works, self._scheduler, self._state
        idle = 0
        while True:
            self._admit()
            scheduler.tick(works.now, EPOCH + works.now)
            for number in scheduler.grants():
                works.grant(number)
            orders = scheduler.dispatch(works.now)
            scheduler.settle()
            events = scheduler.take_events()
            self._carry_out(orders, events)
            if state.status is not RunStatus.RUNNING:
                break
            idle = 0 if events or orders else idle + 1
            if idle > IDLE_TURNS:
                raise SimulationError(f"nothing moves in the simulated run: {state}")
            for report in works.poll(self._wake_at()):
                scheduler.report(report, works.now)
        return self._trace()

    def _carry_out(self, orders: Sequence[Order], events: Sequence[e.Event]) -> None:
        works, costs = self._works, self._costs
        touched = {e.subject_of(event) for event in events}
        if events or orders:
            works.compute(costs.turn + costs.event * len(events))
        waiting = []
        for order in orders:
            if order.subject.scope is Scope.IMAGE and order.subject not in touched:
                works.submit(order, self._of(order.subject))
            else:
                waiting.append(order)
        if events:
            works.pause(costs.commit)
            self._note(events)
        if any(order.subject.scope is not Scope.IMAGE for order in waiting):
            works.pause(costs.group - costs.commit)
        for order in waiting:
            works.submit(order, self._of(order.subject))

    def _admit(self) -> None:
        scheduler = self._scheduler
        while self._open and scheduler.admits():
            item = next(self._items, None)
            if item is None:
                scheduler.source_ended()
                self._open = False
            else:
                scheduler.admit(item, EPOCH + self._works.now)

    def _of(self, subject: Subject) -> Efforts:
        efforts = self._efforts.get(subject)
        if efforts is None:
            efforts = self._efforts[subject] = self._draws.of(subject, self._size(subject))
        return efforts

    def _size(self, subject: Subject) -> float:
        match subject.scope:
            case Scope.IMAGE:
                return self._state.images[subject].source.bytes
            case Scope.GROUP:
                return self._state.groups[subject.group].received
            case Scope.RUN:
                return self._state.received

    def _note(self, events: Sequence[e.Event]) -> None:
        now = self._works.now
        for event in events:
            if isinstance(event, e.ImageSettled):
                self._efforts.pop(event.subject, None)
                self._images += 1
                if self._images % self._step == 0:
                    self._settled.append((self._images, now))
            elif isinstance(event, e.GroupSettled):
                self._efforts.pop(event.subject, None)
                if event.state in _LIVE:
                    self._live.append(now)

    def _wake_at(self) -> float:
        retry, gate = self._scheduler.wake_at()
        until = math.inf
        if retry is not None:
            until = min(until, retry)
        if gate is not None:
            until = min(until, gate - EPOCH)
        return max(until, self._works.now)

    def _trace(self) -> Trace:
        works = self._works
        began = min(works.tally.began, works.now)
        return Trace(
            status=self._state.status,
            seconds=works.now - began,
            start=began,
            live=tuple(at - began for at in self._live),
            images=self._images,
            tally=works.tally,
            computed=works.cores.work,
            settled=tuple((count, at - began) for count, at in self._settled),
        )
