"""The images of a group or of the run, as a group stage is told of them."""

from __future__ import annotations

import json
import os
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


def read_members(order: Order, opened: int | None = None) -> Iterator[Member]:
    """The images of the order's group or run, in published order; from the descriptor of the
    order's file of members, where somebody else has opened it.

    Raises:
        BugError: the order names no file of them.
    """
    if order.members is None:
        raise BugError(f"subject {order.subject} came without the list of its images")
    lines = _lines_of(Path(order.members)) if opened is None else _lines_from(opened)
    for line in lines:
        if line.strip():
            yield _member(json.loads(line))


def _lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _lines_from(descriptor: int) -> Iterator[bytes]:
    """Reads at places of its own: who reads in a loop over the same file shares the descriptor."""
    at, held = 0, b""
    while part := os.pread(descriptor, 1 << 16, at):
        at += len(part)
        *lines, held = (held + part).split(b"\n")
        yield from lines
    yield held


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
