"""Facts, append-only: what happened in a run, in an order that respects causality.

Every event is a frozen dataclass whose fields are identities, numbers, strings and JSON values.
`encode` and `decode` give the stored form; a stored event is never changed, and a field that is
added later has a default, so that old journals stay readable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

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
    "VERSION",
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
    "decode",
    "encode",
    "stage_of",
    "subject_of",
    "type_name",
]

VERSION = 1
"""Of the stored form of events."""


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
    """Times are seconds of the machine's monotonic clock, as the worker read it."""

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

_TYPES: Mapping[str, type] = {
    "run_started": RunStarted,
    "run_resumed": RunResumed,
    "group_opened": GroupOpened,
    "image_received": ImageReceived,
    "group_closed": GroupClosed,
    "source_exhausted": SourceExhausted,
    "task_succeeded": TaskSucceeded,
    "task_failed": TaskFailed,
    "task_skipped": TaskSkipped,
    "image_settled": ImageSettled,
    "image_reopened": ImageReopened,
    "group_reopened": GroupReopened,
    "gate_opened": GateOpened,
    "group_settled": GroupSettled,
    "group_rolled_back": GroupRolledBack,
    "withdrawn": Withdrawn,
    "withdrawal_undone": WithdrawalUndone,
    "hold_added": HoldAdded,
    "hold_removed": HoldRemoved,
    "image_erased": ImageErased,
    "erased": Erased,
    "memory_short": MemoryShort,
    "memory_eased": MemoryEased,
    "waited_for_room": WaitedForRoom,
    "breaker_opened": BreakerOpened,
    "breaker_closed": BreakerClosed,
    "run_settled": RunSettled,
    "stop_decided": StopDecided,
    "alert_raised": AlertRaised,
    "alert_settled": AlertSettled,
}
_NAMES: Mapping[type, str] = {kind: name for name, kind in _TYPES.items()}
_FIELDS: Mapping[type, tuple[str, ...]] = {
    kind: tuple(f.name for f in fields(kind) if f.name not in {"subject", "stage"})
    for kind in _TYPES.values()
}
_WITH_SUBJECT = {kind for kind in _TYPES.values() if any(f.name == "subject" for f in fields(kind))}
_WITH_STAGE = {kind for kind in _TYPES.values() if any(f.name == "stage" for f in fields(kind))}
_RENDITION = tuple(f.name for f in fields(Rendition))


def _renditions(value: Any) -> tuple[Rendition, ...]:
    return tuple(Rendition(*row) for row in value)


def _by_state(value: Mapping[str, int]) -> Mapping[ImageState, int]:
    return {ImageState(state): count for state, count in value.items()}


_STATES: Mapping[type, tuple[tuple[str, ...], Callable[[Any], Any]]] = {
    ImageSettled: (("state",), ImageState),
    GroupSettled: (("state",), GroupState),
    ImageReopened: (("settled",), ImageState),
    GroupReopened: (("settled",), GroupState),
    GroupRolledBack: (("settled", "state"), GroupState),
    ImageErased: (("settled",), ImageState),
    Withdrawn: (("settled",), lambda state: state and GroupState(state)),
}
"""Fields of one name that mean states of one kind or another."""

_FROM_JSON: Mapping[str, Callable[[Any], Any]] = {
    "renditions": _renditions,
    "error": ErrorClass,
    "status": RunStatus,
    "over": lambda state: state and GroupState(state),
    "images": lambda value: value if isinstance(value, int) else _by_state(value),
}


def type_name(event: Event) -> str:
    """The stored name of the event's type, e.g. ``task_succeeded``."""
    return _NAMES[type(event)]


def subject_of(event: Event) -> Subject:
    """The subject that the event is about; the run, where it names none."""
    return getattr(event, "subject", Subject())


def stage_of(event: Event) -> StageName | None:
    """The stage that the event is about, if any."""
    return getattr(event, "stage", None)


def encode(event: Event) -> dict[str, Any]:
    """The event's body as JSON values: its type, subject and stage stand beside it."""
    body = {name: getattr(event, name) for name in _FIELDS[type(event)]}
    renditions = body.get("renditions")
    if renditions:
        body["renditions"] = [[getattr(one, name) for name in _RENDITION] for one in renditions]
    return body


def decode(type_name: str, subject: Subject, stage: str | None, body: Mapping[str, Any]) -> Event:
    """The inverse of `encode`.

    Raises:
        KeyError: the type is not known to this version.
        TypeError: the body does not have the type's fields.
    """
    kind = _TYPES[type_name]
    values = {
        name: convert(body[name]) if (convert := _FROM_JSON.get(name)) else body[name]
        for name in body
    }
    if kind in _STATES:
        names, states = _STATES[kind]
        values |= {name: states(values[name]) for name in names}
    if kind in _WITH_SUBJECT:
        values["subject"] = subject
    if kind in _WITH_STAGE:
        values["stage"] = stage
    return cast("Event", kind(**values))
