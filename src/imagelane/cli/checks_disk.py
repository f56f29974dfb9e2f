"""Checks of the disk that a workspace is on. All is tried in a folder that is removed again."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from imagelane.cli.checks import Finding, missing, ok, warning
from imagelane.ports.artifacts import QUARANTINE
from imagelane.report.wording import count, number, seconds, size

DISK = "Disk"
ENOUGH = 2 * 10**9
LEAST = 100 * 10**6
ENOUGH_FILES = 50_000
SLOW = 0.05
"""Seconds for one fsync from which on the journal is felt."""
SQLITE = (3, 51, 3)
"""Versions from 3.7.0 to 3.51.2 can damage a database in WAL mode."""
_SHARED = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "glusterfs", "ceph"})


def disk_checks(workspace: Path) -> Iterator[Finding]:
    """Room, permission, durability, links, and a journal, where the workspace is or would be."""
    place = workspace.absolute()
    while not place.is_dir() and place != place.parent:
        place = place.parent
    yield from _room(place)
    try:
        folder = Path(tempfile.mkdtemp(prefix=".imagelane-doctor-", dir=place))
    except OSError as error:
        yield missing(
            DISK, "writing", f"{place} cannot be written: {error.strerror}",
            "give yourself permission, or name another place with --workspace",
        )  # fmt: skip
        return
    try:
        yield ok(DISK, "writing", f"{place} can be written")
        yield _fsync(folder)
        yield from _links(folder)
        yield _journal(folder, _type_of(place))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    yield from _quarantine(workspace)


def _quarantine(workspace: Path) -> Iterator[Finding]:
    inside = workspace / ".imagelane"
    place = (inside if inside.is_dir() else workspace) / "artifacts" / QUARANTINE
    aside = sum(1 for _ in place.iterdir()) if place.is_dir() else 0
    if aside:
        yield warning(
            DISK, "quarantine", f"{count(aside, 'damaged artifact')} in {place}",
            "they were made again; check the disk, then delete them",
        )  # fmt: skip


def _room(place: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(place).free
    found = f"{size(free)} free"
    then = "make room: renditions take about as much as the photographs"
    if free < LEAST:
        yield missing(DISK, "room", found, then)
    elif free < ENOUGH:
        yield warning(DISK, "room", found, then)
    else:
        yield ok(DISK, "room", found)
    state = os.statvfs(place)
    # File systems that make inodes as they need them say 0 of 0.
    if state.f_files and state.f_favail < ENOUGH_FILES:
        yield warning(
            DISK, "files", f"room for {number(state.f_favail)} more files", "remove some files"
        )


def _fsync(folder: Path) -> Finding:
    taken = []
    try:
        with (folder / "fsync").open("wb", buffering=0) as file:
            for _ in range(7):
                file.write(bytes(4096))
                before = time.monotonic()
                os.fsync(file.fileno())
                taken.append(time.monotonic() - before)
    except OSError as error:
        return missing(
            DISK, "fsync", f"what is written cannot be made durable: {error.strerror}",
            "check the disk, or name another place with --workspace",
        )  # fmt: skip
    usual = median(taken)
    if usual > SLOW:
        return warning(
            DISK, "fsync", f"fsync takes {seconds(usual)}", "a local disk makes recording faster"
        )
    return ok(DISK, "fsync", f"fsync takes {seconds(usual)}")


def _links(folder: Path) -> Iterator[Finding]:
    file = folder / "file"
    file.write_bytes(b"x")
    if _works(lambda: os.link(file, folder / "hard")):
        yield ok(DISK, "hard links", "hard links")
    else:
        yield warning(
            DISK, "hard links", "no hard links", "published files are copied, and take room twice"
        )
    first, second = folder / "live", folder / "next"

    def swap() -> None:
        first.symlink_to("file")
        second.symlink_to("hard")
        second.replace(first)

    if _works(swap):
        yield ok(DISK, "symbolic links", "symbolic links, swapped in one step")
    else:
        yield missing(
            DISK, "symbolic links", "no symbolic links",
            "galleries go live by swapping one: publish to another file system",
        )  # fmt: skip


def _journal(folder: Path, kind: str) -> Finding:
    import apsw  # noqa: PLC0415 -- loads SQLite

    from imagelane.adapters.journals.sqlite import SqliteJournal  # noqa: PLC0415
    from imagelane.ports.journal import JournalError  # noqa: PLC0415

    version = f"SQLite {apsw.sqlite_lib_version()}"
    if tuple(map(int, apsw.sqlite_lib_version().split("."))) < SQLITE:
        return missing(
            DISK, "journal", f"{version} can damage a journal when its log is reset",
            f"{sys.executable} -m pip install --upgrade apsw",
        )  # fmt: skip
    try:
        SqliteJournal(folder / "journal.db").close()
    except JournalError as error:
        return missing(
            DISK, "journal", f"{version} cannot keep a journal here: {error}",
            "name another place with --workspace",
        )  # fmt: skip
    if kind in _SHARED:
        return warning(
            DISK, "journal", f"{version} on {kind}: several hosts must not share it",
            "keep the workspace on a local disk",
        )  # fmt: skip
    return ok(DISK, "journal", f"{version} keeps a journal here" + (f" ({kind})" if kind else ""))


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _type_of(place: Path) -> str:
    """The type of the file system, from the mount that is nearest above (proc(5), mountinfo)."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    best, kind = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = before.split()[4]
        if place.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, after.split()[0]
    return kind
