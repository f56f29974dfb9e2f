"""Why a stage gives up, in the classes that decide whether another attempt can help."""

from __future__ import annotations

from imagelane.model.states import ErrorClass


class StageError(Exception):
    """A stage cannot do its work.

    ``message`` is one line for a person: what was found, what was expected, what to do next.
    ``detail`` may be long; ``retry_after`` is in seconds.
    """

    error = ErrorClass.BUG

    def __init__(self, message: str, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.retry_after = retry_after


class InvalidError(StageError):
    """The input is bad: the same attempt would fail again."""

    error = ErrorClass.INVALID


class TransientError(StageError):
    """It may pass: worth another attempt."""

    error = ErrorClass.TRANSIENT


class DeadlineError(StageError):
    """The stage's own timeout went by."""

    error = ErrorClass.TIMEOUT


class BugError(StageError):
    """Something is wrong with a stage's code, its installation or its answer."""

    error = ErrorClass.BUG
