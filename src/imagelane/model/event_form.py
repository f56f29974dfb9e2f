"""The stored form of events: a type's name, and its fields as JSON values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, cast

from imagelane.model.events import (
    AlertRaised,
    AlertSettled,
    BreakerClosed,
    BreakerOpened,
    Event,
    GateOpened,
    GroupClosed,
    GroupOpened,
    GroupReopened,
    GroupSettled,
    ImageReceived,
    ImageReopened,
    ImageSettled,
    MemoryEased,
    MemoryShort,
    RunResumed,
    RunSettled,
    RunStarted,
    SourceExhausted,
    StopDecided,
    TaskFailed,
    TaskSkipped,
    TaskSucceeded,
    WaitedForRoom,
)
from imagelane.model.ids import Subject
from imagelane.model.outcome import Rendition
from imagelane.model.states import ErrorClass, GroupState, ImageState, RunStatus

VERSION = 1
"""Of the stored form of events."""

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


_STATES: Mapping[type, tuple[str, Callable[[Any], Any]]] = {
    ImageSettled: ("state", ImageState),
    GroupSettled: ("state", GroupState),
    ImageReopened: ("settled", ImageState),
    GroupReopened: ("settled", GroupState),
}
"""A field of one name that means states of one kind or another."""

_FROM_JSON: Mapping[str, Callable[[Any], Any]] = {
    "renditions": _renditions,
    "error": ErrorClass,
    "status": RunStatus,
}


def type_name(event: Event) -> str:
    """The stored name of the event's type, e.g. ``task_succeeded``."""
    return _NAMES[type(event)]


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
        name, states = _STATES[kind]
        values[name] = states(values[name])
    if kind in _WITH_SUBJECT:
        values["subject"] = subject
    if kind in _WITH_STAGE:
        values["stage"] = stage
    return cast("Event", kind(**values))
