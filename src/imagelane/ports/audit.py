"""The journal as an auditor reads it: rows as they are stored, and the keys of their commitments;
and where checkpoints go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from imagelane.model.ids import RunId, Subject


class AnchorError(Exception):
    """A checkpoint did not get to where it was to be kept: one line that says why."""


class SigningError(Exception):
    """A key cannot be made, read or used: one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An event exactly as it is stored. ``key`` is its subject's; None where none was made yet, or
    where it was thrown away."""

    run: RunId
    index: int
    at: float
    fence: int
    type: str
    subject: Subject
    stage: str | None
    body: str
    key: bytes | None


class AuditLog(Protocol):
    """A journal's events without any of the readings that other rooms make of them."""

    def stored(self, run: RunId, *, after: int = 0) -> Iterator[Stored]:
        """The events in the order of their index.

        Raises:
            RunNotFoundError: no such run.
        """

    def make_keys(self, run: RunId) -> None:
        """Give every subject that has events and no key yet a key: 32 random bytes."""

    def close(self) -> None: ...


class Anchor(Protocol):
    """Where a checkpoint is kept that those who can change the journal cannot change."""

    def keep(self, name: str, note: str, leaves: Path) -> str:
        """Keep a note under a name; gives where. ``leaves`` is the file of the leaves that it was
        made from: who can keep files keeps a copy, from which a change's place can be told.

        Raises:
            AnchorError: it could not be kept.
        """
