"""What several adapters need of a file system: bytes that are still there after a power cut.

A file is durable once it was fsynced itself and its folder after it got its name. So files are
written under another name, synced, renamed, and the folder synced last.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: Path, data: bytes, mode: int) -> None:
    """Write a new file and make its bytes durable; its name is not, until its folder is synced.

    Raises:
        FileExistsError: something is there already.
    """
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_bytes(folder: str) -> int:
    """What is free on the disk of a folder, or of the nearest one above that is there; for those
    who are not the system's own."""
    place = Path(folder)
    while not place.is_dir() and place != place.parent:
        place = place.parent
    state = os.statvfs(place)
    return state.f_bavail * state.f_frsize
