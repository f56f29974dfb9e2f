"""Where a worker puts what it made, and finds what was made before: the artifact store's folder.

The bytes are first written under a temporary name on the same file system, made durable, read
back, and only then renamed to their digest. So what stands under a digest is whole, at any moment
and after any crash.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from imagelane.execute.errors import TransientError, damaged, writing_to
from imagelane.model.ids import Digest
from imagelane.model.outcome import Rendition
from imagelane.ports.artifacts import QUARANTINE, object_path
from imagelane.ports.faults import Fault, no_fault

_READ_ONLY = 0o444
_numbers = itertools.count(1)


class Shelf:
    """The artifact store at ``root``, with unfinished files in ``scratch``.

    ``beside``: files are written on a thread of their own, so that the disk works while pixels are
    computed; they are in the store for certain when `finish` has returned. ``listed``: this process
    may list the store; otherwise whoever supervises it makes the new names there durable.
    """

    def __init__(
        self,
        root: str,
        scratch: str,
        *,
        beside: bool = False,
        listed: bool = True,
        fault: Fault = no_fault,
    ) -> None:
        self._root = Path(root)
        self._scratch = Path(scratch)
        self._beside = beside
        self._listed = listed
        self._fault = fault
        self._unfinished: list[Future[None]] = []

    def path(self, digest: str) -> Path:
        """Where the bytes with a digest are, or would be."""
        return self._root / object_path(digest)

    def put(
        self, name: str, format_: str, data: bytes, width: int = 0, height: int = 0
    ) -> Rendition:
        """Store a file durably under its digest. Whether it may leave is the caller's to inspect.

        Raises:
            ObstacleError: the disk is full, or read-only.
            TransientError: what was read back is not what was written.
            OSError: the disk is failing.
        """
        digest = Digest(hashlib.sha256(data).hexdigest())
        if self._beside:
            self._unfinished.append(_writer().submit(self._keep, digest, data))
        else:
            self._keep(digest, data)
        return Rendition(name, digest, len(data), format_, width, height)

    def finish(self) -> None:
        """Wait until everything that was put is durable.

        Raises:
            TransientError, OSError: as `put`, where it was left to this.
        """
        unfinished, self._unfinished = self._unfinished, []
        failed = [error for one in unfinished if (error := one.exception()) is not None]
        if failed:
            raise failed[0]

    def read(self, rendition: Rendition) -> bytes:
        """The bytes of a rendition, compared with its digest.

        Raises:
            ObstacleError: they are gone or damaged.
        """
        return self.fetch(rendition.digest, rendition.name)

    def fetch(self, digest: str, name: str) -> bytes:
        """The bytes under a digest; ``name`` is for the message. Damaged ones are put aside.

        Raises:
            ObstacleError: they are gone or damaged.
        """
        try:
            data = self.path(digest).read_bytes()
        except FileNotFoundError:
            raise damaged(name, digest, "is not in the artifact store") from None
        if hashlib.sha256(data).hexdigest() != digest:
            self.put_aside(digest)
            raise damaged(name, digest, "is damaged in the artifact store")
        return data

    def put_aside(self, digest: str) -> None:
        """Move what stands under a digest into quarantine: nobody takes it for what it was, and it
        can still be looked at."""
        quarantine = self._root / QUARANTINE
        quarantine.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            # Where it is gone, another process found the same and was faster.
            self.path(digest).rename(quarantine / f"{digest}-{self._unique('found')}")

    def scratch_folder(self) -> Path:
        """A new, empty folder of the caller's own, to be removed by the caller."""
        folder = self._scratch / self._unique("work")
        with writing_to(self._scratch, 0):
            folder.mkdir(parents=True)
        return folder

    def _keep(self, digest: Digest, data: bytes) -> None:
        with writing_to(self._root, len(data)):
            if not self._holds(digest):
                self._write(digest, data)

    def _holds(self, digest: Digest) -> bool:
        try:
            with self.path(digest).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return False
        if found != digest:
            self.put_aside(digest)
        return found == digest

    def _write(self, digest: Digest, data: bytes) -> None:
        unfinished = self._scratch / self._unique("new")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        target = self.path(digest)
        try:
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), _READ_ONLY)
                os.fsync(file.fileno())
            self._fault("shelf: written")
            with unfinished.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != digest:
                raise TransientError("the disk gave back other bytes than were written to it")
            if self._listed and not target.parent.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
                _sync_folder(self._root)
            self._fault("shelf: verified")
            unfinished.replace(target)
            self._fault("shelf: renamed")
            if self._listed:
                _sync_folder(target.parent)
        finally:
            unfinished.unlink(missing_ok=True)

    @staticmethod
    def _unique(kind: str) -> str:
        return f"{kind}-{os.getpid()}-{threading.get_ident()}-{next(_numbers)}"


@functools.cache
def _writer() -> ThreadPoolExecutor:
    """The thread of this process that writes."""
    return ThreadPoolExecutor(1, "shelf")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
