"""Facts, append-only: what happened in a run, in an order that respects causality.

Every event is a frozen dataclass whose fields are identities, numbers, strings and JSON values.
`encode` and `decode` give the stored form; a stored event is never changed, and a field that is
added later has a default, so that old journals stay readable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

from imagelane.model.ids import Digest, StageName, Subject
from imagelane.model.outcome import Rendition, Verdict
from imagelane.model.states import ErrorClass, GroupState, ImageState, RunStatus

VERSION = 1
"""Of the stored form of events."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    pipeline: str
    plan: str
    model: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunResumed:
    """A coordinator took the run over, with a new fence; what was in flight is dispatched anew."""

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupOpened:
    subject: Subject
    name: str


@dataclass(frozen=True, slots=True)
class ImageReceived:
    """``role`` is ``primary``, a role of the manifest, or empty. ``sequence`` is its place in the
    order of admission, from 0."""

    subject: Subject
    sequence: int
    name: str
    path: str
    bytes: int
    mtime_ns: int
    role: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


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
    """``retry_in`` (seconds) is None when it was the last attempt and the policy applies."""

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
class MemoryShort:
    """Too little memory is left on the machine, or in its container, to begin anything beside what
    is in hand: ``available`` bytes of ``limit``. One order at a time goes on."""

    available: int
    limit: int


@dataclass(frozen=True, slots=True)
class MemoryEased:
    """Memory is not short any more."""

    available: int
    limit: int


@dataclass(frozen=True, slots=True)
class RunSettled:
    """The run stands still: for good (finished, failed, cancelled) or until it is resumed."""

    status: RunStatus
    reason: str = ""


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
    | GateOpened
    | GroupSettled
    | MemoryShort
    | MemoryEased
    | RunSettled
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
    "gate_opened": GateOpened,
    "group_settled": GroupSettled,
    "memory_short": MemoryShort,
    "memory_eased": MemoryEased,
    "run_settled": RunSettled,
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


_FROM_JSON: Mapping[str, Callable[[Any], Any]] = {
    "renditions": _renditions,
    "error": ErrorClass,
    "status": RunStatus,
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
    if kind is ImageSettled:
        values["state"] = ImageState(values["state"])
    elif kind is GroupSettled:
        values["state"] = GroupState(values["state"])
    if kind in _WITH_SUBJECT:
        values["subject"] = subject
    if kind in _WITH_STAGE:
        values["stage"] = stage
    return cast("Event", kind(**values))
