"""Where groups become visible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from imagelane.model.ids import Digest
from imagelane.model.obstacle import Obstacle


class PublishError(Exception):
    """A group cannot be published: one line that says what was found, what was expected, and what
    to do next. What was live before still is. ``passing``: trying again later may help.
    ``obstacle``: what must be out of the way before it can."""

    def __init__(
        self, message: str, *, passing: bool = False, obstacle: Obstacle | None = None
    ) -> None:
        super().__init__(message)
        self.passing = passing
        self.obstacle = obstacle


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


@dataclass(frozen=True, slots=True)
class Promotion:
    """Something that was done at a group's place: a version was made live (``digest``), by which
    fence, when (seconds of the epoch). Without a digest nothing was, but the place belongs to that
    fence from there on; where it is ``gone``, what was live was taken away."""

    digest: Digest | None
    fence: int
    at: float
    gone: bool = False


class Publisher(Protocol):
    """A folder, an object store. Promoting the same version twice is harmless."""

    def stage(self, version: Version) -> None:
        """Bring all files of a version into place, invisible, verified by reading back.

        Raises:
            ArtifactDamagedError: a file's bytes are not those of its digest.
            PublishError: a file is nowhere to be found, or the target cannot be written.
        """

    def promote(self, version: Version, fence: int) -> None:
        """Make it live, in one atomic step, and keep the version before it.

        Raises:
            StaleFenceError: a later coordinator has published this group, or taken it over.
            PublishError: something else stands at the group's place, the version was not staged,
                or the target cannot be written.
        """

    def take_over(self, slug: str, fence: int) -> None:
        """From here on no coordinator with an earlier fence makes a version of this group live,
        also where nothing ever went live. What is live stays live.

        Raises:
            StaleFenceError: a later coordinator has published this group, or taken it over.
            PublishError: the target cannot be written.
        """

    def take_down(self, slug: str, fence: int) -> None:
        """Show nothing of the group any more, from one atomic step on. Its versions are kept.

        Raises:
            StaleFenceError: a later coordinator has published this group, or taken it over.
            PublishError: something else stands at its place, or the target cannot be written.
        """

    def live(self, slug: str) -> Digest | None:
        """The digest of the live version's manifest."""

    def versions(self, slug: str) -> Iterator[Digest]:
        """All versions that are kept, newest first."""

    def discard(self, slug: str, digest: Digest) -> int:
        """Remove a version for good, with all of its files; gives how many those were.

        Raises:
            PublishError: it is live, or the target cannot be written.
        """

    def discard_objects(self, digests: Iterable[Digest]) -> int:
        """Remove what the target stores of these digests, where it stores files for its versions;
        gives how many files those were."""

    def promotions(self, slug: str) -> Sequence[Promotion]:
        """All that was done at the group's place, oldest first."""

    def kept(self, slug: str, digest: Digest) -> bytes | None:
        """The manifest of a version that is kept, live or not; None where it is not there, or is
        not what its digest says."""

    def lacking(self, version: Version) -> Sequence[str]:
        """The names of those files of a version whose bytes are nowhere any more: neither in the
        version, if it is kept, nor where it was made from. Reads all of them."""


class IndexedPublisher(Publisher, Protocol):
    """A publisher whose target also has a list of its galleries."""

    def manifest(self, slug: str) -> bytes | None:
        """The manifest of the live version."""

    def index(self) -> bytes | None:
        """The list of galleries, if there is one."""

    def take_over_index(self, fence: int) -> None:
        """`take_over`, of the list of galleries."""

    def publish_index(self, index: bytes, fence: int) -> None:
        """Replace the list of galleries (JSON), in one atomic step.

        Raises:
            StaleFenceError: a later coordinator has published the list.
            PublishError: the target cannot be written.
        """
