"""Facts, append-only: what happened in a run, in an order that respects causality.

Every event is a frozen dataclass whose fields are identities, numbers, strings and JSON values.
A stored event is never changed, and a field that is added later has a default, so that old journals
stay readable; `imagelane.model.event_form` gives the stored form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagelane.model.conditions import (
    AlertRaised,
    AlertSettled,
    BreakerClosed,
    BreakerOpened,
    MemoryEased,
    MemoryShort,
    WaitedForRoom,
)
from imagelane.model.ids import Digest, StageName, Subject
from imagelane.model.later import (
    Erased,
    GroupReopened,
    GroupRolledBack,
    HoldAdded,
    HoldRemoved,
    ImageErased,
    ImageReopened,
    WithdrawalUndone,
    Withdrawn,
)
from imagelane.model.outcome import Rendition, Verdict
from imagelane.model.states import ErrorClass, GroupState, ImageState, RunStatus

__all__ = [
    "AlertRaised",
    "AlertSettled",
    "BreakerClosed",
    "BreakerOpened",
    "Erased",
    "Event",
    "GateOpened",
    "GroupClosed",
    "GroupOpened",
    "GroupReopened",
    "GroupRolledBack",
    "GroupSettled",
    "HoldAdded",
    "HoldRemoved",
    "ImageErased",
    "ImageReceived",
    "ImageReopened",
    "ImageSettled",
    "MemoryEased",
    "MemoryShort",
    "RunResumed",
    "RunSettled",
    "RunStarted",
    "SourceExhausted",
    "StopDecided",
    "TaskFailed",
    "TaskSkipped",
    "TaskSucceeded",
    "WaitedForRoom",
    "WithdrawalUndone",
    "Withdrawn",
    "stage_of",
    "subject_of",
]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """What holds for all that follows: ``stages`` gives the digest of each stage as declared,
    ``versions`` those of the program and the libraries that it works with, ``actor`` who began
    it."""

    pipeline: str
    plan: str
    model: str
    options: Mapping[str, Any]
    stages: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    actor: str = ""


@dataclass(frozen=True, slots=True)
class RunResumed:
    """A coordinator took the run over, with a new fence; what was in flight is dispatched anew.
    ``versions`` and ``actor`` hold from here on."""

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    actor: str = ""


@dataclass(frozen=True, slots=True)
class GroupOpened:
    subject: Subject
    name: str


@dataclass(frozen=True, slots=True)
class ImageReceived:
    """``role`` is ``primary``, a role of the manifest, or empty. ``sequence`` is its place in the
    order of admission, from 0. ``withheld`` says why it settles as withdrawn at once: somebody has
    withdrawn it before."""

    subject: Subject
    sequence: int
    name: str
    path: str
    bytes: int
    mtime_ns: int
    role: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class GroupClosed:
    """The source will yield no more members; ``images`` is how many there are. ``at`` is
    wall-clock time in seconds of the epoch: a gate's timeout counts from here, over restarts."""

    subject: Subject
    images: int
    at: float


@dataclass(frozen=True, slots=True)
class SourceExhausted:
    groups: int
    images: int


@dataclass(frozen=True, slots=True)
class TaskSucceeded:
    """Times are seconds of the machine's monotonic clock, as the worker read it.

    ``key`` is a digest of all that the outcome depends on, empty where that is not known: the same
    key, the same outcome. ``reused``, where it was taken from the record instead of executed, names
    the run and the event that holds it: ``20261123-225900-k3f9#17``.
    """

    subject: Subject
    stage: StageName
    attempt: int
    renditions: tuple[Rendition, ...]
    facts: Mapping[str, Any]
    verdict: Verdict | None
    worker: str
    started: float
    finished: float
    cpu: float = 0.0
    decoded_bytes: int = 0
    source_digest: str | None = None
    key: str = ""
    reused: str = ""


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """``retry_in`` (seconds) is None when it was the last attempt and the policy applies.
    ``counted`` is False where it is not among the attempts that a task has: it only found out that
    a service does not answer yet."""

    subject: Subject
    stage: StageName
    attempt: int
    error: ErrorClass
    message: str
    detail: str
    retry_in: float | None
    worker: str
    started: float
    finished: float
    cpu: float = 0.0
    decoded_bytes: int = 0
    source_digest: str | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class TaskSkipped:
    subject: Subject
    stage: StageName
    reason: str


@dataclass(frozen=True, slots=True)
class ImageSettled:
    """No stage of the image is left to do.

    ``state`` PROCESSING means: whole, and published as soon as its group is.
    """

    subject: Subject
    state: ImageState
    stage: StageName | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GateOpened:
    """``present`` members go on into the group stages, ``gone`` have left the group."""

    subject: Subject
    stage: StageName
    present: int
    gone: int


@dataclass(frozen=True, slots=True)
class GroupSettled:
    subject: Subject
    state: GroupState
    reason: str = ""
    manifest: Digest | None = None


@dataclass(frozen=True, slots=True)
class RunSettled:
    """The run stands still: for good (finished, failed, cancelled) or until it is resumed."""

    status: RunStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StopDecided:
    """A failure ends or halts the run: nothing more is begun, what is in flight finishes, and then
    the run settles in ``status``. A coordinator that takes over in between keeps to it. ``about``
    is the subject that failed, as text."""

    status: RunStatus
    reason: str
    about: str = "run"


Event = (
    RunStarted
    | RunResumed
    | GroupOpened
    | ImageReceived
    | GroupClosed
    | SourceExhausted
    | TaskSucceeded
    | TaskFailed
    | TaskSkipped
    | ImageSettled
    | ImageReopened
    | GroupReopened
    | GateOpened
    | GroupSettled
    | GroupRolledBack
    | Withdrawn
    | WithdrawalUndone
    | HoldAdded
    | HoldRemoved
    | ImageErased
    | Erased
    | MemoryShort
    | MemoryEased
    | WaitedForRoom
    | BreakerOpened
    | BreakerClosed
    | RunSettled
    | StopDecided
    | AlertRaised
    | AlertSettled
)


def subject_of(event: Event) -> Subject:
    """The subject that the event is about; the run, where it names none."""
    return getattr(event, "subject", Subject())


def stage_of(event: Event) -> StageName | None:
    """The stage that the event is about, if any."""
    return getattr(event, "stage", None)
