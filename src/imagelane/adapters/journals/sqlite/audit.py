"""The audit port over a journal's SQLite file, through a connection of its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

from imagelane.adapters.database import named_queries, sql
from imagelane.adapters.journals.sqlite.failures import explained
from imagelane.adapters.journals.sqlite.file import connect
from imagelane.model.ids import RunId, Subject
from imagelane.ports.audit import Stored
from imagelane.ports.journal import RunNotFoundError

PAGE = 2_000
"""Rows read at once, and keys made in one transaction."""


class SqliteAuditLog:
    """A coordinator may go on appending meanwhile. Of one thread."""

    def __init__(self, path: Path) -> None:
        """Open a journal that is there.

        Raises:
            JournalError: it cannot be read, or is none.
        """
        self._path = path
        self._queries = named_queries(sql(__package__, "queries.sql"))
        self._connection = connect(path, create=False)

    def stored(self, run: RunId, *, after: int = 0) -> Iterator[Stored]:
        return self._stored(run, self._number(run), after)

    def _stored(self, run: RunId, number: int, after: int) -> Iterator[Stored]:
        while True:
            with explained(self._path):
                rows = list(
                    self._connection.execute(self._queries["stored_page"], (number, after, PAGE))
                )
            for index, at, fence, kind, group, ordinal, stage, body, key in rows:
                yield Stored(run, index, at, fence, kind, Subject(group, ordinal), stage, body, key)
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    def make_keys(self, run: RunId) -> None:
        number = self._number(run)
        after = (-1, -1)
        while True:
            with explained(self._path):
                lacking = list(
                    self._connection.execute(
                        self._queries["subjects_without_key"], (number, *after, PAGE)
                    )
                )
                if not lacking:
                    return
                after = lacking[-1]
                with self._connection:
                    self._connection.executemany(
                        self._queries["add_key"],
                        [(number, *subject, secrets.token_bytes(32)) for subject in lacking],
                    )

    def close(self) -> None:
        with explained(self._path):
            self._connection.close()

    def _number(self, run: RunId) -> int:
        with explained(self._path):
            row = next(iter(self._connection.execute(self._queries["find_run"], (run,))), None)
        if row is None:
            raise RunNotFoundError(
                f"{self._path} holds no run {run!r}: `imagelane status` lists those that it holds"
            )
        return int(row[0])
