"""The source: a cursor over images, in the order of admission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class SourceError(Exception):
    """The source cannot be listed: one line that says what was found, what was expected, and what
    to do next."""


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One image of a source, placed.

    ``sequence`` is its place in the order of admission, from 0; a group's items follow each other,
    its primary first. ``group`` and ``ordinal`` count from 1 in published order and never change.
    ``last`` marks the item after which its group has no more. ``path`` is absolute.
    ``withheld`` says why it is not to be published, if so.
    """

    sequence: int
    group: int
    ordinal: int
    group_name: str
    group_size: int
    name: str
    path: str
    bytes: int
    mtime_ns: int
    last: bool
    role: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    withheld: str = ""


class Source(Protocol):
    """Enumerated once, then frozen: reading it again gives the same items."""

    def items(self, start: int = 0) -> Iterator[SourceItem]:
        """Items from sequence number ``start`` on. Holds no more than a page of them in memory."""

    def count(self) -> tuple[int, int]:
        """(images, groups) in all."""

    def ignored(self) -> Mapping[str, int]:
        """What was listed and left out, by reason."""

    def close(self) -> None: ...
