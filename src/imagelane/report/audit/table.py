"""The audit trail as comma-separated values (RFC 4180), for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from imagelane.model.audit import Told
from imagelane.report.audit.saying import (
    actor,
    duration,
    event_id,
    field,
    outputs,
    reason,
    source,
    when,
)

COLUMNS = (
    "event",
    "index",
    "at",
    "type",
    "subject",
    "name",
    "stage",
    "attempt",
    "fence",
    "actor",
    "outcome",
    "reason",
    "seconds",
    "source",
    "outputs",
    "parents",
    "digest",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(events: Iterable[Told]) -> Iterator[str]:
    """The lines, the first one names the columns. What a spreadsheet would take for a formula gets
    an apostrophe in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for told in events:
        writer.writerow(map(_safe, _row(told)))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if rest := buffer.getvalue():
        yield rest


def _row(told: Told) -> tuple[str, ...]:
    took = duration(told)
    made = " ".join(f"{one.name}:{one.digest}" for one in outputs(told))
    return (
        event_id(told),
        str(told.index),
        when(told),
        told.content.type,
        str(told.content.subject),
        str(field(told, "name") or ""),
        told.content.stage or "",
        str(field(told, "attempt") or ""),
        str(told.content.fence),
        actor(told),
        told.content.outcome,
        reason(told),
        "" if took is None else f"{took:.6f}",
        source(told),
        made,
        " ".join(map(str, told.leaf.parents)),
        told.leaf.content,
    )


def _safe(value: str) -> str:
    text = value.encode(errors="backslashreplace").decode()
    return f"'{text}" if text.startswith(_FORMULA) else text
