"""What a listing yields before anything is put in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be an image.

    ``relative`` is its path below the source, with slashes; ``path`` the absolute one to read,
    with symbolic links resolved. In a manifest, ``row`` counts from 1 and ``line`` is where it
    stands. A file that a manifest names and that is not there has no bytes: its group must know
    that it is missing.
    """

    relative: str
    path: str
    bytes: int
    mtime_ns: int
    columns: Mapping[str, str] = field(default_factory=dict)
    row: int = 0
    line: int = 0
    inode: int = 0
    """Its number on the disk; 0 where it is not there."""

    @property
    def name(self) -> str:
        return self.relative.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """Below the source; empty for a file at its root."""
        return self.relative.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was listed and is no image, by reason."""

    reason: str
    relative: str
