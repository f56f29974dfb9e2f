"""What was signed of each run, in a folder of the workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from imagelane.adapters.auditing.keys import Keys
from imagelane.adapters.durable import sync_folder

LEAVES = ".leaves"
"""Ends the name of the file of leaves that belongs to a checkpoint."""


class AuditFolder:
    """``keys/``, and for each run ``<run>/<size>.checkpoint`` and ``<run>/leaves``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.keys = Keys(root / "keys")

    def checkpoints(self, run: str) -> list[tuple[Path, str]]:
        """The notes of a run, smallest first, each with its file."""
        return [
            (path, path.read_text(encoding="utf-8", errors="replace"))
            for path in sorted((self._root / run).glob("*.checkpoint"))
        ]

    def leaves(self, run: str) -> Path:
        """The file of leaves; it is there once a checkpoint was made."""
        return self._root / run / "leaves"

    @contextmanager
    def writing(self, run: str) -> Iterator[Callable[[str], object]]:
        """A place to write leaves to; they take the place of those before once all went well."""
        target = self.leaves(run)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".unfinished")
        try:
            with unfinished.open("w", encoding="ascii", newline="\n") as file:
                yield file.write
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)

    def keep(self, run: str, size: int, note: str) -> Path:
        """Keep a checkpoint's note; gives its file. Of one size there is one."""
        target = self._root / run / f"{size:012}.checkpoint"
        unfinished = target.with_suffix(".unfinished")
        unfinished.write_text(note, encoding="utf-8")
        unfinished.replace(target)
        sync_folder(target.parent)
        return target
