"""Artifacts that nothing names any more."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_PREFIX = re.compile(r"[0-9a-f]{2}")
_REST = re.compile(r"[0-9a-f]{62}")


@dataclass(frozen=True, slots=True)
class Garbage:
    """A file of the artifact store, and its size."""

    path: Path
    bytes: int


def garbage(
    artifacts: Path, named: Callable[[str], frozenset[str]], older_than: float
) -> Iterator[Garbage]:
    """The files of a store that are not ``named`` and to which nothing was done for so many
    seconds: younger ones may be of a run that has not recorded them yet. What lies in quarantine is
    left there. One folder of the store is looked at after the other."""
    latest = time.time() - older_than
    for prefix in _folders(artifacts):
        kept: frozenset[str] | None = None
        with os.scandir(artifacts / prefix) as entries:
            for entry in entries:
                if not _REST.fullmatch(entry.name):
                    continue
                if kept is None:
                    kept = named(prefix)
                if f"{prefix}{entry.name}" in kept:
                    continue
                found = entry.stat(follow_symlinks=False)
                if max(found.st_mtime, found.st_ctime) <= latest:
                    yield Garbage(Path(entry.path), found.st_size)


def _folders(artifacts: Path) -> list[str]:
    try:
        with os.scandir(artifacts) as entries:
            return sorted(
                entry.name
                for entry in entries
                if _PREFIX.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            )
    except FileNotFoundError:
        return []
