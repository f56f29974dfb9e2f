"""A source, listed once into one sorted file on disk, and read from there through a cursor.

Sorting, numbering and telling names apart are SQLite's work, so a million files cost no more
memory than ten. The file is written under another name and renamed when it is whole: it is
complete or absent, and what it says never changes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

import apsw

from imagelane.adapters.database import named_queries, restored, sql, stored
from imagelane.adapters.durable import sync_folder
from imagelane.adapters.sources.candidate import Candidate, LeftOut
from imagelane.adapters.sources.folder import Frontier
from imagelane.adapters.sources.placing import Placed, Placing
from imagelane.model.differing import SourceDifference
from imagelane.ports.source import SourceError, SourceItem
from imagelane.publish.naming import distinct

PAGE = 500
"""Items read at once."""
_CHUNK = 1000
_NAMED = 20
"""How many of those left out for one reason are named."""
_EXAMPLES = 5
"""How many files that became something else are named."""
_QUERIES = named_queries(sql(__package__, "spool.sql"))


@dataclass(frozen=True, slots=True)
class Listing:
    """How to list a source. ``origin`` names it in messages, ``advice`` says what to do when
    nothing is in it; in a ``manifest`` no file may stand twice."""

    origin: str
    manifest: bool
    walk: Callable[[Frontier], Iterable[Candidate | LeftOut]]
    advice: str


class SpooledSource:
    """Reads a spool. Usable from any thread."""

    def __init__(self, path: Path, declaration: str) -> None:
        """Open a complete spool.

        Raises:
            SourceError: it was listed for another declaration, or is damaged.
        """
        self._path = path
        self._lock = Lock()
        self._connection = apsw.Connection(
            str(path), flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        )
        ((found, images, groups),) = self._all(_QUERIES["about"], ())
        if found != declaration:
            raise SourceError(
                f"{path} lists the images of another declaration: start a new run, so that they "
                "are listed anew"
            )
        self._count = (images, groups)

    def items(self, start: int = 0) -> Iterator[SourceItem]:
        while True:
            rows = self._all(_QUERIES["page"], (start, PAGE))
            yield from map(_item, rows)
            if len(rows) < PAGE:
                return
            start = rows[-1][0] + 1

    def count(self) -> tuple[int, int]:
        return self._count

    def ignored(self) -> Mapping[str, int]:
        return dict(self._all(_QUERIES["ignored_counts"], ()))

    def ignored_names(self) -> Mapping[str, tuple[str, ...]]:
        """Some of what was left out, by reason: paths below the source."""
        names: dict[str, tuple[str, ...]] = {}
        for reason, relative in self._all(_QUERIES["ignored"], ()):
            names[reason] = (*names.get(reason, ()), restored(relative))
        return names

    def same_as(self, earlier: Path) -> bool:
        """Whether an earlier spool lists the same files, as far as their sizes, times and numbers
        on the disk tell, in the same groups and the same order."""
        with self._beside(earlier) as execute:
            if execute is None or execute(_QUERIES["about_alike"]).get == 0:
                return False
            return bool(execute(_QUERIES["alike"]).get == self._count[0])

    def compared_with(self, earlier: Path) -> SourceDifference | None:
        """What became of the files since an earlier spool was made; None where that is gone, or was
        made by an earlier version."""
        with self._beside(earlier) as execute:
            if execute is None:
                return None
            execute(_QUERIES["compare"])
            counts = dict(execute(_QUERIES["became"]))
            examples = tuple(
                f"{became}: {restored(relative)}"
                for became, relative in execute(_QUERIES["compared_examples"], (_EXAMPLES,))
            )
        return SourceDifference(
            same=counts.get("same", 0),
            changed=counts.get("changed", 0),
            new=counts.get("new", 0),
            gone=counts["gone"],
            doubtful=counts["doubtful"],
            groups=counts["groups"],
            groups_touched=counts["touched"],
            examples=examples,
        )

    @contextmanager
    def _beside(self, earlier: Path) -> Iterator[Callable[..., apsw.Cursor] | None]:
        """Queries over this spool and an earlier one, called ``other``; None where there is none
        that can be compared."""
        with self._lock:
            execute = self._connection.execute
            if not earlier.exists():
                yield None
                return
            try:
                execute("ATTACH ? AS other", (f"file:{quote(str(earlier.absolute()))}?mode=ro",))
                execute("SELECT inode FROM other.files LIMIT 1").fetchall()
            except apsw.Error:
                yield None
            else:
                yield execute
            with suppress(apsw.Error):
                execute("DETACH other")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _all(self, query: str, values: tuple[int, ...]) -> list[tuple[Any, ...]]:
        try:
            with self._lock:
                return list(self._connection.execute(query, values))
        except apsw.Error as error:
            raise SourceError(
                f"{self._path}, the list of the run's images, cannot be read ({error}): start a "
                "new run, so that they are listed anew"
            ) from error


def build(spool: Path, declaration: str, placing: Placing, listing: Listing) -> None:
    """List a source into a new spool.

    Raises:
        SourceError: the listing failed, nothing is in it, or the spool cannot be written.
    """
    unfinished = spool.with_name(f"{spool.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        connection = apsw.Connection(str(unfinished))
        try:
            # A half-written file is thrown away, so it needs no journal of its own.
            connection.execute("PRAGMA journal_mode = off")
            connection.execute("PRAGMA synchronous = off")
            connection.execute("PRAGMA cache_size = -2000")
            _Building(connection, placing, listing).make(declaration)
        finally:
            connection.close()
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(spool)
        sync_folder(spool.parent)
    except apsw.Error as error:
        raise SourceError(
            f"the list of images cannot be kept in {spool} ({error}): check the disk and its room"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


@dataclass(slots=True)
class _Building:
    connection: apsw.Connection
    placing: Placing
    listing: Listing

    def make(self, declaration: str) -> None:
        execute = self.connection.execute
        execute("BEGIN")
        execute(_QUERIES["schema"])
        self._list()
        self._check()
        execute(_QUERIES["rank_groups"])
        self._name_groups()
        execute(_QUERIES["admit"])
        execute(_QUERIES["describe"], (declaration,))
        execute(_QUERIES["tidy"])
        execute("COMMIT")

    def _list(self) -> None:
        rows: list[tuple[apsw.SQLiteValue, ...]] = []
        for found in self.listing.walk(_Folders(self.connection)):
            placed = self.placing.place(found) if isinstance(found, Candidate) else found
            if isinstance(placed, LeftOut):
                self._ignore(placed)
            elif isinstance(found, Candidate):
                rows.append(_row(found, placed))
            if len(rows) == _CHUNK:
                self.connection.executemany(_QUERIES["add_file"], rows)
                rows.clear()
        self.connection.executemany(_QUERIES["add_file"], rows)

    def _check(self) -> None:
        origin = self.listing.origin
        if self.connection.execute("SELECT count(*) FROM files").get == 0:
            counts = list(self.connection.execute(_QUERIES["ignored_counts"]))
            left_out = ", ".join(f"{count} × {reason}" for reason, count in counts)
            raise SourceError(
                f"found no images in {origin}"
                + (f" (left out: {left_out})" if left_out else "")
                + f": {self.listing.advice}"
            )
        if self.listing.manifest:
            for first, again, relative in self.connection.execute(_QUERIES["repeated"]):
                raise SourceError(
                    f"{origin}, line {again}: {restored(relative)!r} stands in line {first} "
                    "already: name each image once"
                )

    def _ignore(self, left_out: LeftOut) -> None:
        (count,) = next(self.connection.execute(_QUERIES["count_ignored"], (left_out.reason,)))
        if count <= _NAMED:
            self.connection.execute(
                _QUERIES["add_ignored"], (left_out.reason, stored(left_out.relative))
            )

    def _name_groups(self) -> None:
        names = _Names(self.connection)
        for number, stored_name, size in self.connection.execute(_QUERIES["ranked"]):
            name = restored(stored_name)
            if self.placing.names_are_made_distinct:
                name = distinct(name, names)
            self.connection.execute(_QUERIES["add_group"], (number, stored(name), size))


class _Folders:
    """The folders that are still to be listed, on disk: a source may have a million of them."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def add(self, relative: str) -> None:
        self._connection.execute(_QUERIES["add_folder"], (stored(relative),))

    def __iter__(self) -> Iterator[str]:
        last = 0
        while rows := list(self._connection.execute(_QUERIES["next_folder"], (last,))):
            ((last, relative),) = rows
            yield restored(relative)


