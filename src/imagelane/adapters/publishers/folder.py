"""Publishing into a folder that a web server shows.

::

    <target>/harbour -> .versions/harbour/0123456789abcdef     the live pointer
    <target>/.versions/harbour/0123456789abcdef/               a version: manifest.json and files
    <target>/.versions/harbour/history.jsonl                   promotions, with their fences
    <target>/.objects/ab/cdef…                                 what the store stage brought here
    <target>/galleries.db, <target>/index.json                 for websites

A version is built under another name, read back, and renamed; promoting it swaps one symbolic
link. Who resolves the pointer once sees one version, whole, for as long as they like.

The gallery database follows the pointer: the rows of a promotion are written in a transaction, the
pointer is swapped, the transaction is committed. A crash between the last two leaves the rows one
version behind; the next promotion by any process finds that and makes them anew from the manifest
that is live.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from imagelane.adapters.durable import file_digest, sync_folder, write_synced
from imagelane.adapters.erasing import remove, stored_as
from imagelane.adapters.publishers.bringing import READ_ONLY, bring, holds
from imagelane.adapters.publishers.galleries import Galleries, GalleryRows
from imagelane.adapters.publishers.room import Room
from imagelane.model.ids import Digest
from imagelane.model.obstacle import obstacle_of
from imagelane.ports.artifacts import QUARANTINE, object_path
from imagelane.ports.faults import Fault, no_fault
from imagelane.ports.journal import StaleFenceError
from imagelane.ports.publisher import Promotion, PublishError, Version

MANIFEST = "manifest.json"
INDEX = "index.json"
VERSIONS = ".versions"
OBJECTS = ".objects"

_PASSING = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EAGAIN,
        errno.EIO,
        errno.ESTALE,
        # What a sync that fails says, beside EIO: never of a file that is asked for wrongly.
        errno.EINVAL,
        errno.EBADF,
        errno.EBADFD,
    }
)


class FolderPublisher:
    """Publishes below ``target``. Any number of processes may; one at a time in each gallery.

    ``artifacts`` is the artifact store, for files that the object area does not hold. ``database``
    is a file name in the target, None for none. ``fault`` is called at named points, for tests.
    """

    def __init__(
        self,
        target: Path,
        *,
        artifacts: Path,
        database: str | None = "galleries.db",
        clock: Callable[[], float] = time.time,
        fault: Fault = no_fault,
    ) -> None:
        self._target = target
        self._origins = (target / OBJECTS, artifacts)
        self._galleries = None if database is None else Galleries(target / database)
        self._reconciled = False
        self._clock = clock
        self._fault = fault

    def stage(self, version: Version) -> None:
        room = self._room(version.slug)
        with self._explained(), room.locked():
            self._refuse_foreign(version.slug)
            folder = room.version(version.digest)
            if folder.is_dir():
                self._mend(folder, version, room)
                return
            unfinished = room.unfinished()
            unfinished.mkdir()
            for file in version.files:
                bring(file, unfinished / _single(file.name), self._origins)
                self._fault("stage: a file")
            self._write_manifest(unfinished / MANIFEST, version)
            sync_folder(unfinished)
            self._fault("stage: all files")
            unfinished.rename(folder)
            sync_folder(room.path)
            self._fault("stage: done")

    def promote(self, version: Version, fence: int) -> None:
        room = self._room(version.slug)
        with self._explained(), room.locked():
            self._refuse_foreign(version.slug)
            if self._manifest_in(room.version(version.digest)) != version.manifest:
                raise PublishError(
                    f"version {version.digest[:16]} of {version.slug} is not in {room.path}: stage "
                    "it before it is promoted"
                )
            self._remember(room, version.digest, fence, f"gallery {version.slug}")
            self._fault("promote: recorded")
            with self._rows() as rows:
                if rows is not None:
                    self._reconcile(rows)
                    if rows.manifest_of(version.slug) != version.digest:
                        rows.replace(version.slug, version.manifest)
                self._point(room, version)
                self._fault("promote: swapped")
            self._fault("promote: done")

    def take_over(self, slug: str, fence: int) -> None:
        room = self._room(slug)
        with self._explained(), room.locked():
            self._remember(room, None, fence, f"gallery {slug}")

    def take_down(self, slug: str, fence: int) -> None:
        room = self._room(slug)
        with self._explained(), room.locked():
            self._refuse_foreign(slug)
            self._remember(room, None, fence, f"gallery {slug}", gone=True)
            self._fault("take down: recorded")
            with self._rows() as rows:
                if rows is not None:
                    self._reconcile(rows)
                    rows.remove(slug)
                (self._target / slug).unlink(missing_ok=True)
                sync_folder(self._target)
                self._fault("take down: gone")

    def live(self, slug: str) -> Digest | None:
        manifest = self.manifest(slug)
        return None if manifest is None else Digest(hashlib.sha256(manifest).hexdigest())

    def versions(self, slug: str) -> Iterator[Digest]:
        room = self._room(slug)
        newest_first = dict.fromkeys(
            one.digest for one in reversed(room.history()) if one.digest is not None
        )
        return (digest for digest in newest_first if room.version(digest).is_dir())

    def discard(self, slug: str, digest: Digest) -> int:
        room = self._room(slug)
        with self._explained(), room.locked():
            if self.live(slug) == digest:
                raise PublishError(
                    f"version {digest[:16]} of {slug} is live: expected one that is not; publish "
                    "another one first, or withdraw the group"
                )
            return remove([room.version(digest)])

    def discard_objects(self, digests: Iterable[Digest]) -> int:
        store = self._target / OBJECTS
        with self._explained():
            return remove(path for digest in digests for path in stored_as(store, digest))

    def promotions(self, slug: str) -> Sequence[Promotion]:
        return self._room(slug).history()

    def kept(self, slug: str, digest: Digest) -> bytes | None:
        manifest = self._manifest_in(self._room(slug).version(digest))
        if manifest is None or hashlib.sha256(manifest).hexdigest() != digest:
            return None
        return manifest

    def lacking(self, version: Version) -> Sequence[str]:
        folder = self._room(version.slug).version(version.digest)
        return [
            file.name
            for file in version.files
            if not holds(folder / _single(file.name), file.digest)
            and not any(holds(at / object_path(file.digest), file.digest) for at in self._origins)
        ]

    def manifest(self, slug: str) -> bytes | None:
        # Read through the pointer once: the file that is open stays the same.
        return self._manifest_in(self._target / _single(slug)) if self._ours(slug) else None

    def index(self) -> bytes | None:
        try:
            return (self._target / INDEX).read_bytes()
        except FileNotFoundError:
            return None

    def take_over_index(self, fence: int) -> None:
        room = self._index_room()
        with self._explained(), room.locked():
            self._remember(room, None, fence, "the list of galleries")

    def publish_index(self, index: bytes, fence: int) -> None:
        room = self._index_room()
        target = self._target / INDEX
        digest = Digest(hashlib.sha256(index).hexdigest())
        with self._explained(), room.locked():
            if target.exists() and all(one.digest is None for one in room.history()):
                raise _foreign(target, "the list of galleries")
            self._remember(room, digest, fence, "the list of galleries")
            unfinished = room.unfinished()
            write_synced(unfinished, index, READ_ONLY)
            self._fault("index: written")
            unfinished.replace(target)
            sync_folder(self._target)

    def _room(self, slug: str) -> Room:
        return Room(self._target / VERSIONS / _single(slug))

    def _index_room(self) -> Room:
        return Room(self._target / VERSIONS / ".index")

    def _ours(self, slug: str) -> bool:
        pointer = self._target / _single(slug)
        return pointer.is_symlink() and pointer.readlink().parts[:2] == (VERSIONS, slug)

    def _refuse_foreign(self, slug: str) -> None:
        pointer = self._target / slug
        if os.path.lexists(pointer) and not self._ours(slug):
            raise _foreign(pointer, f"gallery {slug!r}")

    def _mend(self, folder: Path, version: Version, room: Room) -> None:
        """Bring back what somebody changed in a version that is staged, perhaps live: each file in
        one step, and to the only content that it ever had."""
        for file in version.files:
            place = folder / _single(file.name)
            if not holds(place, file.digest):
                unfinished = room.unfinished()
                bring(file, unfinished, self._origins)
                self._keep_changed(place, file.digest)
                unfinished.replace(place)
        if self._manifest_in(folder) != version.manifest:
            unfinished = room.unfinished()
            self._write_manifest(unfinished, version)
            unfinished.replace(folder / MANIFEST)
        sync_folder(folder)

    def _keep_changed(self, place: Path, digest: Digest) -> None:
        """A second name for a published file that is about to be replaced: visitors may be reading
        the first."""
        quarantine = self._target / OBJECTS / QUARANTINE
        quarantine.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            os.link(place, quarantine / f"{digest}-{uuid4().hex}", follow_symlinks=False)

    def _write_manifest(self, place: Path, version: Version) -> None:
        write_synced(place, version.manifest, READ_ONLY)
        if file_digest(place) != version.digest:
            raise PublishError(
                f"the disk of {self._target} gave back another manifest than was written: check "
                "the disk"
            )

    def _remember(
        self, room: Room, digest: Digest | None, fence: int, what: str, *, gone: bool = False
    ) -> None:
        history = room.history()
        latest = max(reversed(history), key=lambda one: one.fence, default=None)
        if latest is not None and latest.fence > fence:
            did = "published" if latest.digest or latest.gone else "taken over"
            raise StaleFenceError(
                f"a later coordinator (fence {latest.fence}, ours is {fence}) has {did} {what} in "
                f"{self._target}: nothing is changed"
            )
        takes_over = digest is None and not gone
        if takes_over and latest is not None and latest.fence == fence:
            return
        promotion = Promotion(digest, fence, self._clock(), gone)
        if not history or replace(history[-1], at=promotion.at) != promotion:
            room.remember(promotion)

    def _rows(self) -> AbstractContextManager[GalleryRows | None]:
        return nullcontext(None) if self._galleries is None else self._galleries.change()

    def _point(self, room: Room, version: Version) -> None:
        pointer = self._target / version.slug
        to = f"{VERSIONS}/{version.slug}/{version.digest[:16]}"
        if pointer.is_symlink() and pointer.readlink() == Path(to):
            return
        unfinished = room.unfinished()
        unfinished.symlink_to(to)
        unfinished.replace(pointer)
        sync_folder(self._target)

    def _reconcile(self, rows: GalleryRows) -> None:
        """Make the rows of every live gallery say what its manifest says, once a process: a crash
        may have come between a pointer and its rows."""
        if self._reconciled:
            return
        with os.scandir(self._target) as entries:
            for entry in entries:
                if entry.is_symlink() and self._ours(entry.name):
                    version = Path(entry.path).readlink().name
                    if (rows.manifest_of(entry.name) or "")[:16] != version:
                        manifest = self.manifest(entry.name)
                        if manifest is not None:
                            rows.replace(entry.name, manifest)
        for slug in rows.slugs():
            if not self._ours(slug) and any(one.gone for one in self._room(slug).history()[-1:]):
                rows.remove(slug)
        self._reconciled = True

    @staticmethod
    def _manifest_in(folder: Path) -> bytes | None:
        try:
            return (folder / MANIFEST).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            self._target.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise PublishError(
                f"cannot publish in {self._target}: {error.strerror or error}"
                f"{f' ({error.filename})' if error.filename else ''}; check that the folder can be "
                "written and its disk has room",
                passing=error.errno in _PASSING,
                obstacle=obstacle_of(error, self._target),
            ) from error


def _single(name: str) -> str:
    """A name that stays in its folder."""
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise PublishError(
            f"{name!r} is no name for a gallery or a file in one; please report this"
        )
    return name


def _foreign(path: Path, what: str) -> PublishError:
    return PublishError(
        f"{path} is there already and was not published by imagelane: move it away, or publish "
        f"{what} to another folder"
    )
