"""What was made, brought into the target folder, where nobody sees it before it is published."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.errors import TransientError
from imagelane.execute.facts import ancestors
from imagelane.model.outcome import Rendition
from imagelane.ports.artifacts import object_path

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
    for stage, renditions in piece.order.inputs.items():
        if stage in needed:
            for rendition in renditions:
                if rendition.format != "raw":
                    _bring(rendition, piece.shelf.path(rendition.digest), objects)
                    piece.fault("store: a file")
    return Result()


def _bring(rendition: Rendition, origin: Path, objects: Path) -> None:
    target = objects / object_path(rendition.digest)
    if _digest(target) == rendition.digest:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = objects / f".new-{uuid4().hex}"
    try:
        try:
            os.link(origin, unfinished)
        except FileNotFoundError:
            raise TransientError(
                f"rendition {rendition.name!r} is not in the artifact store any more"
            ) from None
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _copy(origin, unfinished)
        if _digest(unfinished) != rendition.digest:
            raise TransientError(
                f"rendition {rendition.name!r} is damaged: what {objects} gave back is not what "
                "was made"
            )
        unfinished.replace(target)
        _sync(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)


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
