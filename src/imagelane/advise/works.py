"""The pool of a simulated run: cores that are shared, waits that are not, workers that start."""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from imagelane.advise.shares import Shared
from imagelane.model.ids import StageName
from imagelane.model.outcome import Failure, Success
from imagelane.model.plan import PhysicalPlan, Segment
from imagelane.model.profile import Costs, Effort, Scaling
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass
from imagelane.model.work import Claim, Order, OrderDone, Report, StageReport

Efforts = Mapping[StageName, tuple[Effort, ...]]

_NO_EFFORT = Effort(0.0, 0.0)
_DONE = Success()


class Crew(Enum):
    """Who executes an order."""

    PIXELS = "pixels"
    """Worker processes that are shut in."""
    UNBOUND = "unbound"
    """Worker processes that are not."""
    HOST = "host"
    """The host of what waits: as many at a time as come."""
    COORDINATOR = "coordinator"
    """Promotions, one after the other."""


@dataclass(slots=True)
class _Work:
    """An order that is being executed. ``place`` is that of its stage in ``order.stages``."""

    order: Order
    efforts: Efforts
    crew: Crew
    place: int = 0
    began: float = 0.0
    granted: int = 0
    loading: float = 0.0
    arrived: float = 0.0

    @property
    def stage(self) -> StageName:
        return self.order.stages[self.place]

    @property
    def effort(self) -> Effort:
        """That of the attempt; past those that were measured, as the last of them."""
        efforts = self.efforts.get(self.stage)
        if not efforts:
            return _NO_EFFORT
        return efforts[min(self.order.attempts[self.place], len(efforts)) - 1]


@dataclass(slots=True)
class Tally:
    """What was seen: seconds in which each stage was under way, summed over its subjects, when the
    first began, the most decoded bytes at one moment, and the most workers that were at work."""

    busy: defaultdict[StageName, float] = field(default_factory=lambda: defaultdict(float))
    began: float = math.inf
    decoded: int = 0
    most_decoded: int = 0
    largest: int = 0
    at_work: int = 0
    most_at_work: int = 0


