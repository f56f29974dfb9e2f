"""What earlier runs recorded, by what it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from imagelane.model.outcome import Success
from imagelane.model.work import SourceFile


@dataclass(frozen=True, slots=True)
class Recalled:
    """An outcome as it was recorded. ``where`` names the run and the event that holds it."""

    outcome: Success
    where: str


class Recollection(Protocol):
    """Of one workspace, and of one thread. Whatever it does not know is executed: it is a cache,
    made from the journal, and can be thrown away."""

    def outcome(self, key: str) -> Recalled | None:
        """What was recorded for a task's key; its files may be gone by now."""

    def digest(self, file: SourceFile) -> str | None:
        """The digest of a source file: by its size, its time and its number on the disk where
        these are those of a file that was read before; by its bytes where it may have been
        touched, renamed or copied. None where nothing of its size was read before, so nothing can
        be recorded of it."""

    def read(self, file: SourceFile, digest: str) -> None:
        """Remember that a file was read, and what it was."""

    def doubt(self, file: SourceFile) -> None:
        """Believe no more what a file's size and time say: look at its bytes the next time."""

    def close(self) -> None: ...
