"""The journal's file: opened durably, of a known version, or a clear error."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path

import apsw

from imagelane.adapters.database import sql
from imagelane.adapters.journals.sqlite.failures import explained
from imagelane.ports.journal import JournalError

APPLICATION = 0x696D674C
"""SQLite's ``application_id`` of a journal (``imgL``), by which a foreign file is known."""

BUSY_MS = 10_000
"""How long to wait for another process's commit."""


def migrations() -> tuple[str, ...]:
    """The steps from an empty file to the present schema; step n leads to version n."""
    folder = files(__package__).joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if re.match(r"\d{4}_", entry.name))
    return tuple(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def connect(path: Path, *, create: bool) -> apsw.Connection:
    """Open a journal; bring an older one up to date.

    Raises:
        JournalError: there is none and ``create`` is False; it is damaged, not a journal, or of a
            later version; it cannot be opened or written.
    """
    if not create and not path.exists():
        raise JournalError(f"there is no journal at {path}: nothing was run in this workspace yet")
    with explained(path):
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
        connection = apsw.Connection(str(path), flags=flags)
        try:
            connection.set_busy_timeout(BUSY_MS)
            _check(connection, path)
            connection.execute("PRAGMA journal_mode = wal")
            # NORMAL loses acknowledged rows in a power cut; group commit makes FULL cheap.
            connection.execute("PRAGMA synchronous = full")
            connection.execute("PRAGMA foreign_keys = on")
            _migrate(connection)
        except BaseException:
            connection.close(True)  # noqa: FBT003 -- positional-only: close without complaint
            raise
    return connection


def reopen(failed: apsw.Connection, path: Path) -> apsw.Connection:
    """Let go of a connection under which the disk failed, and see what the disk really holds.

    After a failed fsync the kernel may say of pages that never arrived that they are clean, and a
    second fsync of the same handle would succeed. So the files are synced through handles of their
    own, and what is cached of them is forgotten: what is read from here on comes from the disk.

    Raises:
        OSError: the disk still fails.
        JournalError: what is there is no journal any more.
    """
    failed.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    failed.close(True)  # noqa: FBT003 -- positional-only: close without complaint
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            descriptor = os.open(file, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
    return connect(path, create=False)


def _pragma(connection: apsw.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").get)


def _check(connection: apsw.Connection, path: Path) -> None:
    # In this order: another process may be making it, which it does in one commit.
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").get == 0
    found = _pragma(connection, "application_id")
    if found != APPLICATION and not empty:
        raise JournalError(
            f"{path} is a SQLite file of another program: expected a journal made by imagelane; "
            "move it away, or choose another workspace"
        )
    version, known = _pragma(connection, "user_version"), len(migrations())
    if version > known:
        raise JournalError(
            f"{path} was written by a later imagelane (journal version {version}, this program "
            f"knows {known}): use that one, or choose another workspace"
        )


def _migrate(connection: apsw.Connection) -> None:
    steps = migrations()
    if _pragma(connection, "user_version") == len(steps):
        return
    # Two processes may open a new file together: what the first one did, the second one sees here.
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _pragma(connection, "user_version")
        if version == 0:
            connection.execute(sql(__package__, "schema.sql"))
        else:
            for step in steps[version:]:
                connection.execute(step)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
