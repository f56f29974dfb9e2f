"""The artifact store: bytes under their own digest."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Protocol

from imagelane.model.ids import Digest


class ArtifactDamagedError(Exception):
    """What is stored is not what its digest says; it was moved aside and is never published.
    ``digest`` names it."""

    def __init__(self, message: str, digest: str = "") -> None:
        super().__init__(message)
        self.digest = digest


_HEXADECIMAL = frozenset("0123456789abcdef")


QUARANTINE = "quarantine"
"""The folder, beside the objects, of what turned out damaged."""


def object_path(digest: str) -> PurePosixPath:
    """Where a store that is a folder keeps a digest's bytes, relative to its root: ``ab/cdef…``.

    Workers, the artifact store and the publishing folder all lay files out so, which is what lets
    one be linked into the other.

    Raises:
        ValueError: not a SHA-256 in 64 lower-case hexadecimal digits, so perhaps a path.
    """
    if len(digest) != 64 or not set(digest) <= _HEXADECIMAL:
        raise ValueError(f"{digest!r} is not a SHA-256: expected 64 lower-case hexadecimal digits")
    return PurePosixPath(digest[:2], digest[2:])


class Artifacts(Protocol):
    """Content-addressed by SHA-256. Keys derive from digests, never from user names.

    A worker writes to a temporary name in the same store, reads it back, and renames; so what
    stands under a digest is complete. Putting the same bytes twice is harmless.
    """

    def put(self, data: bytes) -> Digest:
        """Store bytes durably and give their digest."""

    def path(self, digest: Digest) -> Path:
        """A local, read-only file that holds the bytes.

        Raises:
            FileNotFoundError: not in the store.
        """

    def verify(self, digest: Digest) -> None:
        """Read back and compare.

        Raises:
            FileNotFoundError: not in the store.
            ArtifactDamagedError: the bytes are others.
        """

    def __contains__(self, digest: Digest) -> bool: ...
