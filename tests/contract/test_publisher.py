"""Every publisher keeps the one contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts
from imagelane.adapters.publishers.folder import FolderPublisher
from imagelane.model.ids import Digest
from imagelane.ports.publisher import IndexedPublisher
from imagelane.testing.publisher_contract import Look, PublisherContract, Store


@pytest.fixture
def artifacts(tmp_path: Path) -> FilesystemArtifacts:
    return FilesystemArtifacts(tmp_path / "artifacts")


class FolderContract(PublisherContract):
    @pytest.fixture
    def store(self, artifacts: FilesystemArtifacts) -> Store:
        return artifacts.put

    @pytest.fixture
    def damage(self, artifacts: FilesystemArtifacts) -> Callable[[Digest], None]:
        def cut(digest: Digest) -> None:
            path = artifacts.path(digest)
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-1])

        return cut

    @pytest.fixture
    def look(self, tmp_path: Path) -> Look:
        def seen(slug: str) -> Mapping[str, bytes] | None:
            folder = tmp_path / "public" / slug
            if not folder.exists():
                return None
            return {path.name: path.read_bytes() for path in folder.iterdir()}

        return seen


class TestFolderPublisher(FolderContract):
    @pytest.fixture
    def publisher(self, tmp_path: Path) -> IndexedPublisher:
        return FolderPublisher(tmp_path / "public", artifacts=tmp_path / "artifacts")


class TestFolderPublisherWithoutDatabase(FolderContract):
    @pytest.fixture
    def publisher(self, tmp_path: Path) -> IndexedPublisher:
        return FolderPublisher(tmp_path / "public", artifacts=tmp_path / "artifacts", database=None)
