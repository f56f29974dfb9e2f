"""What people decide of what has failed or waits, and what they ask of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from imagelane.model.ids import StageName, Subject
from imagelane.model.states import ErrorClass, GroupState, ImageState


class Verb(StrEnum):
    """What shall become of a subject that is settled."""

    RETRY = "retry"
    """What failed is tried again, with new attempts; what was done stays done."""
    SKIP = "skip"
    """The image leaves its group, which goes live without it."""
    ABORT = "abort"
    """The image is dead, and nothing of its group goes live. Of a group: it is aborted."""
    APPROVE = "approve"
    """The verdict that kept the image back is overruled."""
    REJECT = "reject"
    """The image is rejected, by a person instead of a stage."""
    WITHDRAW = "withdraw"
    """The image is shown no more."""
    RESTORE = "restore"
    """The withdrawal is undone."""


RESOLVES = (Verb.RETRY, Verb.SKIP, Verb.ABORT, Verb.APPROVE, Verb.REJECT)
"""What `imagelane resolve` offers; the others are more than a decision."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``word`` is how the record calls it: the verb, or ``redrive``, ``regenerate``. ``again``
    names stages that are executed anew although they succeeded, with all that follows of them."""

    subject: Subject
    verb: Verb
    reason: str
    actor: str
    word: str = ""
    again: frozenset[StageName] = frozenset()


@dataclass(frozen=True, slots=True)
class Request:
    """What a running coordinator is asked for: ``pause``, ``cancel``, or to carry out decisions."""

    kind: str
    reason: str
    actor: str
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A stage that failed for good on an image, a group or the run, and was not done since.

    ``at`` is wall-clock time in seconds of the epoch; ``state`` is what became of the subject.
    """

    subject: Subject
    name: str
    path: str
    stage: StageName
    error: ErrorClass
    message: str
    detail: str
    attempts: int
    at: float
    state: ImageState | GroupState | None


TAKES: Mapping[Verb, frozenset[ImageState]] = {
    Verb.RETRY: frozenset(
        {
            ImageState.HELD,
            ImageState.DEAD,
            ImageState.SKIPPED,
            ImageState.PARTIAL,
            ImageState.REJECTED,
        }
    ),
    # A skipped one may have been left out only because of its group, which could be taken up.
    Verb.SKIP: frozenset(
        {ImageState.HELD, ImageState.DEAD, ImageState.PARTIAL, ImageState.SKIPPED}
    ),
    Verb.ABORT: frozenset({ImageState.HELD}),
    Verb.APPROVE: frozenset({ImageState.HELD, ImageState.REJECTED}),
    Verb.REJECT: frozenset({ImageState.HELD}),
    # Processing: whole.
    Verb.WITHDRAW: frozenset(
        {
            ImageState.PROCESSING,
            ImageState.PARTIAL,
            ImageState.SKIPPED,
            ImageState.REJECTED,
            ImageState.DEAD,
            ImageState.HELD,
        }
    ),
    Verb.RESTORE: frozenset({ImageState.WITHDRAWN}),
}
"""The states in which an image must have settled for each decision."""

BECOMES: Mapping[Verb, ImageState] = {
    Verb.SKIP: ImageState.SKIPPED,
    Verb.ABORT: ImageState.DEAD,
    Verb.REJECT: ImageState.REJECTED,
    Verb.WITHDRAW: ImageState.WITHDRAWN,
}
"""What decisions make of an image at once."""
