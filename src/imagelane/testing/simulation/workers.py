"""Made-up workers: what they are told to do is over at once, and reported when its time comes."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Success
from imagelane.model.plan import PhysicalPlan
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass
from imagelane.model.work import Claim, Order, OrderDone, Report, StageReport
from imagelane.testing.simulation.behaviour import Behaviour
from imagelane.testing.simulation.faults import Faults, Kind

ANYBODY = 0
"""The addressee of reports whose coordinator is gone: whoever has taken the run over gets them."""

_KILLED = frozenset({ErrorClass.TIMEOUT, ErrorClass.WORKER_DIED})
"""After these nothing more is reported of an order: its worker is gone."""


REFUSED = Failure(ErrorClass.INVALID, "made up: the target refuses it")


@dataclass(frozen=True, slots=True)
class Interval:
    """One attempt, as it was executed."""

    stage: StageName
    subject: Subject
    attempt: int
    started: float
    finished: float


@dataclass(frozen=True, slots=True)
class Promotion:
    """A coordinator's own worker is about to make a subject visible."""

    order: Order
    manifest: str


@dataclass(slots=True)
class Crew:
    """The workers of one coordinator. ``decoding`` are bytes by order, without those that wait."""

    plan: PhysicalPlan
    running: dict[int, Order] = field(default_factory=dict)
    waiting: dict[int, tuple[Order, int]] = field(default_factory=dict)
    decoding: dict[int, int] = field(default_factory=dict)


