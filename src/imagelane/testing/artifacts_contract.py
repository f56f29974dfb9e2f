"""What every artifact store promises. Subclass `ArtifactsContract` and override its fixtures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from imagelane.model.ids import Digest
from imagelane.ports.artifacts import ArtifactDamagedError, Artifacts

NOWHERE = Digest("0" * 64)


class ArtifactsContract:
    """Behaviour that does not depend on where a store keeps its bytes."""

    @pytest.fixture
    def artifacts(self) -> Artifacts:
        """An empty store."""
        raise NotImplementedError

    @pytest.fixture
    def damage(self, artifacts: Artifacts) -> Callable[[Digest], None]:
        """Changes the stored bytes of a digest behind the store's back."""
        raise NotImplementedError

    @pytest.mark.parametrize("data", [b"", b"picture", bytes(range(256)) * 5000])
    def test_bytes_are_kept_under_their_digest(self, artifacts: Artifacts, data: bytes) -> None:
        digest = artifacts.put(data)
        assert digest == hashlib.sha256(data).hexdigest()
        assert digest in artifacts
        assert artifacts.path(digest).read_bytes() == data
        artifacts.verify(digest)

    def test_putting_twice_is_harmless(self, artifacts: Artifacts) -> None:
        assert artifacts.put(b"picture") == artifacts.put(b"picture")
        artifacts.verify(artifacts.put(b"picture"))

    def test_what_was_never_put_is_not_there(self, artifacts: Artifacts) -> None:
        artifacts.put(b"picture")
        assert NOWHERE not in artifacts
        with pytest.raises(FileNotFoundError, match=NOWHERE):
            artifacts.path(NOWHERE)
        with pytest.raises(FileNotFoundError, match=NOWHERE):
            artifacts.verify(NOWHERE)

    def test_damage_is_found_and_moved_aside(
        self, artifacts: Artifacts, damage: Callable[[Digest], None]
    ) -> None:
        digest, whole = artifacts.put(b"picture"), artifacts.put(b"another")
        damage(digest)
        with pytest.raises(ArtifactDamagedError, match=digest):
            artifacts.verify(digest)
        assert digest not in artifacts
        artifacts.verify(whole)

    def test_damage_is_healed_by_putting_again(
        self, artifacts: Artifacts, damage: Callable[[Digest], None]
    ) -> None:
        digest = artifacts.put(b"picture")
        damage(digest)
        artifacts.put(b"picture")
        assert artifacts.path(digest).read_bytes() == b"picture"

    @pytest.mark.parametrize("text", ["../../etc/passwd", "", "A" * 64, "a" * 63, "/" + "a" * 63])
    def test_key_that_is_no_digest_is_refused(self, artifacts: Artifacts, text: str) -> None:
        with pytest.raises(ValueError, match="SHA-256"):
            artifacts.path(Digest(text))
