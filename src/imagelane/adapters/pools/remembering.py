"""A pool that takes from the record what needs not be executed again."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue

from imagelane.model.ids import StageName
from imagelane.model.outcome import Rendition, Success
from imagelane.model.plan import PhysicalPlan
from imagelane.model.states import Scope
from imagelane.model.work import Order, OrderDone, Report, SourceFile, StageReport
from imagelane.ports.journal import JournalError
from imagelane.ports.pool import Pool
from imagelane.ports.recollection import Recollection
from imagelane.record.keys import Keys, Known, members_digest, reusable
from imagelane.schedule.obstacles import FIRST_REMAKE

WORKER = "record"
"""Who reports what was taken from there."""


@dataclass(frozen=True, slots=True)
class _Asked:
    order: Order


@dataclass(frozen=True, slots=True)
class _Read:
    """A worker read a file, which had a digest."""

    file: SourceFile
    digest: str


@dataclass(frozen=True, slots=True)
class _Doubted:
    file: SourceFile


@dataclass(slots=True)
class _Flight:
    """What is known by now of an order that somebody else executes."""

    order: Order
    source: str
    facts: dict[StageName, Mapping[str, object]] = field(default_factory=dict)
    files: dict[StageName, tuple[Rendition, ...]] = field(default_factory=dict)

    @property
    def known(self) -> Known:
        return Known(self.facts, self.files, self.source)

    def learn(self, stage: StageName, outcome: Success) -> None:
        self.facts[stage] = outcome.facts
        self.files[stage] = outcome.renditions


@dataclass(frozen=True, slots=True)
class _Remembered:
    """Reports from the record, and what of the order is left to execute."""

    reports: tuple[StageReport, ...]
    flight: _Flight


class RememberingPool:
    """Before a pool: what is recorded for a task's key, with its files still in the artifact store,
    is reported as it was recorded; everything else goes on to the pool, and what comes back is
    given its key.

    So whoever decides when what is done never knows: an outcome from the record is a report like
    any other, under every model. Looking takes place on a thread of its own.

    Args:
        pool: executes what is left.
        recollection: asked on the pool's own thread alone.
        keys: makes the keys of a plan.
        intact: whether the artifact store holds the bytes of a digest; called on that thread.
        blank: nothing was ever recorded here, so nothing is looked for.
    """

    def __init__(
        self,
        pool: Pool,
        recollection: Recollection,
        keys: Callable[[PhysicalPlan], Keys],
        intact: Callable[[str], bool],
        *,
        blank: bool = False,
    ) -> None:
        self._pool = pool
        self._recollection = recollection
        self._make_keys = keys
        self._intact = intact
        self._blank = blank
        self._plan: PhysicalPlan | None = None
        self._questions: SimpleQueue[_Asked | _Read | _Doubted | None] = SimpleQueue()
        self._answers: SimpleQueue[_Remembered] = SimpleQueue()
        self._flights: dict[int, _Flight] = {}
        self._asked: dict[int, Order] = {}
        self._reports: deque[Report] = deque()
        self._thread: threading.Thread | None = None

    def open(self, plan: PhysicalPlan) -> None:
        self._pool.open(plan)
        if self._plan is plan:
            return
        self._plan = plan
        self._keys = self._make_keys(plan)
        self._stages = {stage.name: stage for stage in plan.logical.stages}
        self._reusable = {one.name for one in plan.logical.stages if reusable(one.spec)}

    def submit(self, order: Order) -> None:
        worth = order.number < FIRST_REMAKE and not self._reusable.isdisjoint(order.stages)
        if worth and not self._blank:
            self._asked[order.number] = order
            self._ask(_Asked(order))
            return
        if worth:
            self._flights[order.number] = self._flight(order)
        self._pool.submit(order)

    def grant(self, order: int) -> None:
        self._pool.grant(order)

    def poll(self, timeout: float) -> Sequence[Report]:
        self._hear()
        said = self._pool.poll(0.0 if self._reports else timeout)
        self._hear()
        reports = [*self._reports, *map(self._noted, said)]
        self._reports.clear()
        return reports

    def wake(self) -> None:
        self._pool.wake()

    def shed(self) -> None:
        self._pool.shed()

    def close(self, *, kill: bool = False) -> None:
        if self._thread is not None:
            self._questions.put(None)
            self._thread.join()
            self._thread = None
        while not self._answers.empty():
            answer = self._answers.get()
            self._asked.pop(answer.flight.order.number, None)
            self._reports += answer.reports
            self._reports.append(OrderDone(answer.flight.order.number))
        self._reports += [OrderDone(number) for number in self._asked]
        self._asked.clear()
        self._pool.close(kill=kill)

    # Of whoever submits

    def _ask(self, question: _Asked | _Read | _Doubted) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="recollection", daemon=True)
            self._thread.start()
        self._questions.put(question)

    def _hear(self) -> None:
        """Take what was found, and let the rest of each order be executed."""
        while not self._answers.empty():
            answer = self._answers.get()
            flight = answer.flight
            number = flight.order.number
            del self._asked[number]
            self._reports += answer.reports
            if flight.order.stages:
                self._flights[number] = flight
                self._pool.submit(flight.order)
            else:
                self._reports.append(OrderDone(number))

    def _noted(self, report: Report) -> Report:
        """A report from the pool, with its key."""
        flight = self._flights.get(report.order)
        if flight is None:
            return report
        if isinstance(report, OrderDone):
            del self._flights[report.order]
        elif isinstance(report, StageReport):
            return self._with_key(report, flight)
        return report

    def _with_key(self, report: StageReport, flight: _Flight) -> StageReport:
        file = flight.order.source
        if not isinstance(report.outcome, Success):
            if file is not None and flight.source and not self._blank:
                # Perhaps it is not what its size and time said that it was.
                self._ask(_Doubted(file))
            return report
        if file is not None and report.source_digest and report.source_digest != flight.source:
            flight.source = report.source_digest
            self._ask(_Read(file, report.source_digest))
        key = ""
        if report.stage in self._reusable and (flight.source or not self._reads_source(report)):
            key = self._keys.of(report.stage, flight.order, flight.known)
        flight.learn(report.stage, report.outcome)
        return replace(report, key=key)

    def _reads_source(self, report: StageReport) -> bool:
        return self._stages[report.stage].spec.scope is Scope.IMAGE

    def _flight(self, order: Order) -> _Flight:
        source = order.source.digest if order.source is not None else None
        if source is None and order.members is not None:
            source = self._members(order)
        return _Flight(order, source or "", dict(order.facts), dict(order.inputs))

    def _members(self, order: Order) -> str:
        """The digest of the list of members, as the order's stage sees it."""
        with Path(order.members or "").open(encoding="utf-8") as lines:
            parsed = (json.loads(line) for line in lines if line.strip())
            return members_digest(parsed, self._stages[order.stages[0]])

    # Of the thread that looks

    def _look(self) -> None:
        knows = True
        while (question := self._questions.get()) is not None:
            try:
                match question:
                    case _Asked(order):
                        answer = self._remember(order) if knows else self._nothing(order)
                        self._answers.put(answer)
                        self._pool.wake()
                    case _Read(file, digest) if knows:
                        self._recollection.read(file, digest)
                    case _Doubted(file) if knows:
                        self._recollection.doubt(file)
            except (JournalError, OSError):
                # What cannot be remembered is executed.
                knows = False
                if isinstance(question, _Asked):
                    self._answers.put(self._nothing(question.order))
                    self._pool.wake()
        try:
            self._recollection.close()
        except JournalError:
            return

    def _nothing(self, order: Order) -> _Remembered:
        return _Remembered((), _Flight(order, "", dict(order.facts), dict(order.inputs)))

    def _remember(self, order: Order) -> _Remembered:
        flight = self._flight(order)
        if order.source is not None and not flight.source:
            flight.source = self._recollection.digest(order.source) or ""
        if not flight.source:
            return _Remembered((), flight)
        reports = []
        left: list[StageName] = []
        for name in order.stages:
            report = self._recalled(name, flight, left)
            if report is None:
                left.append(name)
            else:
                reports.append(report)
        source = order.source
        if source is not None and reports:
            # Whoever goes on with it makes sure that it is that file.
            source = replace(source, digest=flight.source)
        attempts = dict(zip(order.stages, order.attempts, strict=True))
        flight.order = replace(
            order,
            stages=tuple(left),
            attempts=tuple(attempts[name] for name in left),
            source=source,
            facts=dict(flight.facts),
            inputs=dict(flight.files),
        )
        return _Remembered(tuple(reports), flight)

    def _recalled(
        self, name: StageName, flight: _Flight, left: Sequence[StageName]
    ) -> StageReport | None:
        if name not in self._reusable or not self._stages[name].ancestors.isdisjoint(left):
            return None
        key = self._keys.of(name, flight.order, flight.known)
        found = self._recollection.outcome(key)
        if found is None:
            return None
        files = [one for one in found.outcome.renditions if one.format != "raw"]
        if not all(self._intact(one.digest) for one in files):
            return None
        # A picture in the raw is made again where it is needed and gone.
        raw = [
            one
            for one in found.outcome.renditions
            if one.format == "raw" and self._intact(one.digest)
        ]
        outcome = replace(found.outcome, renditions=(*files, *raw))
        flight.learn(name, outcome)
        now = time.monotonic()
        return StageReport(
            flight.order.number,
            name,
            outcome,
            now,
            now,
            worker=WORKER,
            source_digest=flight.source if flight.order.source is not None else None,
            key=key,
            reused=found.where,
        )
