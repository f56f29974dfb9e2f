"""What earlier runs recorded, by key: an index beside the journal, brought up to date from it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from urllib.parse import quote

import apsw

from imagelane.adapters.database import named_queries, sql, stored
from imagelane.adapters.journals.sqlite.failures import explained
from imagelane.model import events as e
from imagelane.model.event_form import decode
from imagelane.model.ids import Subject
from imagelane.model.outcome import Success
from imagelane.model.work import SourceFile
from imagelane.ports.recollection import Recalled

JUST_NOW = 2 * 10**9
"""Nanoseconds within which a file may change twice and keep its time."""

_IN_DOUBT = -1
_QUERIES = named_queries(sql(__package__, "recollection.sql"))
_CHUNK = 1 << 20

TOGETHER = 200
"""Digests of files that are written down together."""


class SqliteRecollection:
    """Reads a journal, and keeps an index of it in a file that may be lost at any time. Of one
    thread, which makes the connection when it first asks."""

    def __init__(self, journal: Path, index: Path) -> None:
        self._journal = journal
        self._index = index
        self._connection: apsw.Connection | None = None
        self._notes: list[tuple[apsw.SQLiteValue, ...]] = []

    def outcome(self, key: str) -> Recalled | None:
        connection = self._open()
        with explained(self._index):
            row = next(iter(connection.execute(_QUERIES["outcome"], (bytes.fromhex(key),))), None)
        if row is None:
            return None
        run, index, kind, group, ordinal, stage, body = row
        try:
            event = decode(kind, Subject(group, ordinal), stage, json.loads(body))
        except (KeyError, TypeError, ValueError):
            # It was erased, or written by another version.
            return None
        if not isinstance(event, e.TaskSucceeded) or event.key != key:
            return None
        outcome = Success(event.renditions, event.facts, event.verdict)
        return Recalled(outcome, f"{run}#{index}")

    def digest(self, file: SourceFile) -> str | None:
        connection = self._open()
        with explained(self._index):
            row = next(iter(connection.execute(_QUERIES["file"], (stored(file.path),))), None)
        try:
            found = Path(file.path).lstat()
        except (OSError, ValueError):
            return None
        if (found.st_size, found.st_mtime_ns) != (file.bytes, file.mtime_ns):
            # It is not what was listed any more; that is for a stage to say.
            return None
        if row is not None:
            size, mtime, inode, digest = row
            if (size, mtime, inode) == (found.st_size, found.st_mtime_ns, found.st_ino):
                return str(digest)
        with explained(self._index):
            known = connection.execute(_QUERIES["size_is_known"], (found.st_size,)).get
        if not known:
            return None
        by_bytes = _digest_of(file.path)
        if by_bytes is not None:
            self._note(file, by_bytes)
        return by_bytes

    def read(self, file: SourceFile, digest: str) -> None:
        self._open()
        self._note(file, digest)

    def doubt(self, file: SourceFile) -> None:
        self._write_down()
        with explained(self._index):
            self._open().execute(_QUERIES["doubt"], (stored(file.path),))

    def close(self) -> None:
        try:
            self._write_down()
        finally:
            connection, self._connection = self._connection, None
            if connection is not None:
                with explained(self._index):
                    connection.close()

    def _note(self, file: SourceFile, digest: str) -> None:
        try:
            found = Path(file.path).lstat()
        except (OSError, ValueError):
            return
        if (found.st_size, found.st_mtime_ns) != (file.bytes, file.mtime_ns):
            return
        fresh = time.time_ns() - found.st_mtime_ns < JUST_NOW
        mtime = _IN_DOUBT if fresh else found.st_mtime_ns
        self._notes.append((stored(file.path), found.st_size, mtime, found.st_ino, digest))
        if len(self._notes) >= TOGETHER:
            self._write_down()

    def _write_down(self) -> None:
        """Many notes in one transaction, which is over at once: others write to the index, too."""
        notes, self._notes = self._notes, []
        if notes:
            connection = self._open()
            with explained(self._index), connection:
                connection.executemany(_QUERIES["add_file"], notes)

    def _open(self) -> apsw.Connection:
        if self._connection is None:
            with explained(self._index):
                self._connection = self._opened()
        return self._connection

    def _opened(self) -> apsw.Connection:
        try:
            return self._made()
        except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError):
            # It is made from the journal, so it can be made anew.
            for end in ("", "-wal", "-shm", "-journal"):
                self._index.with_name(f"{self._index.name}{end}").unlink(missing_ok=True)
            return self._made()

    def _made(self) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(str(self._index), flags=flags)
        try:
            connection.set_busy_timeout(10_000)
            # Nothing in it must survive anything: what is lost is read from the journal again.
            connection.execute("PRAGMA synchronous = off")
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute(_QUERIES["schema"])
            connection.execute("ATTACH ? AS journal", (f"file:{_quoted(self._journal)}?mode=ro",))
            self._catch_up(connection)
        except BaseException:
            with contextlib.suppress(apsw.Error):
                connection.close(True)  # noqa: FBT003 -- positional-only: close without complaint
            raise
        return connection

    @staticmethod
    def _catch_up(connection: apsw.Connection) -> None:
        for run, upto, last in list(connection.execute(_QUERIES["behind"])):
            with connection:
                connection.execute(_QUERIES["learn"], (run, upto, last))
                connection.execute(_QUERIES["learned"], (run, last))


def _quoted(path: Path) -> str:
    return quote(str(path.absolute()))


def _digest_of(path: str) -> str | None:
    """Of a plain file; None where it cannot be read."""
    digest = hashlib.sha256()
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            while part := os.read(descriptor, _CHUNK):
                digest.update(part)
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return None
    return digest.hexdigest()
