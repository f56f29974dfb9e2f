"""The artifact store: bytes under their own digest."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from imagelane.model.ids import Digest


class ArtifactDamagedError(Exception):
    """What is stored is not what its digest says; it was moved aside and is never published."""


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
