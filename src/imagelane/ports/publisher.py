"""Where groups become visible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from imagelane.model.ids import Digest


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file of a group's version: the name that people see, relative to the group's folder."""

    name: str
    digest: Digest
    bytes: int


@dataclass(frozen=True, slots=True)
class Version:
    """A group as it is to become visible. ``slug`` names it in the target, ``manifest`` is the
    canonical JSON whose SHA-256 is ``digest``."""

    slug: str
    group_name: str
    digest: Digest
    manifest: bytes
    files: Sequence[PublishedFile]
    rows: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    """One row for each image, for the gallery database."""


class Publisher(Protocol):
    """A folder, an object store. Promoting the same version twice is harmless."""

    def stage(self, version: Version) -> None:
        """Bring all files of a version into place, invisible, verified by reading back."""

    def promote(self, version: Version, fence: int) -> None:
        """Make it live, in one atomic step, and keep the version before it.

        Raises:
            StaleFenceError: a later coordinator has published this group.
        """

    def live(self, slug: str) -> Digest | None:
        """The digest of the live version's manifest."""

    def versions(self, slug: str) -> Iterator[Digest]:
        """All versions that are kept, newest first."""
