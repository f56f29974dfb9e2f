"""The room of one gallery below ``.versions/``: its versions, its history, its lock."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from imagelane.adapters.durable import sync_folder
from imagelane.model.ids import Digest
from imagelane.ports.publisher import Promotion

_UNFINISHED = ".unfinished-"


class Room:
    """A folder in which one process works at a time.

    ``history.jsonl`` has one line for each promotion, written before the pointer is swapped, and
    one for each time that a coordinator took the room over from those before it: so the highest
    fence in it is never lower than that of what is live, and nobody below it may change that.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._history = path / "history.jsonl"

    def version(self, digest: Digest) -> Path:
        """The folder of a version, whether it is there or not."""
        return self.path / digest[:16]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait for the room, and clear away what a process that died left in it."""
        if not self.path.is_dir():
            self.path.mkdir(parents=True, exist_ok=True)
            sync_folder(self.path.parent)
        with (self.path / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for leftover in self.path.glob(f"{_UNFINISHED}*"):
                if leftover.is_dir() and not leftover.is_symlink():
                    shutil.rmtree(leftover)
                else:
                    leftover.unlink()
            yield

    def unfinished(self) -> Path:
        """A new name for something that is not done yet."""
        return self.path / f"{_UNFINISHED}{uuid4().hex}"

    def history(self) -> list[Promotion]:
        """All lines, oldest first. One that a crash cut off counts for nothing."""
        try:
            text = self._history.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        whole = text[: text.rfind("\n") + 1]
        return [
            Promotion(
                one["digest"] and Digest(one["digest"]),
                one["fence"],
                one["at"],
                one.get("gone", False),
            )
            for one in map(json.loads, filter(None, whole.split("\n")))
        ]

    def remember(self, promotion: Promotion) -> None:
        """Add to the history, durably."""
        said: dict[str, Any] = {"digest": promotion.digest, "fence": promotion.fence}
        line = json.dumps(said | {"at": promotion.at} | ({"gone": True} if promotion.gone else {}))
        new = not self._history.exists()
        with self._history.open("a+b") as file:
            _cut_off_line(file.fileno())
            file.write(f"{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_folder(self.path)


def _cut_off_line(descriptor: int) -> None:
    """Shorten a file to its last whole line."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, 4096, max(0, size - 4096))
    if not tail.endswith(b"\n"):
        os.ftruncate(descriptor, size - len(tail) + tail.rfind(b"\n") + 1)