class Workers:
    """Executes orders of several coordinators, told apart by their fences. ``executed`` lists the
    attempts, in the order in which they began."""

    def __init__(
        self,
        behaviour: Callable[[], Behaviour],
        faults: Faults,
        executed: list[Interval],
    ) -> None:
        self._behaviour = behaviour
        self._faults = faults
        self._executed = executed
        self._due: list[tuple[float, int, int, Report | Promotion]] = []
        self._serial = 0
        self.crews: dict[int, Crew] = {}

    def next_due(self) -> float | None:
        """When the next report comes in."""
        return self._due[0][0] if self._due else None

    def owes(self, fence: int) -> bool:
        """Whether something is still to be reported to this coordinator."""
        return any(entry[2] == fence for entry in self._due)

    def begin(self, fence: int, order: Order, now: float, manifest: str | None = None) -> None:
        """Take an order. ``manifest`` is what a coordinator's stage is to make visible."""
        crew = self.crews[fence]
        crew.running[order.number] = order
        behaviour = self._behaviour()
        need = max(
            behaviour(stage, order.subject, attempt).decodes
            for stage, attempt in zip(order.stages, order.attempts, strict=True)
        )
        in_process = crew.plan.segments[order.segment].place is Place.PROCESS
        if in_process and need > order.reservation:
            crew.waiting[order.number] = (order, need)
            self._later(now, fence, Claim(order.number, need))
            if self._faults.strike(Kind.DUPLICATED):
                self._later(now, fence, Claim(order.number, need))
        else:
            crew.decoding[order.number] = min(need, order.reservation)
            self._execute(fence, order, now, manifest)

    def grant(self, fence: int, number: int, now: float) -> None:
        """Let an order go on that waits for memory. One that does not wait is left alone."""
        crew = self.crews[fence]
        if number in crew.waiting:
            order, need = crew.waiting.pop(number)
            crew.decoding[number] = need
            self._execute(fence, order, now, None)

    def deliver(self, now: float) -> list[tuple[int, Report | Promotion]]:
        """What comes in until now, each with the fence of the coordinator that it is for."""
        delivered = []
        while self._due and self._due[0][0] <= now:
            _, _, fence, report = heapq.heappop(self._due)
            if isinstance(report, OrderDone) and (crew := self.crews.get(fence)) is not None:
                crew.running.pop(report.order, None)
                crew.decoding.pop(report.order, None)
            delivered.append((fence, report))
        return delivered

    def promotions(self) -> list[tuple[int, Promotion]]:
        """All that are still to come, at once, each with the fence of its coordinator."""
        hanging = [entry for entry in sorted(self._due) if isinstance(entry[3], Promotion)]
        self._due = [entry for entry in self._due if not isinstance(entry[3], Promotion)]
        heapq.heapify(self._due)
        return [(fence, one) for _, _, fence, one in hanging if isinstance(one, Promotion)]

    def orphan(self, fence: int, *, survive: Callable[[int], bool], promotes: bool = False) -> None:
        """A coordinator is gone. What its workers have to say about an order (by its number) that
        survives will reach another one. What it has begun to promote goes on only if its process
        lives, and was told that it is replaced."""
        self.crews.pop(fence, None)
        kept = []
        for due, serial, whose, report in self._due:
            if whose != fence or (promotes and isinstance(report, Promotion)):
                kept.append((due, serial, whose, report))
            elif not isinstance(report, Promotion) and survive(report.order):
                kept.append((due, serial, ANYBODY, report))
        heapq.heapify(kept)
        self._due = kept

    def _execute(self, fence: int, order: Order, now: float, manifest: str | None) -> None:
        reports, at = self._attempt(fence, order, now)
        if manifest is None:
            reports, at = self._struck(reports, at)
        late = self._faults.strike(Kind.LATE)
        delay = late.seconds if late else 0.0
        if manifest is not None and (hangs := self._faults.strike(Kind.OVERTAKEN)):
            delay += 10 * hangs.seconds
        elif manifest is not None and reports and self._faults.strike(Kind.REFUSED):
            reports = [replace(reports[0], outcome=REFUSED)]
        moments = [report.finished + delay for report in reports]
        if len(reports) > 1 and self._faults.strike(Kind.REORDERED):
            moments.reverse()
        twice = self._faults.strike(Kind.DUPLICATED)
        if manifest is not None:
            reports = [_with_manifest(report, manifest) for report in reports]
        for moment, report in zip(moments, reports, strict=True):
            if manifest is not None and isinstance(report.outcome, Success):
                self._later(moment, fence, Promotion(order, manifest))
            self._later(moment, fence, report)
            if twice:
                self._later(moment + twice.seconds, fence, report)
        self._later(at + delay, fence, OrderDone(order.number))
        if twice:
            self._later(at + delay + twice.seconds, fence, OrderDone(order.number))

    def _struck(self, reports: list[StageReport], at: float) -> tuple[list[StageReport], float]:
        """What is left of what a worker reports. A coordinator's own thread does not die, unless
        it does itself, and nothing is lost on the way from it."""
        if self._faults.strike(Kind.WORKER_DIES) and reports:
            # Whatever came of the last one, its worker did not live to tell.
            last = reports.pop()
            death = Failure(ErrorClass.WORKER_DIED, "made up: killed")
            reports.append(StageReport(last.order, last.stage, death, last.started, last.finished))
        if fault := self._faults.strike(Kind.LOST):
            return [], at + fault.seconds
        return reports, at

    def _attempt(self, fence: int, order: Order, at: float) -> tuple[list[StageReport], float]:
        """What is reported of the order's stages, and when it is over."""
        logical, behaviour = self.crews[fence].plan.logical, self._behaviour()
        reports: list[StageReport] = []
        failed: set[StageName] = set()
        for stage, attempt in zip(order.stages, order.attempts, strict=True):
            planned = logical.stage(stage)
            if failed.intersection(planned.needs):
                failed.add(stage)
                continue
            does = behaviour(stage, order.subject, attempt)
            outcome, seconds = does.outcome, does.seconds
            limit = planned.spec.timeout
            if limit is not None and seconds > limit:
                outcome, seconds = Failure(ErrorClass.TIMEOUT, f"over {limit} s"), limit
            started, at = at, at + seconds
            reports.append(StageReport(order.number, stage, outcome, started, at))
            self._executed.append(Interval(stage, order.subject, attempt, started, at))
            if isinstance(outcome, Failure):
                failed.add(stage)
                if outcome.error in _KILLED:
                    break
        return reports, at

    def _later(self, due: float, fence: int, report: Report | Promotion) -> None:
        self._serial += 1
        heapq.heappush(self._due, (due, self._serial, fence, report))


def _with_manifest(report: StageReport, manifest: str) -> StageReport:
    if not isinstance(report.outcome, Success):
        return report
    facts = {**report.outcome.facts, "manifest": manifest}
    return replace(report, outcome=replace(report.outcome, facts=facts))
