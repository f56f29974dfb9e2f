"""What an event says, in a few words and as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imagelane.model.audit import Told

_STARTED, _ENDED = "started", "finished"
_VERBS = {
    "task_succeeded": "succeeded",
    "task_failed": "failed",
    "task_skipped": "skipped",
    "image_received": "received",
    "image_settled": "settled",
    "image_reopened": "taken up again",
    "group_opened": "group opened",
    "group_closed": "group closed",
    "gate_opened": "gate opened",
    "group_settled": "group settled",
    "group_reopened": "group taken up again",
}


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a stage made."""

    name: str
    digest: str
    bytes: int
    format: str
    width: int
    height: int


def when(told: Told) -> str:
    """The wall-clock time, in UTC, to the microsecond, as ISO 8601 writes it. Where no calendar has
    that moment: the seconds."""
    try:
        moment = datetime.fromtimestamp(told.content.at, UTC)
    except (OverflowError, ValueError, OSError):
        return str(told.content.at)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def event_id(told: Told) -> str:
    """The event's name, unique over all journals: ``<run>/<index>``."""
    return f"{told.content.run}/{told.index}"


def what(told: Told) -> str:
    """The type in words, with its stage and how it came out."""
    kind = told.content.type
    words = _VERBS.get(kind, kind.replace("_", " "))
    if told.content.stage and kind in {"task_succeeded", "task_failed", "task_skipped"}:
        words = f"{told.content.stage} {words}"
    elif told.content.stage:
        words = f"{words}: {told.content.stage}"
    return f"{words} ({told.content.outcome})" if told.content.outcome else words


def field(told: Told, name: str) -> Any:
    """A value of what it says; None where it says none, or where that was erased."""
    return None if told.body is None else told.body.get(name)


def reason(told: Told) -> str:
    """Why, where it says so."""
    return str(field(told, "reason") or field(told, "message") or "")


def actor(told: Told) -> str:
    """Who did it: a person, a worker, or the coordinator."""
    return str(field(told, "actor") or field(told, "worker") or "coordinator")


def duration(told: Told) -> float | None:
    """Seconds of the machine's monotonic clock that an attempt took."""
    began, ended = field(told, _STARTED), field(told, _ENDED)
    if isinstance(began, int | float) and isinstance(ended, int | float):
        return max(0.0, float(ended) - float(began))
    return None


def outputs(told: Told) -> Iterator[Output]:
    """The files that were made."""
    for row in field(told, "renditions") or ():
        yield Output(*row)


def source(told: Told) -> str:
    """The digest of the source file, where the event tells it."""
    return str(field(told, "source_digest") or "")


def facts(told: Told) -> Mapping[str, Any]:
    """What a stage found out."""
    found = field(told, "facts")
    return found if isinstance(found, dict) else {}