class _Names:
    """Names that were given out, on disk, for `imagelane.publish.naming.distinct`."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def __contains__(self, name: str) -> bool:
        return self._next(name) is not None

    def __getitem__(self, name: str) -> int:
        return int(self._next(name))

    def __setitem__(self, name: str, number: int) -> None:
        self._connection.execute(_QUERIES["set_next"], (stored(name), number))

    def _next(self, name: str) -> Any:
        return self._connection.execute(_QUERIES["next"], (stored(name),)).get


def _row(found: Candidate, placed: Placed) -> tuple[apsw.SQLiteValue, ...]:
    return (
        stored(placed.key),
        stored(placed.group),
        placed.group_order,
        placed.order,
        placed.may_lead,
        stored(placed.role),
        stored(found.relative),
        stored(found.path),
        found.bytes,
        found.mtime_ns,
        found.inode,
        json.dumps(dict(found.columns)),
        found.line,
    )


def _item(row: tuple[Any, ...]) -> SourceItem:
    (
        sequence,
        group,
        ordinal,
        group_name,
        size,
        relative,
        path,
        length,
        mtime_ns,
        last,
        leads,
        role,
        columns,
    ) = row
    return SourceItem(
        sequence=sequence,
        group=group,
        ordinal=ordinal,
        group_name=restored(group_name),
        group_size=size,
        name=restored(relative).rpartition("/")[2],
        path=restored(path),
        bytes=length,
        mtime_ns=mtime_ns,
        last=bool(last),
        role="primary" if leads else restored(role),
        columns=json.loads(columns),
    )
