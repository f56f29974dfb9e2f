"""The images of a group or of the run, as a group stage is told of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagelane.execute.errors import BugError
from imagelane.model.ids import Digest, StageName
from imagelane.model.outcome import Rendition
from imagelane.model.states import LEFT_THE_GROUP
from imagelane.model.work import Order


@dataclass(frozen=True, slots=True)
class Member:
    """One image. ``missing`` says of each stage without an outcome why it has none."""

    subject: str
    ordinal: int
    name: str
    state: str
    reason: str
    role: str
    columns: Mapping[str, str]
    facts: Mapping[StageName, Mapping[str, Any]]
    renditions: Mapping[StageName, tuple[Rendition, ...]]
    missing: Mapping[StageName, str]
    group: int = 0
    group_name: str = ""

    @property
    def has_left(self) -> bool:
        """Whether it was skipped, rejected or given up, so that nobody will see it."""
        return self.state in LEFT_THE_GROUP


def read_members(order: Order) -> Iterator[Member]:
    """The images of the order's group or run, in published order.

    Raises:
        BugError: the order names no file of them.
    """
    if order.members is None:
        raise BugError(f"subject {order.subject} came without the list of its images")
    with Path(order.members).open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield _member(json.loads(line))


def _member(values: Mapping[str, Any]) -> Member:
    renditions = {
        StageName(stage): tuple(
            Rendition(name, Digest(digest), size, format_, width, height)
            for name, digest, size, format_, width, height in rows
        )
        for stage, rows in values["renditions"].items()
    }
    return Member(
        subject=values["subject"],
        ordinal=values["ordinal"],
        name=values["name"],
        state=values["state"],
        reason=values.get("reason", ""),
        role=values.get("role", ""),
        columns=values.get("columns", {}),
        facts=values.get("facts", {}),
        renditions=renditions,
        missing=values.get("missing", {}),
        group=values.get("group", 0),
        group_name=values.get("group_name", ""),
    )
