"""SQLite's errors, in words for whoever stands before the disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from imagelane.ports.journal import JournalError, JournalFullError


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into `JournalError`, with the file's name and the next step."""
    try:
        yield
    except apsw.Error as error:
        raise explain(path, error) from error


_FULL = (
    "no room left on the disk of {path}: nothing of the last step was recorded; free some space "
    "there, then resume the run"
)
_FAILED = (
    "the disk failed under {path} ({said}): whether the last step was recorded is not known; check "
    "the disk and its room, then resume the run"
)
_FOREIGN = (
    "{path} is not a journal: expected a SQLite file made by imagelane; move it away, or choose "
    "another workspace"
)
_DAMAGED = (
    "{path} is damaged ({said}): keep a copy, and either restore it from a backup or move it away "
    "and run again"
)
_LOCKED = "{path} is locked by another program: close what has it open, then try again"
_FORBIDDEN = (
    "{path} cannot be opened for writing ({said}): expected a file in a folder that can both be "
    "read and written; check the path and its permissions"
)
_CONTRADICTED = (
    "the events contradict what {path} holds ({said}): none of them was recorded; please report "
    "this with the run's name"
)
_REFUSED = "SQLite cannot work on {path} ({said}): please report this"

_MEANINGS: tuple[tuple[type[apsw.Error], str], ...] = (
    (apsw.FullError, _FULL),
    (apsw.IOError, _FAILED),
    (apsw.NotADBError, _FOREIGN),
    (apsw.CorruptError, _DAMAGED),
    (apsw.BusyError, _LOCKED),
    (apsw.LockedError, _LOCKED),
    (apsw.ReadOnlyError, _FORBIDDEN),
    (apsw.PermissionsError, _FORBIDDEN),
    (apsw.CantOpenError, _FORBIDDEN),
    (apsw.ConstraintError, _CONTRADICTED),
    (apsw.Error, _REFUSED),
)


def explain(path: Path, error: apsw.Error) -> JournalError:
    """The error that says what SQLite found in this file, and what to do."""
    meaning = next(text for kind, text in _MEANINGS if isinstance(error, kind))
    said = str(error).removeprefix(f"{type(error).__name__}: ")
    text = meaning.format(path=path, said=said)
    if isinstance(error, apsw.FullError):
        return JournalFullError(text, str(path.resolve().parent))
    return JournalError(text)
