"""Files brought into a version: linked where that can be done, copied where not, and read back."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from imagelane.adapters.durable import file_digest
from imagelane.model.ids import Digest
from imagelane.model.obstacle import Obstacle, ObstacleKind
from imagelane.ports.artifacts import QUARANTINE, ArtifactDamagedError, object_path
from imagelane.ports.publisher import PublishedFile, PublishError

READ_ONLY = 0o444

_NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES})


def bring(file: PublishedFile, place: Path, origins: Sequence[Path]) -> None:
    """Link or copy a file into a version, from the first store that has its bytes.

    Raises:
        ArtifactDamagedError: a store has it under its digest, with other bytes.
        PublishError: none has it.
    """
    damaged = False
    for origin in origins:
        try:
            _link_or_copy(origin / object_path(file.digest), place)
        except FileNotFoundError:
            continue
        if file_digest(place) == file.digest:
            return
        damaged = True
        place.unlink()
        _put_aside(origin / object_path(file.digest), file.digest, origin)
    if damaged:
        raise ArtifactDamagedError(
            f"{file.name!r} is damaged where it was stored (artifact {file.digest}): nothing "
            "of its group was published; make it again with a new run",
            file.digest,
        )
    raise PublishError(
        f"{file.name!r} is not stored (artifact {file.digest}): looked in "
        f"{' and '.join(map(str, origins))}; make it again with a new run",
        obstacle=Obstacle(ObstacleKind.DAMAGED, file.digest),
    )


def _put_aside(path: Path, digest: Digest, store: Path) -> None:
    """Keep what turned out damaged where nobody takes it for what it was."""
    quarantine = store / QUARANTINE
    quarantine.mkdir(exist_ok=True)
    with suppress(FileNotFoundError):
        path.rename(quarantine / f"{digest}-{uuid4().hex}")


def holds(path: Path, digest: Digest) -> bool:
    """Whether a file is there, with these bytes."""
    try:
        return file_digest(path) == digest
    except FileNotFoundError:
        return False


def _link_or_copy(origin: Path, place: Path) -> None:
    try:
        os.link(origin, place, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        with origin.open("rb") as source, place.open("xb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fchmod(copy.fileno(), READ_ONLY)
            os.fsync(copy.fileno())
