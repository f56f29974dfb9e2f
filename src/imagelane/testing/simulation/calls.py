"""What is promised of calls: of those to services that fail, and of those to people.

A second ledger, of how often each stage is tried; with the checks that need it, each a sentence.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from imagelane.model import events as e
from imagelane.model.alert import AlertCause
from imagelane.model.ids import StageName, Subject
from imagelane.model.plan import LogicalPlan
from imagelane.model.run import RunState
from imagelane.model.states import ErrorClass, RunStatus
from imagelane.model.work import Order
from imagelane.schedule.alerts import MOST
from imagelane.schedule.budget import FLOOR, QUIET
from imagelane.testing.simulation.ledger import Ledger

Wrong = str | None
_ENDS = {RunStatus.HALTED: AlertCause.RUN_HALTED, RunStatus.FAILED: AlertCause.RUN_FAILED}
_NO_ANSWER = frozenset({ErrorClass.TRANSIENT, ErrorClass.TIMEOUT})


def _standing(state: RunState, subject: Subject, stage: StageName) -> object:
    """How an attempt stands; another as soon as anything was heard of it. A coordinator that takes
    over has heard nothing, and never will."""
    if subject.ordinal and subject not in state.images:
        return None
    if subject.group and subject.group not in state.groups:
        return None
    page = state.of(subject)
    probes = state.calls[stage].probes
    return state.coordinators, probes, page.attempts[stage], page.resolved(stage)


@dataclass(slots=True)
class _Line:
    """One stage: first attempts that were begun, since when; retries that are recorded; the latest
    answers since its breaker closed (true: there was none); who is on probation, as it stood."""

    answers: deque[bool]
    firsts: int = 0
    since: float | None = None
    retries: int = 0
    left_alone: bool = False
    probe: tuple[Subject, object] | None = None


@dataclass(slots=True)
class Calls:
    """Told of everything before the ledger is."""

    plan: LogicalPlan
    lines: dict[StageName, _Line] = field(init=False)
    coordinators: int = 0
    alerts: list[e.AlertRaised] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.lines = {
            stage.name: _Line(deque(maxlen=stage.spec.breaker.of if stage.spec.breaker else 1))
            for stage in self.plan.stages
        }

    def begun(self, known: Ledger, order: Order, wall: float, state: RunState) -> Iterator[Wrong]:
        """An order begins: what is wrong with it."""
        for stage in order.stages:
            line = self.lines[stage]
            if stage not in known.of(order.subject).tries:
                line.firsts += 1
            line.since = wall if line.since is None else line.since
            # As the coordinator sees it, which need not wait for the disk.
            if (calls := state.calls.get(stage)) is not None and calls.left_alone:
                yield self._is_left_alone(stage, line, state)
                line.probe = (order.subject, _standing(state, order.subject, stage))

    def recorded(
        self, known: Ledger, events: Sequence[e.Event], event: e.Event, wall: float
    ) -> Iterator[Wrong]:
        """One of these events is durable: what is wrong with it."""
        match event:
            case e.RunStarted() | e.RunResumed():
                self.coordinators += 1
            case e.TaskSucceeded() | e.TaskFailed():
                line = self.lines[event.stage]
                line.retries += event.stage in known.of(event.subject).tries
                yield self._keeps_its_budget(event.stage, line, wall)
                self._answered(line, event)
                yield self._opens_its_breaker(event.stage, line, events)
            case e.BreakerOpened():
                self.lines[event.stage].left_alone = True
                yield self._tells_of_it(event, events)
            case e.BreakerClosed():
                line = self.lines[event.stage]
                line.left_alone = False
                line.answers.clear()
            case e.AlertRaised():
                yield self._calls_once(event)
                self.alerts.append(event)
            case e.RunSettled() if event.status in _ENDS:
                self.ends[_ENDS[event.status]] += 1
                yield self._calls_somebody(event, events)

    @staticmethod
    def _answered(line: _Line, event: e.TaskSucceeded | e.TaskFailed) -> None:
        died = isinstance(event, e.TaskFailed) and event.error is ErrorClass.WORKER_DIED
        if not line.left_alone and not died:
            line.answers.append(isinstance(event, e.TaskFailed) and event.error in _NO_ANSWER)

    def _keeps_its_budget(self, stage: StageName, line: _Line, wall: float) -> Wrong:
        """Retries are no more than the share of first attempts, five, and one for each second in
        which the stage could be quiet; whoever executes the run."""
        share = self.plan.stage(stage).spec.retry.budget
        if share is None or line.since is None:
            return None
        quiet = (wall - line.since) / QUIET + self.coordinators
        most = FLOOR + share * line.firsts + quiet
        if line.retries > most:
            return f"{line.retries} retries of {stage} for {line.firsts} first attempts in {quiet}"
        return None

    def _opens_its_breaker(self, stage: StageName, line: _Line, events: Sequence[e.Event]) -> Wrong:
        """Whoever does not answer is left alone."""
        policy = self.plan.stage(stage).spec.breaker
        if policy is None or line.left_alone or sum(line.answers) < policy.failures:
            return None
        opens = any(isinstance(one, e.BreakerOpened) and one.stage == stage for one in events)
        return None if opens else f"{stage} gets no answer and is not left alone: {line.answers}"

    def _is_left_alone(self, stage: StageName, line: _Line, state: RunState) -> Wrong:
        """... but for one attempt at a time, by which it is found out whether it answers again."""
        if line.probe is None or line.probe[1] != _standing(state, line.probe[0], stage):
            return None
        return f"{stage} is left alone and called twice at once, by {line.probe[0]} before"

    def _tells_of_it(self, event: e.BreakerOpened, events: Sequence[e.Event]) -> Wrong:
        raised = (one for one in (*self.alerts, *events) if isinstance(one, e.AlertRaised))
        told = any(
            one.cause == AlertCause.BREAKER_OPENED and one.stage == event.stage for one in raised
        )
        return None if told else f"{event} and nobody is told"

    def _calls_once(self, alert: e.AlertRaised) -> Wrong:
        """People are called once for each cause and what it is about, and not a thousand times."""
        before = [one for one in self.alerts if one.cause == alert.cause]
        ends = alert.cause in {cause.value for cause in _ENDS.values()}
        same = any((one.about, one.stage) == (alert.about, alert.stage) for one in before)
        if alert.number != len(self.alerts) + 1 or (not ends and (same or len(before) >= MOST)):
            return f"{alert} after {before}"
        return None

    def _calls_somebody(self, event: e.RunSettled, events: Sequence[e.Event]) -> Wrong:
        """Whoever is needed is called."""
        cause = _ENDS[event.status]
        raised = [one for one in events if isinstance(one, e.AlertRaised)]
        before = sum(one.cause == cause for one in self.alerts)
        called = before + sum(one.cause == cause for one in raised if one not in self.alerts)
        return None if called >= self.ends[cause] else f"{event} and nobody is called"
