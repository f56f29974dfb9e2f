"""The journal port over one SQLite file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, cast

import apsw

from imagelane.adapters.database import named_queries, restored, sql
from imagelane.adapters.journals.sqlite import read_model
from imagelane.adapters.journals.sqlite.failures import explain, explained
from imagelane.adapters.journals.sqlite.file import connect, reopen
from imagelane.model.event_form import decode, encode, type_name
from imagelane.model.events import Event, stage_of, subject_of
from imagelane.model.forgotten import forgotten
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.states import GroupState, ImageState, RunStatus
from imagelane.ports.journal import (
    Claimed,
    GroupRow,
    ImageRow,
    JournalError,
    Mark,
    MarkKind,
    Recorded,
    RunNotFoundError,
    RunRow,
    StaleFenceError,
)

PAGE = 500
"""Rows read at once. Between two pages the file is free for checkpoints and other processes."""

REOPENINGS = 3
"""Times that a disk may fail under one append, each time followed by another look at it."""

_NO_END = (1 << 63) - 1
"""After every index and every group number."""

_Row = tuple[Any, ...]

# Every non-ASCII character is escaped, so that the lone surrogates of undecodable file names pass.
_to_json = json.JSONEncoder(
    separators=(",", ":"), check_circular=False, allow_nan=False, default=dict
).encode


class SqliteJournal:
    """Durable by WAL with ``synchronous=FULL``; one transaction an append. Other processes may read
    and claim meanwhile. Usable from any thread. Where the disk fails under an append, the file is
    opened anew, and what it holds decides whether the append is made again.

    Fences are drawn from the clock, in milliseconds: they rise within the file whatever the clock
    does, and over files too, so that what a run published is not locked for ever to those after
    it when somebody deletes the workspace.
    """

    def __init__(
        self, path: Path, *, create: bool = True, clock: Callable[[], float] = time.time
    ) -> None:
        """Open the journal, or make it.

        Raises:
            JournalError: it cannot be opened, is damaged, foreign, or of a later version; or there
                is none, and ``create`` is False.
        """
        self._path = path
        self._clock = clock
        self._queries = named_queries(sql(__package__, "queries.sql"))
        self._lock = Lock()
        self._failed: JournalError | None = None
        self._last: int | None = None
        self._connection = connect(path, create=create)

    def create(self, run: RunId, definition: Mapping[str, Any], owner: str) -> Claimed:
        now = self._clock()
        with self._transaction():
            if self._one("find_run", run) is not None:
                raise JournalError(
                    f"{self._path} already holds a run {run}: give the new one another name"
                )
            fence = self._next_fence(now)
            self._connection.execute(
                self._queries["create_run"],
                (run, _to_json(definition), owner, fence, now, now),
            )
        return Claimed(run, fence)

    def claim(self, run: RunId, owner: str) -> Claimed:
        with self._transaction():
            number = self._number(run)
            fence = self._next_fence(self._clock())
            self._connection.execute(self._queries["claim_run"], (owner, fence, number))
        return Claimed(run, fence)

    def append(self, claimed: Claimed, events: Iterable[tuple[float, Event]]) -> None:
        batch = list(events)
        if not batch:
            return
        self._refuse_if_failed()
        for _ in range(REOPENINGS):
            try:
                self._append(claimed, batch)
            except JournalError:
                if self._failed is None or not self._reopened():
                    raise
                if self._is_recorded(claimed, len(batch)):
                    return
            else:
                return
        self._append(claimed, batch)

    def _append(self, claimed: Claimed, batch: Sequence[tuple[float, Event]]) -> None:
        self._last = None
        with self._transaction():
            row = self._one("begin_append", claimed.run)
            if row is None:
                raise self._unknown(claimed.run)
            number, fence, last = row
            self._last = last
            if fence != claimed.fence:
                raise StaleFenceError(
                    f"another coordinator has taken {claimed.run} over (its fence is {fence}, "
                    f"ours {claimed.fence}): nothing more is recorded here"
                )
            self._connection.executemany(
                self._queries["append_event"],
                [
                    (
                        number,
                        index,
                        at,
                        fence,
                        type_name(event),
                        *subject_of(event),
                        stage_of(event),
                        _to_json(encode(event)),
                    )
                    for index, (at, event) in enumerate(batch, last + 1)
                ],
            )
            read_model.apply(self._connection, self._queries, number, batch)
            self._connection.execute(
                self._queries["end_append"], (last + len(batch), batch[-1][0], number)
            )

    def events(
        self, run: RunId, *, after: int = 0, subject: Subject | None = None
    ) -> Iterator[Recorded]:
        number = self._find(run)
        if subject is None:
            rows = self._pages("events_page", (number,), (after,), lambda row: (row[0],))
        else:
            rows = self._pages("subject_page", (number, *subject), (after,), lambda row: (row[0],))
        return map(_recorded, rows)

    def members(self, run: RunId, group: int) -> Iterator[Recorded]:
        # After (0, every index): the events of the group as a whole are left out.
        rows = self._pages(
            "members_page",
            (self._find(run), group),
            (0, _NO_END),
            lambda row: (row[4], row[0]),
        )
        return map(_recorded, rows)

    def runs(self) -> list[RunRow]:
        return [_run(row) for row in self._all("runs", ())]

    def images(
        self, run: RunId, *, group: int | None = None, states: frozenset[ImageState] | None = None
    ) -> Iterator[ImageRow]:
        number = self._find(run)
        wanted = None if states is None else _to_json(sorted(states))
        first, last = (0, _NO_END) if group is None else (group, group)
        rows = self._pages(
            "images_page", (number, last, wanted), (first, 0), lambda row: (row[0], row[1])
        )
        return map(_image, rows)

    def groups(self, run: RunId, *, after: int = 0) -> Iterator[GroupRow]:
        rows = self._pages("groups_page", (self._find(run),), (after,), lambda row: (row[0],))
        return map(_group, rows)

    def image_counts(self, run: RunId) -> Mapping[ImageState, int]:
        rows = self._all("image_counts", (self._find(run),))
        return {ImageState(state): count for state, count in rows}

    def marks(self) -> list[Mark]:
        return [_mark(row) for row in self._all("marks", ())]

    def close(self) -> None:
        with self._lock, explained(self._path):
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._refuse_if_failed()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back()
                if not isinstance(error, apsw.Error):
                    raise
                found = explain(self._path, error)
                if isinstance(error, apsw.IOError):
                    # After a failed fsync the page cache lies about what is on the disk, so this
                    # connection may not try again.
                    self._failed = found
                raise found from error

    def _refuse_if_failed(self) -> None:
        """It was opened anew as often as it may be."""
        if self._failed is not None:
            raise self._failed

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except apsw.Error as error:
                self._failed = explain(self._path, error)

    def _reopened(self) -> bool:
        """Whether the file could be opened anew after the disk had failed under it."""
        with self._lock:
            try:
                self._connection = reopen(self._connection, self._path)
            except (OSError, JournalError, apsw.Error):
                return False
            self._failed = None
            return True

    def _is_recorded(self, claimed: Claimed, events: int) -> bool:
        """Whether the append of so many events, under which the disk failed, is in the file."""
        with self._lock, explained(self._path):
            row = self._one("begin_append", claimed.run)
        if row is None or self._last is None:
            return False
        _, fence, last = row
        return bool(fence == claimed.fence and last == self._last + events)

    def _next_fence(self, now: float) -> int:
        return cast("int", self._one("next_fence", int(now * 1000))[0])

    def _one(self, query: str, *values: apsw.SQLiteValue) -> Any:
        return next(iter(self._connection.execute(self._queries[query], values)), None)

    def _all(self, query: str, values: tuple[apsw.SQLiteValue, ...]) -> list[_Row]:
        with self._lock, explained(self._path):
            return list(self._connection.execute(self._queries[query], values))

    def _pages(
        self,
        query: str,
        fixed: tuple[apsw.SQLiteValue, ...],
        after: tuple[int, ...],
        place: Callable[[_Row], tuple[int, ...]],
    ) -> Iterator[_Row]:
        """All rows of a query by key: ``place`` gives from a row what the next page comes after."""
        while True:
            rows = self._all(query, (*fixed, *after, PAGE))
            yield from rows
            if len(rows) < PAGE:
                return
            after = place(rows[-1])

    def _find(self, run: RunId) -> int:
        with self._lock, explained(self._path):
            return self._number(run)

    def _number(self, run: RunId) -> int:
        row = self._one("find_run", run)
        if row is None:
            raise self._unknown(run)
        return cast("int", row[0])

    def _unknown(self, run: RunId) -> RunNotFoundError:
        return RunNotFoundError(
            f"{self._path} holds no run {run!r}: `imagelane status` lists those that it holds"
        )


def _recorded(row: _Row) -> Recorded:
    index, at, kind, group, ordinal, stage, body = row
    told = forgotten if body.startswith('{"erased":') else decode
    return Recorded(index, at, told(kind, Subject(group, ordinal), stage, json.loads(body)))


def _run(row: _Row) -> RunRow:
    run, pipeline, plan, model, status, reason, started, updated, definition, owner, fence = row
    return RunRow(
        run=RunId(run),
        pipeline=restored(pipeline),
        plan=plan,
        model=model,
        status=RunStatus(status),
        reason=restored(reason),
        started=started,
        updated=updated,
        definition=json.loads(definition),
        owner=owner,
        fence=fence,
    )


def _image(row: _Row) -> ImageRow:
    group, ordinal, name, path, state, settled, stage, reason, role = row
    return ImageRow(
        subject=Subject(group, ordinal),
        name=restored(name),
        path=restored(path),
        state=ImageState(state),
        settled=bool(settled),
        stage=None if stage is None else StageName(stage),
        reason=restored(reason),
        role=restored(role),
    )


def _group(row: _Row) -> GroupRow:
    group, name, state, images, reason, manifest = row
    return GroupRow(group, restored(name), GroupState(state), images, restored(reason), manifest)


def _mark(row: _Row) -> Mark:
    kind, run, group, ordinal, name, path, size, digest, reason, actor, at = row
    return Mark(
        MarkKind(kind),
        RunId(run),
        Subject(group, ordinal),
        restored(name),
        restored(path),
        size,
        digest,
        restored(reason),
        restored(actor),
        at,
    )
