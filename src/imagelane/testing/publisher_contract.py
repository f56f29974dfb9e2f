"""What every publisher promises. Subclass `PublisherContract` and override its fixtures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

import pytest

from imagelane.model.ids import Digest, StageName
from imagelane.model.outcome import Rendition
from imagelane.ports.artifacts import ArtifactDamagedError
from imagelane.ports.journal import StaleFenceError
from imagelane.ports.publisher import IndexedPublisher, PublishError, Version
from imagelane.publish.manifest import build

Store = Callable[[bytes], Digest]
"""Puts bytes where the publisher finds renditions."""

Look = Callable[[str], Mapping[str, bytes] | None]
"""What a visitor sees of a gallery: all files by name, or None where it is not live."""


def make_version(store: Store, text: str, *, slug: str = "harbour", images: int = 2) -> Version:
    """A version whose every file says ``text``, so that a mixture of two can be seen."""

    def rendition(image: int, width: int) -> list[object]:
        data = f"{text} {image} {width}".encode()
        return [str(width), store(data), len(data), "jpeg", width, width]

    sheet = f"{text} sheet".encode()
    return build(
        pipeline="news",
        group_name="Harbour",
        slug=slug,
        title=text,
        members=[
            {
                "name": f"{image}.jpg",
                "state": "processing",
                "renditions": {"thumbnails": [rendition(image, width) for width in (160, 480)]},
            }
            for image in range(1, images + 1)
        ],
        group_outputs={
            StageName("contact-sheet"): [
                Rendition("contact-sheet", store(sheet), len(sheet), "jpeg", 8, 8)
            ]
        },
    )


def assert_whole(seen: Mapping[str, bytes], version: Version) -> None:
    """The files are those of the version, all of them and no others."""
    assert set(seen) == {"manifest.json", *(file.name for file in version.files)}
    assert seen["manifest.json"] == version.manifest
    for file in version.files:
        assert hashlib.sha256(seen[file.name]).hexdigest() == file.digest


class PublisherContract:
    """Behaviour that does not depend on where a publisher publishes."""

    @pytest.fixture
    def publisher(self) -> IndexedPublisher:
        """A publisher over an empty target."""
        raise NotImplementedError

    @pytest.fixture
    def store(self) -> Store:
        """Stores renditions."""
        raise NotImplementedError

    @pytest.fixture
    def damage(self) -> Callable[[Digest], None]:
        """Changes stored bytes behind the publisher's back."""
        raise NotImplementedError

    @pytest.fixture
    def look(self) -> Look:
        """Looks as a visitor."""
        raise NotImplementedError

    def test_nothing_is_seen_before_it_is_promoted(
        self, publisher: IndexedPublisher, store: Store, look: Look
    ) -> None:
        version = make_version(store, "first")
        assert publisher.live("harbour") is None
        publisher.stage(version)
        assert look("harbour") is None
        assert publisher.live("harbour") is None
        assert list(publisher.versions("harbour")) == []

    def test_promoted_version_is_seen_whole(
        self, publisher: IndexedPublisher, store: Store, look: Look
    ) -> None:
        version = make_version(store, "first")
        publisher.stage(version)
        publisher.promote(version, 1)
        seen = look("harbour")
        assert seen is not None
        assert_whole(seen, version)
        assert publisher.live("harbour") == version.digest
        assert publisher.manifest("harbour") == version.manifest

    def test_later_version_takes_its_place_and_the_earlier_is_kept(
        self, publisher: IndexedPublisher, store: Store, look: Look
    ) -> None:
        first, second = make_version(store, "first"), make_version(store, "second", images=1)
        for version in (first, second):
            publisher.stage(version)
            publisher.promote(version, 1)
        seen = look("harbour")
        assert seen is not None
        assert_whole(seen, second)
        assert list(publisher.versions("harbour")) == [second.digest, first.digest]
        publisher.promote(first, 1)
        seen = look("harbour")
        assert seen is not None
        assert_whole(seen, first)
        assert list(publisher.versions("harbour")) == [first.digest, second.digest]

    def test_doing_it_twice_is_harmless(
        self, publisher: IndexedPublisher, store: Store, look: Look
    ) -> None:
        version = make_version(store, "first")
        for _ in range(2):
            publisher.stage(version)
            publisher.promote(version, 1)
        seen = look("harbour")
        assert seen is not None
        assert_whole(seen, version)
        assert list(publisher.versions("harbour")) == [version.digest]

    def test_groups_are_apart(self, publisher: IndexedPublisher, store: Store, look: Look) -> None:
        versions = [make_version(store, slug, slug=slug) for slug in ("harbour", "market", "é")]
        for fence, version in enumerate(versions, 1):
            publisher.stage(version)
            publisher.promote(version, 4 - fence)
        for version in versions:
            seen = look(version.slug)
            assert seen is not None
            assert_whole(seen, version)

    def test_stale_coordinator_cannot_publish(
        self, publisher: IndexedPublisher, store: Store, look: Look
    ) -> None:
        old, new = make_version(store, "old"), make_version(store, "new")
        for version in (old, new):
            publisher.stage(version)
        publisher.promote(new, 7)
        with pytest.raises(StaleFenceError, match="fence 7, ours is 6"):
            publisher.promote(old, 6)
        seen = look("harbour")
        assert seen is not None
        assert_whole(seen, new)
        assert list(publisher.versions("harbour")) == [new.digest]
        publisher.promote(old, 7)
        assert publisher.live("harbour") == old.digest

    def test_what_a_later_coordinator_has_taken_over_nobody_before_it_makes_live(
        self, publisher: IndexedPublisher, store: Store, look: Look
    ) -> None:
        late, new = make_version(store, "late"), make_version(store, "new")
        for version in (late, new):
            publisher.stage(version)
        for _ in range(2):
            publisher.take_over("harbour", 7)
        assert publisher.live("harbour") is None
        assert list(publisher.versions("harbour")) == []
        with pytest.raises(StaleFenceError, match=r"fence 7, ours is 6.*taken over"):
            publisher.promote(late, 6)
        assert look("harbour") is None
        publisher.promote(new, 7)
        publisher.take_over("harbour", 9)
        with pytest.raises(StaleFenceError, match="fence 9, ours is 7"):
            publisher.promote(late, 7)
        with pytest.raises(StaleFenceError, match="fence 9, ours is 8"):
            publisher.take_over("harbour", 8)
        seen = look("harbour")
        assert seen is not None
        assert_whole(seen, new)
        assert list(publisher.versions("harbour")) == [new.digest]
        publisher.promote(late, 9)
        assert publisher.live("harbour") == late.digest

    def test_what_was_done_at_a_place_is_told_in_order(
        self, publisher: IndexedPublisher, store: Store
    ) -> None:
        first, second = make_version(store, "first"), make_version(store, "second")
        assert list(publisher.promotions("harbour")) == []
        for version, fence in ((first, 1), (second, 2), (first, 2)):
            publisher.stage(version)
            publisher.promote(version, fence)
        publisher.take_over("harbour", 3)
        told = [(one.digest, one.fence, one.gone) for one in publisher.promotions("harbour")]
        assert told == [
            (first.digest, 1, False),
            (second.digest, 2, False),
            (first.digest, 2, False),
            (None, 3, False),
        ]

    def test_what_is_taken_down_is_seen_no_more_and_can_be_put_back(
        self, publisher: IndexedPublisher, store: Store, look: Look
    ) -> None:
        version = make_version(store, "first")
        publisher.stage(version)
        publisher.promote(version, 2)
        with pytest.raises(StaleFenceError, match="fence 2, ours is 1"):
            publisher.take_down("harbour", 1)
        for _ in range(2):
            publisher.take_down("harbour", 3)
        assert look("harbour") is None
        assert publisher.live("harbour") is None
        assert list(publisher.versions("harbour")) == [version.digest]
        told = [(one.fence, one.gone) for one in publisher.promotions("harbour")]
        assert told == [(2, False), (3, True)]
        with pytest.raises(StaleFenceError, match=r"fence 3, ours is 2.*published"):
            publisher.promote(version, 2)
        publisher.promote(version, 4)
        seen = look("harbour")
        assert seen is not None
        assert_whole(seen, version)

    def test_manifest_of_a_version_is_kept_whether_it_is_live_or_not(
        self, publisher: IndexedPublisher, store: Store
    ) -> None:
        first, second = make_version(store, "first"), make_version(store, "second")
        for version in (first, second):
            publisher.stage(version)
            publisher.promote(version, 1)
        assert publisher.kept("harbour", first.digest) == first.manifest
        assert publisher.kept("harbour", second.digest) == second.manifest
        assert publisher.kept("harbour", Digest("0" * 64)) is None
        assert publisher.kept("market", first.digest) is None

    def test_what_a_version_lacks_is_named(
        self, publisher: IndexedPublisher, store: Store, damage: Callable[[Digest], None]
    ) -> None:
        version = make_version(store, "first")
        assert list(publisher.lacking(version)) == []
        damage(version.files[1].digest)
        assert list(publisher.lacking(version)) == [version.files[1].name]
        nowhere = make_version(lambda data: Digest(hashlib.sha256(data).hexdigest()), "nowhere")
        assert list(publisher.lacking(nowhere)) == [file.name for file in nowhere.files]

    def test_what_was_not_staged_is_not_promoted(
        self, publisher: IndexedPublisher, store: Store, look: Look
    ) -> None:
        with pytest.raises(PublishError, match="stage it before"):
            publisher.promote(make_version(store, "first"), 1)
        assert look("harbour") is None

    def test_damaged_file_is_never_published(
        self,
        publisher: IndexedPublisher,
        store: Store,
        look: Look,
        damage: Callable[[Digest], None],
    ) -> None:
        version = make_version(store, "first")
        damage(version.files[2].digest)
        with pytest.raises(ArtifactDamagedError, match=version.files[2].name):
            publisher.stage(version)
        with pytest.raises(PublishError):
            publisher.promote(version, 1)
        assert look("harbour") is None
        store(b"first 1 480")
        publisher.stage(version)
        publisher.promote(version, 1)
        seen = look("harbour")
        assert seen is not None
        assert_whole(seen, version)

    def test_missing_file_is_named(self, publisher: IndexedPublisher, look: Look) -> None:
        version = make_version(lambda data: Digest(hashlib.sha256(data).hexdigest()), "nowhere")
        with pytest.raises(PublishError, match=version.files[0].name):
            publisher.stage(version)
        assert look("harbour") is None

    @pytest.mark.parametrize("slug", ["", ".", "..", "../up", "a/b", ".versions", "nul\0"])
    def test_slug_that_leads_elsewhere_is_refused(
        self, publisher: IndexedPublisher, store: Store, slug: str
    ) -> None:
        version = make_version(store, "first", slug=slug)
        with pytest.raises(PublishError, match="no name for a gallery"):
            publisher.stage(version)
        with pytest.raises(PublishError, match="no name for a gallery"):
            publisher.promote(version, 1)

    def test_index_is_replaced_whole_and_fenced(self, publisher: IndexedPublisher) -> None:
        assert publisher.index() is None
        for fence in (3, 3, 5):
            publisher.publish_index(json.dumps({"fence": fence}).encode(), fence)
        assert publisher.index() == b'{"fence": 5}'
        with pytest.raises(StaleFenceError):
            publisher.publish_index(b"{}", 4)
        publisher.take_over_index(7)
        with pytest.raises(StaleFenceError, match="fence 7, ours is 6"):
            publisher.publish_index(b"{}", 6)
        publisher.publish_index(b"{}", 7)
