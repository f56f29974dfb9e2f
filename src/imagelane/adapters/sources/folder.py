"""A folder as a source, or those files below it that a pattern names.

Nothing is opened: a FIFO would wait for ever, a device would answer. Links are not followed out
of the folder, and folders only as themselves, so that no circle is walked.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from imagelane.adapters.sources.candidate import Candidate, LeftOut
from imagelane.adapters.sources.endings import SYSTEM_FOLDERS, no_image
from imagelane.adapters.sources.globs import Glob
from imagelane.ports.source import SourceError

HIDDEN = "hidden"
SYSTEM = "folder of a system"
UNREADABLE = "folder that may not be read"
OUTSIDE = "link out of the source"
LINKED_FOLDER = "link to a folder"
BROKEN = "link that leads nowhere"
SPECIAL = "FIFO, device or socket"
VANISHED = "vanished while it was listed"


class Frontier(Iterable[str], Protocol):
    """The folders that are still to be listed. Iteration goes on over those added meanwhile."""

    def add(self, relative: str) -> None: ...


def walk(
    root: Path, pattern: Glob | None, exclude: Collection[Path], frontier: Frontier
) -> Iterator[Candidate | LeftOut]:
    """Everything below a folder, in no order.

    ``exclude`` are folders to pass over in silence: what imagelane itself keeps and publishes.

    Raises:
        SourceError: the folder itself cannot be read.
    """
    walker = _Walker(os.path.realpath(root), pattern, exclude)
    frontier.add("")
    for relative in frontier:
        for found in walker.list(relative):
            if isinstance(found, str):
                frontier.add(found)
            else:
                yield found


class _Walker:
    def __init__(self, root: str, pattern: Glob | None, exclude: Collection[Path]) -> None:
        self._root = root
        self._inside = root.rstrip("/") + "/"
        self._pattern = pattern
        real = (os.path.realpath(folder) for folder in exclude)
        self._exclude = {folder for folder in real if folder.startswith(self._inside)}

    def list(self, relative: str) -> Iterator[Candidate | LeftOut | str]:
        """What is in one folder; a text is the path of a folder in it."""
        try:
            with os.scandir(f"{self._inside}{relative}") as entries:
                for entry in entries:
                    below = f"{relative}/{entry.name}" if relative else entry.name
                    try:
                        found = self._look(entry, below)
                    except FileNotFoundError:
                        found = LeftOut(VANISHED, below)
                    if found is not None:
                        yield found
        except OSError as error:
            if not relative:
                raise SourceError(
                    f"the folder {self._root} cannot be listed ({error.strerror}): give yourself "
                    "permission to read it, or name another one under images: from"
                ) from error
            gone = isinstance(error, FileNotFoundError | NotADirectoryError)
            yield LeftOut(VANISHED if gone else UNREADABLE, relative)

    def _look(self, entry: os.DirEntry[str], below: str) -> Candidate | LeftOut | str | None:
        if entry.path in self._exclude:
            return None
        if entry.name.startswith("."):
            return LeftOut(HIDDEN, below)
        if entry.is_symlink():
            return self._link(entry, below)
        if entry.is_dir(follow_symlinks=False):
            if entry.name in SYSTEM_FOLDERS:
                return LeftOut(SYSTEM, below)
            return below if self._pattern is None or self._pattern.descends(below) else None
        return self._file(below, entry.path, entry.stat(follow_symlinks=False))

    def _link(self, entry: os.DirEntry[str], below: str) -> Candidate | LeftOut | None:
        path = os.path.realpath(entry.path)
        try:
            found = os.lstat(path)
        except OSError:
            return LeftOut(BROKEN, below)
        if stat.S_ISLNK(found.st_mode):
            return LeftOut(BROKEN, below)
        if not f"{path}/".startswith(self._inside) or any(
            path.startswith(f"{folder}/") for folder in self._exclude
        ):
            return LeftOut(OUTSIDE, below)
        if stat.S_ISDIR(found.st_mode):
            return LeftOut(LINKED_FOLDER, below)
        return self._file(below, path, found)

    def _file(self, below: str, path: str, found: os.stat_result) -> Candidate | LeftOut | None:
        if self._pattern is not None and not self._pattern.matches(below):
            return None
        if not stat.S_ISREG(found.st_mode):
            return LeftOut(SPECIAL, below)
        reason = no_image(below.rpartition("/")[2])
        if reason is not None:
            return LeftOut(reason, below)
        return Candidate(below, path, found.st_size, found.st_mtime_ns, inode=found.st_ino)
