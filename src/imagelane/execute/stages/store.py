"""What was made, brought into the target folder, where nobody sees it before it is published."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.errors import damaged, writing_to
from imagelane.execute.facts import ancestors
from imagelane.execute.shelf import Shelf
from imagelane.model.outcome import Rendition
from imagelane.ports.artifacts import QUARANTINE, object_path

OBJECTS = ".objects"
"""Below the target: files under their digest, laid out as in the artifact store."""
_READ_ONLY = 0o444
_NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES})


class Parameters(TypedDict):
    to: str


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """The files of all stages that it needs, directly or not; pictures in the raw stay behind."""
    piece = attempt.piece
    objects = Path(piece.opening.folder, parameters["to"], OBJECTS)
    needed = ancestors(attempt.stage, piece.opening)
    unsynced: set[Path] = set()
    for stage, renditions in piece.order.inputs.items():
        if stage in needed:
            for rendition in renditions:
                if rendition.format != "raw":
                    with writing_to(objects, rendition.bytes):
                        unsynced |= _bring(rendition, piece.shelf, objects)
                    piece.fault("store: a file")
    # All names first, then all syncs: the first makes most of the others free.
    for folder in unsynced:
        with writing_to(objects, 0):
            _sync(folder)
    return Result()


def _bring(rendition: Rendition, shelf: Shelf, objects: Path) -> set[Path]:
    """Bring one file under its digest; gives the folders that are not durable yet."""
    target = objects / object_path(rendition.digest)
    found = _digest(target)
    if found == rendition.digest:
        # Whoever brought it may not have come to this.
        return {target.parent}
    if found is not None:
        _put_aside(target, objects)
    unsynced = {target.parent}
    if not target.parent.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        unsynced.add(objects)
    origin = shelf.path(rendition.digest)
    unfinished = objects / f".new-{uuid4().hex}"
    try:
        try:
            os.link(origin, unfinished)
        except FileNotFoundError:
            raise damaged(
                rendition.name, rendition.digest, "is not in the artifact store any more"
            ) from None
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _copy(origin, unfinished)
        if _digest(unfinished) != rendition.digest:
            if _digest(origin) != rendition.digest:
                shelf.put_aside(rendition.digest)
            raise damaged(
                rendition.name,
                rendition.digest,
                f"is damaged: {objects} got other bytes",
            )
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return unsynced


def _put_aside(path: Path, objects: Path) -> None:
    quarantine = objects / QUARANTINE
    quarantine.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.rename(quarantine / f"{path.parent.name}{path.name}-{uuid4().hex}")


def _copy(origin: Path, target: Path) -> None:
    with origin.open("rb") as source, target.open("xb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
        copy.flush()
        os.fchmod(copy.fileno(), _READ_ONLY)
        os.fsync(copy.fileno())


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