class Works:
    """Executes orders in simulated time.

    Cores are shared evenly by all that computes: workers, the host, the coordinator and the starts
    of workers. Waiting holds no core; where a stage's waits get longer the more of it goes on, they
    do here. Events come out in the order of their time, by `step`.

    Args:
        plan: how many workers there are, and which segments share a report.
        cores: of the machine that is simulated.
        scalings: how waiting for a stage slows down, by stage.
        busy: how computing slows down as more cores compute.
        costs: of starting workers, and around orders.
    """

    def __init__(
        self,
        plan: PhysicalPlan,
        cores: int,
        scalings: Mapping[StageName, Scaling],
        busy: Scaling,
        costs: Costs,
    ) -> None:
        self._plan = plan
        self._costs = costs
        self.cores: Shared[_Work | Crew] = Shared(
            lambda count: min(1.0, cores / count) / busy.slowdown(min(count, cores))
        )
        self._queues = {
            name: Shared[_Work](partial(_slowed, scaling))
            for name, scaling in scalings.items()
            if scaling.slowdown(2) > 1
        }
        self._timers: list[tuple[float, int, _Work]] = []
        self._arrivals: list[tuple[float, int, Report]] = []
        self._pressing: list[float] = []
        self._numbers = 0
        self._crews = {segment.index: _crew(segment, plan) for segment in plan.segments}
        self._cold: Counter[Crew] = Counter()
        self._free: Counter[Crew] = Counter({Crew.COORDINATOR: 1})
        self._waiting: dict[Crew, deque[_Work]] = {crew: deque() for crew in Crew}
        self._claims: dict[int, _Work] = {}
        self._unlocking = _unlocking(plan)
        self.tally = Tally()
        self.now = 0.0
        self._start(costs)

    def _start(self, costs: Costs) -> None:
        crews = set(self._crews.values())
        for crew in (Crew.PIXELS, Crew.UNBOUND):
            for _ in range(self._plan.processes if crew in crews else 0):
                self.cores.add(0.0, costs.start, crew)
        if Crew.HOST in crews:
            self.cores.add(0.0, costs.start, Crew.HOST)

    # What the coordinator does

    def submit(self, order: Order, efforts: Efforts) -> None:
        """Execute an order as soon as a worker is free."""
        crew = self._crews[order.segment]
        self._waiting[crew].append(_Work(order, efforts, crew, granted=order.reservation))
        self._deal(crew)

    def grant(self, number: int) -> None:
        """A claim is met: the order goes on."""
        if (work := self._claims.pop(number, None)) is not None:
            work.granted = work.effort.decoded
            self._wait(work)

    def compute(self, seconds: float) -> None:
        """The coordinator computes; it returns when that is over."""
        if seconds <= 0:
            return
        self.cores.add(self.now, seconds, Crew.COORDINATOR)
        while self.step() is not Crew.COORDINATOR:
            pass

    def pause(self, seconds: float) -> None:
        """The coordinator waits for the disk."""
        end = self.now + seconds
        while self.due() <= end:
            self.step()
        self.now = end

    def poll(self, until: float) -> list[Report]:
        """What was reported; waits for the first report that something follows from."""
        while not (self._pressing and self._pressing[0] <= self.now):
            upcoming = min(self.due(), self._pressing[0] if self._pressing else math.inf, until)
            if upcoming == math.inf:
                break
            if self.due() <= upcoming:
                self.step()
                continue
            self.now = max(self.now, upcoming)
            if upcoming >= until:
                break
        found = []
        while self._arrivals and self._arrivals[0][0] <= self.now:
            found.append(heapq.heappop(self._arrivals)[2])
        while self._pressing and self._pressing[0] <= self.now:
            heapq.heappop(self._pressing)
        return found

    # What time brings

    def due(self) -> float:
        """When something happens next."""
        soonest = self.cores.due()
        if self._timers:
            soonest = min(soonest, self._timers[0][0])
        for queue in self._queues.values():
            if queue:
                soonest = min(soonest, queue.due())
        return soonest

    def step(self) -> Crew | None:
        """Let the next thing happen; says whose start, or the coordinator's turn, it was."""
        at = self.due()
        self.now = max(self.now, at)
        if self._timers and self._timers[0][0] <= at:
            self._compute(heapq.heappop(self._timers)[2])
            return None
        for queue in self._queues.values():
            if queue and queue.due() <= at:
                self._compute(queue.pop(at))
                return None
        ended = self.cores.pop(at)
        if isinstance(ended, Crew):
            if ended is not Crew.COORDINATOR:
                self._cold[ended] += ended is not Crew.HOST
                # The host does as many as there are.
                self._free[ended] += 1 if ended is not Crew.HOST else 1 << 30
                self._deal(ended)
            return ended
        self._computed(ended)
        return None

    def _deal(self, crew: Crew) -> None:
        waiting = self._waiting[crew]
        while waiting and self._free[crew] > 0:
            self._free[crew] -= 1
            work = waiting.popleft()
            if crew is not Crew.COORDINATOR:
                self.tally.began = min(self.tally.began, self.now)
            if crew in {Crew.PIXELS, Crew.UNBOUND}:
                self.tally.at_work += 1
                self.tally.most_at_work = max(self.tally.most_at_work, self.tally.at_work)
            if self._cold[crew]:
                # A worker's first order loads what it needs on the way.
                self._cold[crew] -= 1
                work.loading = self._costs.warm
            self._begin(work)

    def _begin(self, work: _Work) -> None:
        """A stage of an order begins: it claims what it decodes, waits, and computes."""
        work.began = self.now
        decoded = work.effort.decoded
        self.tally.largest = max(self.tally.largest, decoded)
        if decoded > work.granted and work.crew in {Crew.PIXELS, Crew.UNBOUND}:
            self._claims[work.order.number] = work
            self._arrive(work, Claim(work.order.number, decoded), 0.0, pressing=True)
            return
        self._wait(work)

    def _wait(self, work: _Work) -> None:
        work.began = self.now
        seconds = work.effort.waited
        if seconds <= 0:
            self._compute(work)
        elif (queue := self._queues.get(work.stage)) is not None:
            queue.add(self.now, seconds, work)
        else:
            self._numbers += 1
            heapq.heappush(self._timers, (self.now + seconds, self._numbers, work))

    def _compute(self, work: _Work) -> None:
        seconds = work.effort.cpu + work.loading
        work.loading = 0.0
        if work.crew is Crew.HOST:
            seconds += self._costs.order
        if seconds > 0:
            self.cores.add(self.now, seconds, work)
        else:
            self._computed(work)

    def _computed(self, work: _Work) -> None:
        """A stage is over: it is reported, and the next one of the order begins."""
        order, stage, effort = work.order, work.stage, work.effort
        self.tally.busy[stage] += self.now - work.began
        failed = effort.error is not None
        outcome = Failure(effort.error or ErrorClass.BUG, "as measured") if failed else _DONE
        report = StageReport(order.number, stage, outcome, work.began, self.now, effort.cpu)
        last = failed or work.place + 1 == len(order.stages)
        pressing = failed or last or stage in self._unlocking
        # What nothing follows from travels with the next report of its order.
        self._arrive(work, report, effort.recorded if pressing else 0.0, pressing=pressing)
        if not last:
            work.place += 1
            self._begin(work)
            return
        self._arrive(work, OrderDone(order.number), 0.0, pressing=True)
        if work.crew in {Crew.PIXELS, Crew.UNBOUND}:
            self.tally.at_work -= 1
        self._free[work.crew] += 1
        self._deal(work.crew)

    def _arrive(self, work: _Work, report: Report, delay: float, *, pressing: bool) -> None:
        """Reports of one order come in their order."""
        at = work.arrived = max(work.arrived, self.now + delay)
        self._numbers += 1
        heapq.heappush(self._arrivals, (at, self._numbers, report))
        if pressing:
            heapq.heappush(self._pressing, at)


def _slowed(scaling: Scaling, count: int) -> float:
    return 1 / scaling.slowdown(count)


def _crew(segment: Segment, plan: PhysicalPlan) -> Crew:
    if segment.place is not Place.PROCESS:
        return Crew.HOST if segment.place is Place.THREAD else Crew.COORDINATOR
    contained = all(plan.logical.stage(name).spec.traits.contained for name in segment.stages)
    return Crew.PIXELS if contained else Crew.UNBOUND


def _unlocking(plan: PhysicalPlan) -> frozenset[StageName]:
    """Stages whose end lets a stage of another segment begin while their own goes on."""
    return frozenset(_found_unlocking(plan))


def _found_unlocking(plan: PhysicalPlan) -> Iterator[StageName]:
    for segment in plan.segments:
        for stage in plan.logical.stages:
            if stage.name not in segment.stages:
                yield from [name for name in segment.stages if name in stage.needs][-1:]
