"""What stands in the way of an attempt and is not its subject's doing.

A full disk, a folder that cannot be written and an artifact that was damaged say nothing about an
image. So an attempt that met one counts for nothing: it is made again when the way is free.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import StrEnum


class ObstacleKind(StrEnum):
    """``full``: there is no room; ``unwritable``: read-only, or without permission; ``damaged``:
    an artifact is gone, or is not what its digest says."""

    FULL = "full"
    UNWRITABLE = "unwritable"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """``where`` is a folder, or the digest of what is damaged; ``needed`` is in bytes."""

    kind: ObstacleKind
    where: str
    needed: int = 0


_KINDS = {
    errno.ENOSPC: ObstacleKind.FULL,
    errno.EDQUOT: ObstacleKind.FULL,
    errno.EROFS: ObstacleKind.UNWRITABLE,
    errno.EACCES: ObstacleKind.UNWRITABLE,
}


def obstacle_of(error: OSError, folder: object, needed: int = 0) -> Obstacle | None:
    """What a failed write to a folder met; None where it was something else."""
    kind = _KINDS.get(error.errno or 0)
    return None if kind is None else Obstacle(kind, str(folder), needed)
