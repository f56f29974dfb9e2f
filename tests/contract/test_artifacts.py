"""Every artifact store keeps the one contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts
from imagelane.model.ids import Digest
from imagelane.ports.artifacts import Artifacts
from imagelane.testing.artifacts_contract import ArtifactsContract


class TestFilesystemArtifacts(ArtifactsContract):
    @pytest.fixture
    def artifacts(self, tmp_path: Path) -> Artifacts:
        return FilesystemArtifacts(tmp_path / "artifacts")

    @pytest.fixture
    def damage(self, artifacts: Artifacts) -> Callable[[Digest], None]:
        def flip_one_bit(digest: Digest) -> None:
            path = artifacts.path(digest)
            data = bytearray(path.read_bytes())
            data[0] ^= 1
            path.chmod(0o644)
            path.write_bytes(data)

        return flip_one_bit
