"""The read model as JSON values, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from imagelane.model.ids import Subject
from imagelane.report import wording
from imagelane.report.view import History, RunView

_SHOWN_ELSEWHERE = frozenset({"run", "histories", "workers", "workers_left", "piece", "every"})
_HEAVY = frozenset({"cards", "sheet"})


def run_data(view: RunView) -> dict[str, Any]:
    """A run's counts, times, groups and losses; single images only as examples.

    Counts by state add up to ``received``. Times are seconds; moments are UTC, ISO 8601.
    """
    row = view.run
    head = {
        "run": row.run,
        "pipeline": row.pipeline,
        "plan": row.plan,
        "model": row.model,
        "status": row.status.value,
        "reason": row.reason,
    }
    body = {
        one.name: _json(getattr(view, one.name))
        for one in fields(view)
        if one.name not in _SHOWN_ELSEWHERE | _HEAVY
    }
    body |= {"started": wording.iso(view.started), "ended": wording.iso(view.ended)}
    body["groups"] = {"states": body["groups"], "listed": body.pop("group_rows")}
    body["groups"]["not_listed"] = body.pop("groups_left")
    return head | body


def history_data(history: History, published: Mapping[str, str]) -> dict[str, Any]:
    """All that is recorded of one subject; ``published`` gives the file that people see for a
    rendition's digest."""
    data: dict[str, Any] = _json(history)
    for entry in data["entries"]:
        entry["at"] = wording.iso(entry["at"])
        for rendition in entry["renditions"]:
            file = published.get(rendition["digest"])
            if file is not None:
                rendition["published"] = file
    return data


def _json(value: Any) -> Any:
    match value:
        case Subject():
            return str(value)
        case Enum():
            return value.value
        case Mapping():
            return {str(_json(key)): _json(one) for key, one in value.items()}
        case list() | tuple():
            return [_json(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {
            one.name: _json(getattr(value, one.name))
            for one in fields(value)
            if one.name not in _HEAVY
        }
    return value
