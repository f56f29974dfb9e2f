"""What was decided: applied to the state at once, and kept until it is asked for."""

from __future__ import annotations

from imagelane.model import events as e
from imagelane.model.alert import AlertCause
from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.policy import Tolerance
from imagelane.model.run import RunState, evolve
from imagelane.model.states import RunStatus
from imagelane.schedule.alerts import alert_of, raised
from imagelane.schedule.tolerance import run_loss


class Decided:
    """The events of a run that is going on, with the alerts that they call for, and the end that
    it is brought to before all is done.

    ``expected`` is how many images the source has; 0: not known before it is exhausted.
    """

    def __init__(self, state: RunState, tolerance: Tolerance, expected: int) -> None:
        self._state = state
        self._tolerance = tolerance
        self._expected = expected
        self._events: list[e.Event] = []
        self.asked: tuple[RunStatus, str] | None = None
        """How and why somebody wants the run to settle before all is done."""

    def take(self) -> list[e.Event]:
        """What was decided since the last call, in order."""
        events, self._events = self._events, []
        return events

    def pending(self, group: int) -> bool:
        """Whether anything was decided of a group, or of its images, since `take`."""
        return any(e.subject_of(event).group == group for event in self._events)

    def emit(self, event: e.Event) -> None:
        alert = alert_of(event, self._state)
        evolve(self._state, event)
        self._events.append(event)
        if alert is not None:
            self.emit(alert)

    def alert(
        self, cause: AlertCause, message: str, about: Subject, stage: StageName | None = None
    ) -> None:
        """Alert a human, unless that was done before."""
        if (alert := raised(self._state, cause, message, str(about), stage)) is not None:
            self.emit(alert)

    @property
    def stopping(self) -> tuple[RunStatus, str] | None:
        """How and why the run shall settle as soon as nothing is in flight; None: it goes on."""
        decided = self._state.stopping
        cancelled = self.asked is not None and self.asked[0] is RunStatus.CANCELLED
        if decided is None or cancelled:
            return self.asked
        return decided.status, decided.reason

    def ask_to_stop(self, status: RunStatus, reason: str) -> None:
        """Somebody wants it to stop: in what was asked for first, unless it is cancelled after
        that. What a failure has decided goes before a pause. No event: it is safe in a signal
        handler, and with the coordinator the wish is gone."""
        if self.asked is None or status is RunStatus.CANCELLED:
            self.asked = (status, reason)

    def halt(self, reason: str, about: Subject) -> None:
        """A failure halts the run, until a human has decided."""
        self._stop(RunStatus.HALTED, reason, about)

    def fail(self, reason: str, about: Subject) -> None:
        """A failure ends the run."""
        self._stop(RunStatus.FAILED, reason, about)

    def weigh_losses(self) -> None:
        """Stop the run if more was lost than is tolerated."""
        if (loss := run_loss(self._tolerance, self._state, self._expected)) is not None:
            self.fail(loss, THE_RUN)

    def _stop(self, status: RunStatus, reason: str, about: Subject) -> None:
        # Recorded at once, for a crash must not undo it; the first one decides.
        if self._state.stopping is None:
            self.emit(e.StopDecided(status, reason, str(about)))
