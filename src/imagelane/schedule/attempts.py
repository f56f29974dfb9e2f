"""What is reported of an attempt, and what follows: a record, a retry, or the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from imagelane.model import events as e
from imagelane.model.alert import AlertCause
from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.outcome import Failure, Skipped
from imagelane.model.plan import LogicalStage
from imagelane.model.policy import FailurePolicy
from imagelane.model.states import Scope
from imagelane.model.work import StageReport
from imagelane.schedule.breaker import Heard
from imagelane.schedule.decided import Decided
from imagelane.schedule.dispatching import Dispatcher
from imagelane.schedule.flight import Flight
from imagelane.schedule.reported import failed, succeeded
from imagelane.schedule.retries import Retries
from imagelane.schedule.retry import retry_delay


class Attempts:
    """Takes in reports. ``draw`` gives random numbers in [0, 1), for the jitter of retries."""

    def __init__(
        self,
        stages: Mapping[StageName, LogicalStage],
        decided: Decided,
        orders: Dispatcher,
        retries: Retries,
        draw: Callable[[], float],
    ) -> None:
        self._stages = stages
        self._decided = decided
        self._orders = orders
        self._retries = retries
        self._draw = draw

    def reported(self, flight: Flight, report: StageReport, now: float) -> None:
        """An order's attempt at one stage is over."""
        order = flight.order
        subject, stage = order.subject, report.stage
        attempt = order.attempts[order.stages.index(stage)]
        if isinstance(report.outcome, Skipped):
            self._decided.emit(e.TaskSkipped(subject, stage, report.outcome.reason))
            return
        heard = self._orders.breakers.heard(stage, order.number, report.outcome, now)
        if isinstance(report.outcome, Failure):
            self._failed(subject, attempt, report.outcome, report, heard, now)
        else:
            self._decided.emit(succeeded(subject, attempt, report.outcome, report))
        if heard is Heard.CLOSED:
            self._decided.emit(e.BreakerClosed(stage))

    def _failed(
        self,
        subject: Subject,
        attempt: int,
        failure: Failure,
        report: StageReport,
        heard: Heard,
        now: float,
    ) -> None:
        stage, spec = report.stage, self._stages[report.stage].spec
        spared = heard is Heard.SPARED
        delay = retry_delay(spec.retry, failure, max(1, attempt - spared), self._draw())
        self._decided.emit(failed(subject, attempt, failure, report, delay, counted=not spared))
        if heard is Heard.OPENED:
            self._decided.emit(e.BreakerOpened(stage))
            said = f"{stage} gets no answer and is left alone for a while: {failure.message}"
            self._decided.alert(AlertCause.BREAKER_OPENED, said, THE_RUN, stage)
        if delay is not None:
            self._retries.later(subject, stage, now + delay)
            return
        reason = f"{stage} failed on {subject}: {failure.message}"
        if spec.on_failure is FailurePolicy.HALT:
            self._decided.halt(reason, subject)
        elif spec.on_failure is FailurePolicy.ABORT_RUN and subject.scope is not Scope.IMAGE:
            self._decided.fail(reason, subject)
