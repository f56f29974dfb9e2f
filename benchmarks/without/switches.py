"""What can be left out, each by taking one adapter or one call away; the product knows nothing."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import imagelane.adapters.journals.sqlite as journals
from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.testing.journals import MemoryJournal

GUARANTEES = ("sandbox", "journal", "syncs-of-the-journal", "read-back", "fsync")
"""`syncs-of-the-journal` keeps its file and lets the system write it when it likes."""


class _AsExpected(str):
    """A digest that is what it should be, whatever that is."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


class _Unread:
    def hexdigest(self) -> str:
        return _AsExpected()


class _Unsynced(SqliteJournal):
    def __init__(self, path: Path, **how: Any) -> None:
        super().__init__(path, **how)
        self._connection.execute("PRAGMA synchronous = off")


def leave_out_read_back() -> None:
    """What was written, and what was linked, is not read again."""
    hashlib.file_digest = lambda *_: _Unread()  # type: ignore[assignment]


def leave_out_inspection() -> None:
    """No output is parsed as a stranger would; in workers only, where it loads libvips."""
    from imagelane.execute import inspection  # noqa: PLC0415

    inspection.inspect = lambda *_: None


def leave_out_fsync() -> None:
    """Files and folders are durable when the system likes; SQLite syncs through no such call."""

    def nothing(fd: object) -> None:
        del fd

    os.fsync = nothing


def leave_out_journal() -> None:
    """What happens is kept in memory, and is lost with it."""
    journals.SqliteJournal = lambda *_, **__: MemoryJournal()  # type: ignore[assignment, misc]


def leave_out_syncs() -> None:
    """SQLite syncs nothing."""
    journals.SqliteJournal = _Unsynced  # type: ignore[misc]
