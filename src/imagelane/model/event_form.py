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
    Erased,
    Event,
    GateOpened,
    GroupClosed,
    GroupOpened,
    GroupReopened,
    GroupRolledBack,
    GroupSettled,
    HoldAdded,
    HoldRemoved,
    ImageErased,
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
    WithdrawalUndone,
    Withdrawn,
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
