"""The journal: the append-only record of runs, and the read model that is kept with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from imagelane.model.events import Event
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.states import GroupState, ImageState, RunStatus


class StaleFenceError(Exception):
    """Another coordinator has taken the run over; what this one says is no longer recorded."""


class RunNotFoundError(Exception):
    """The journal holds no such run."""


class JournalError(Exception):
    """The journal cannot be read or written: one line that names it, what was found, and what to do
    next. Whether an `append` that failed so was recorded may be unknown (a disk that failed under
    the commit), so nothing more can be appended: claim the run anew and fold what is there."""


class JournalFullError(JournalError):
    """There is no room on the journal's disk, which is that of ``folder``. Nothing of the call was
    recorded; the same call may be made again when there is room."""

    def __init__(self, message: str, folder: str = "") -> None:
        super().__init__(message)
        self.folder = folder


class RunOwnedError(Exception):
    """Another coordinator that is still alive owns the run."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The right to append to a run. A higher ``fence`` makes every lower one stale."""

    run: RunId
    fence: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as recorded. ``index`` is gapless within its run, from 1; ``at`` is wall-clock time
    in seconds of the epoch."""

    index: int
    at: float
    event: Event


@dataclass(frozen=True, slots=True)
class RunRow:
    run: RunId
    pipeline: str
    plan: str
    model: str
    status: RunStatus
    reason: str
    started: float
    updated: float
    definition: Mapping[str, Any]
    """What is needed to take the run up again: pipeline file, options (JSON values)."""
    owner: str
    fence: int


@dataclass(frozen=True, slots=True)
class ImageRow:
    """``settled`` is set from the moment that no stage of the image is left to do."""

    subject: Subject
    name: str
    path: str
    state: ImageState
    settled: bool
    stage: StageName | None
    reason: str
    role: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    group: int
    name: str
    state: GroupState
    images: int
    reason: str
    manifest: str | None


class MarkKind(StrEnum):
    WITHDRAWN = "withdrawn"
    HOLD = "legal_hold"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person has said of an image, or of a group (``path`` is empty), in one run, and what
    holds in all. ``bytes`` and ``digest`` (empty where it is not known) are those of its file."""

    kind: MarkKind
    run: RunId
    subject: Subject
    group: str
    path: str
    bytes: int
    digest: str
    reason: str
    actor: str
    at: float


class Journal(Protocol):
    """Durable on return: what `append` has accepted survives SIGKILL and a power cut."""

    def create(self, run: RunId, definition: Mapping[str, Any], owner: str) -> Claimed:
        """Begin a run and own it.

        Raises:
            JournalError: the journal cannot be written, or holds a run of this name.
        """

    def claim(self, run: RunId, owner: str) -> Claimed:
        """Take a run over with the next fence.

        Fences rise over all runs of a journal, so that of two runs that publish one group the one
        claimed later goes before.

        Raises:
            RunNotFoundError: no such run.
        """

    def append(self, claimed: Claimed, events: Iterable[tuple[float, Event]]) -> None:
        """Record events (each with its wall-clock time), all or none of them, and bring the read
        model up to date in the same transaction.

        Raises:
            StaleFenceError: the run was claimed by another since.
            RunNotFoundError: no such run.
            JournalError: it cannot be written, or an event contradicts what is recorded (an image
                received twice, or into a group that was never opened).
        """

    def events(
        self, run: RunId, *, after: int = 0, subject: Subject | None = None
    ) -> Iterator[Recorded]:
        """Events in the order of their index; of one subject, if it is given (a group's own, not
        its members')."""

    def members(self, run: RunId, group: int) -> Iterator[Recorded]:
        """The events of all images of a group, in the order of ordinal, then index."""

    def runs(self) -> list[RunRow]:
        """All runs, newest first."""

    def images(
        self, run: RunId, *, group: int | None = None, states: frozenset[ImageState] | None = None
    ) -> Iterator[ImageRow]:
        """In published order."""

    def groups(self, run: RunId, *, after: int = 0) -> Iterator[GroupRow]:
        """In published order, those whose number is above ``after``."""

    def marks(self) -> list[Mark]:
        """What stands, over all runs: withdrawals that nobody has undone, holds that nobody has
        removed. Undoing one does away with all of its kind about the same: the group, the path in
        it, or the digest."""

    def image_counts(self, run: RunId) -> Mapping[ImageState, int]:
        """How many images are in each state; they add up to what was received."""

    def close(self) -> None: ...
