"""The folder name of each group of a run, each its own, kept on disk: a run can have any number."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from pathlib import Path
from threading import Lock

import apsw

from imagelane.model.ids import RunId
from imagelane.ports.journal import Journal
from imagelane.publish.naming import distinct, slug

_SCHEMA = """
CREATE TABLE IF NOT EXISTS used (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slugs (number INTEGER PRIMARY KEY, slug TEXT NOT NULL);
"""


class Slugs:
    """Gives names in the order of the groups' numbers, so that they are the same under every
    model, whichever group is published first.

    Derived from the journal: the file can be deleted and is made anew. Usable from any thread.
    """

    def __init__(self, path: Path, journal: Journal, run: RunId) -> None:
        self._journal = journal
        self._run = run
        self._lock = Lock()
        self._file = apsw.Connection(str(path))
        for pragma in ("journal_mode = MEMORY", "synchronous = OFF"):
            self._file.execute(f"PRAGMA {pragma}").fetchall()
        self._file.execute(_SCHEMA)
        self._used = _Used(self._file)

    def of(self, number: int) -> str:
        """The slug of a group that the journal knows."""
        with self._lock:
            found = self._find(number)
            if found is None:
                self._extend(number)
                found = self._find(number)
        if found is None:
            raise KeyError(number)
        return found

    def all(self) -> Iterator[str]:
        """The slugs of all groups, in published order."""
        for row in self._journal.groups(self._run):
            yield self.of(row.group)

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _find(self, number: int) -> str | None:
        row = self._file.execute("SELECT slug FROM slugs WHERE number = ?", (number,)).fetchone()
        return row[0] if row else None

    def _extend(self, number: int) -> None:
        """Name the groups up to this one that have no name yet. Groups come into the journal in
        the order of their numbers, so those before it are all there."""
        last = self._file.execute("SELECT coalesce(max(number), 0) FROM slugs").get
        with self._file:
            for row in self._journal.groups(self._run, after=last):
                name = distinct(slug(row.name), self._used)
                self._file.execute("INSERT INTO slugs VALUES (?, ?)", (row.group, name))
                if row.group >= number:
                    break


class _Used(MutableMapping[str, int]):
    """Names that were given out, and the number to try next for each."""

    def __init__(self, file: apsw.Connection) -> None:
        self._file = file

    def __getitem__(self, name: str) -> int:
        row = self._file.execute("SELECT next FROM used WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise KeyError(name)
        return int(row[0])

    def __setitem__(self, name: str, number: int) -> None:
        self._file.execute("INSERT OR REPLACE INTO used VALUES (?, ?)", (name, number))

    def __delitem__(self, name: str) -> None:
        self._file.execute("DELETE FROM used WHERE name = ?", (name,))

    def __iter__(self) -> Iterator[str]:
        for (name,) in self._file.execute("SELECT name FROM used"):
            yield name

    def __len__(self) -> int:
        return int(self._file.execute("SELECT count(*) FROM used").get)
