"""The gallery database: rows that say the same as the manifests that are live."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from imagelane.adapters.database import named_queries, sql
from imagelane.model.obstacle import Obstacle, ObstacleKind
from imagelane.ports.publisher import PublishError

APPLICATION = 0x696D6747
"""SQLite's ``application_id`` of a gallery database (``imgG``)."""

VERSION = 1
BUSY_MS = 10_000
_QUERIES = named_queries(sql(__package__, "galleries.sql"))
# Each change opens the file anew, so a disk that failed under one may be tried again.
_PASSING = (apsw.BusyError, apsw.LockedError, apsw.FullError, apsw.IOError)


class Galleries:
    """A SQLite file beside the galleries. It keeps a rollback journal rather than a WAL, so that a
    website may read it without permission to write in its folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def change(self) -> Iterator[GalleryRows]:
        """One transaction; nothing else can change the rows meanwhile.

        Raises:
            PublishError: it is locked, damaged, foreign, or cannot be written.
        """
        try:
            connection = self._open()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield GalleryRows(connection)
                connection.execute("COMMIT")
            finally:
                # An open transaction is rolled back.
                connection.close(True)  # noqa: FBT003 -- positional only: do not complain
        except apsw.Error as error:
            said = str(error).removeprefix(f"{type(error).__name__}: ")
            raise PublishError(
                f"the gallery database {self._path} cannot be written ({said}): close what has it "
                "open, check the disk and its room, or set `database: null` at the publish stage",
                passing=isinstance(error, _PASSING),
                obstacle=self._obstacle(error),
            ) from error

    def _obstacle(self, error: apsw.Error) -> Obstacle | None:
        if isinstance(error, apsw.FullError):
            return Obstacle(ObstacleKind.FULL, str(self._path.parent))
        if isinstance(error, apsw.ReadOnlyError):
            return Obstacle(ObstacleKind.UNWRITABLE, str(self._path.parent))
        return None

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(BUSY_MS)
        found = connection.execute("PRAGMA application_id").get
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").get == 0
        version = connection.execute("PRAGMA user_version").get
        if (found != APPLICATION and not empty) or version > VERSION:
            connection.close()
            raise PublishError(
                f"{self._path} is not a gallery database of this imagelane: move it away, or name "
                "another one at the publish stage (database)"
            )
        connection.execute("PRAGMA synchronous = full")
        connection.execute("PRAGMA foreign_keys = on")
        if empty:
            connection.execute("BEGIN IMMEDIATE")
            # Another process may have been faster.
            if connection.execute("SELECT count(*) FROM sqlite_schema").get == 0:
                connection.execute(_QUERIES["schema"])
                connection.execute(f"PRAGMA user_version = {VERSION}")
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute("COMMIT")
        return connection


class GalleryRows:
    """The rows, inside a transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def manifest_of(self, slug: str) -> str | None:
        """The digest of the manifest that a gallery's rows say."""
        found = self._connection.execute(_QUERIES["manifest_of"], (slug,)).get
        return None if found is None else str(found)

    def slugs(self) -> list[str]:
        """The galleries that have rows."""
        return [str(slug) for (slug,) in self._connection.execute(_QUERIES["slugs"])]

    def remove(self, slug: str) -> None:
        """Let a gallery have no rows."""
        self._connection.execute(_QUERIES["delete_gallery"], (slug,))

    def replace(self, slug: str, manifest: bytes) -> None:
        """Make a gallery's rows say what a manifest says."""
        execute, executemany = self._connection.execute, self._connection.executemany
        content = json.loads(manifest)
        images: list[dict[str, Any]] = content["images"]
        execute(_QUERIES["delete_gallery"], (slug,))
        execute(
            _QUERIES["add_gallery"],
            (
                slug,
                content["group"],
                content["title"],
                content["pipeline"],
                len(images),
                content.get("contact_sheet", {}).get("file"),
                hashlib.sha256(manifest).hexdigest(),
            ),
        )
        executemany(
            _QUERIES["add_image"],
            [_image(slug, position, image) for position, image in enumerate(images, 1)],
        )
        executemany(
            _QUERIES["add_rendition"],
            [
                _rendition(slug, position, one)
                for position, image in enumerate(images, 1)
                for one in image["renditions"]
            ],
        )


_IMAGE = (
    "name",
    "alt",
    "caption",
    "captured",
    "role",
    "width",
    "height",
    "placeholder",
    "dominant",
)
_RENDITION = ("file", "stage", "name", "format", "width", "height", "bytes", "digest")


def _image(slug: str, position: int, image: dict[str, Any]) -> tuple[apsw.SQLiteValue, ...]:
    missing = image.get("missing")
    return (
        slug,
        position,
        *(image.get(name) for name in _IMAGE),
        None if missing is None else json.dumps(missing, ensure_ascii=False),
    )


def _rendition(slug: str, position: int, one: dict[str, Any]) -> tuple[apsw.SQLiteValue, ...]:
    return (slug, position, *(one.get(name) for name in _RENDITION))
