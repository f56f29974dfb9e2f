"""The artifact store in a folder.

Layout: ``ab/cdef…`` (the first two digits of the digest, then the rest; mode 0444), ``.tmp/`` for
what is being written, ``quarantine/`` for what turned out damaged. Each file is synced before it
gets its name and its folder afterwards, so what stands under a digest is whole after any crash.
Workers write into the same layout themselves.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from uuid import uuid4

from imagelane.adapters.durable import file_digest, sync_folder, write_synced
from imagelane.model.ids import Digest
from imagelane.ports.artifacts import QUARANTINE, ArtifactDamagedError, object_path

READ_ONLY = 0o444
_ABANDONED = 24 * 60 * 60
"""Seconds after which an unfinished file belongs to nobody any more."""


class FilesystemArtifacts:
    """Content-addressed files below ``root``. Any number of processes may write at once."""

    def __init__(self, root: Path) -> None:
        """Make the folder if need be, and clear away what writers that died left in it.

        Raises:
            OSError: it cannot be made.
        """
        self._root = root
        self._unfinished = root / ".tmp"
        self._unfinished.mkdir(parents=True, exist_ok=True)
        self._sweep()

    def put(self, data: bytes) -> Digest:
        digest = Digest(hashlib.sha256(data).hexdigest())
        target = self._place(digest)
        try:
            self.verify(digest)
        except (FileNotFoundError, ArtifactDamagedError):
            self._write(data, digest, target)
        return digest

    def path(self, digest: Digest) -> Path:
        path = self._place(digest)
        if not path.is_file():
            raise FileNotFoundError(f"no artifact {digest} in {self._root}")
        return path

    def verify(self, digest: Digest) -> None:
        path = self.path(digest)
        if file_digest(path) == digest:
            return
        aside = self._put_aside(path, digest)
        raise ArtifactDamagedError(
            f"artifact {digest} was damaged: it lies in {aside} now; make it again with the run "
            "that made it",
            digest,
        )

    def intact(self, digest: Digest) -> bool:
        """Whether the bytes are there and what they were; nothing is put aside."""
        try:
            return file_digest(self._place(digest)) == digest
        except FileNotFoundError:
            return False

    def __contains__(self, digest: Digest) -> bool:
        return self._place(digest).is_file()

    def _place(self, digest: Digest) -> Path:
        return self._root / object_path(digest)

    def _write(self, data: bytes, digest: Digest, target: Path) -> None:
        unfinished = self._unfinished / uuid4().hex
        try:
            write_synced(unfinished, data, READ_ONLY)
            if file_digest(unfinished) != digest:
                raise OSError(f"the disk of {self._root} gave back other bytes than were written")
            if not target.parent.is_dir():
                target.parent.mkdir(exist_ok=True)
                sync_folder(self._root)
            unfinished.replace(target)
            sync_folder(target.parent)
        finally:
            unfinished.unlink(missing_ok=True)

    def _put_aside(self, path: Path, digest: Digest) -> Path:
        quarantine = self._root / QUARANTINE
        quarantine.mkdir(exist_ok=True)
        aside = quarantine / f"{digest}-{uuid4().hex[:8]}"
        try:
            path.rename(aside)
        except FileNotFoundError:
            # Another process found the same damage and was faster.
            return quarantine
        sync_folder(quarantine)
        return aside

    def _sweep(self) -> None:
        oldest = time.time() - _ABANDONED
        for entry in self._unfinished.iterdir():
            try:
                if entry.lstat().st_mtime < oldest:
                    entry.unlink()
            except FileNotFoundError:
                continue
