from __future__ import annotations

import errno
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imagelane.adapters.artifacts import filesystem
from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts
from imagelane.ports.artifacts import ArtifactDamagedError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


def unfinished(root: Path) -> list[Path]:
    return list((root / ".tmp").iterdir())


def test_layout_is_the_one_that_workers_write(root: Path) -> None:
    digest = FilesystemArtifacts(root).put(b"picture")
    path = root / digest[:2] / digest[2:]
    assert path.read_bytes() == b"picture"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert unfinished(root) == []


def test_bytes_are_synced_before_they_get_their_name_and_the_folder_after(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, rename = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        mode = os.fstat(descriptor).st_mode
        steps.append("folder" if stat.S_ISDIR(mode) else "file")
        sync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(self, target)

    store = FilesystemArtifacts(root)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    store.put(b"picture")
    assert steps == ["file", "folder", "rename", "folder"]


def test_failed_write_leaves_nothing_under_the_digest(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = FilesystemArtifacts(root)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            store.put(b"picture")
    assert unfinished(root) == []
    assert [path for path in root.rglob("*") if path.is_file()] == []
    store.verify(store.put(b"picture"))


def test_disk_that_gives_back_other_bytes_is_not_believed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FilesystemArtifacts(root)
    monkeypatch.setattr(filesystem, "file_digest", lambda _: "f" * 64)
    with pytest.raises(OSError, match="other bytes than were written"):
        store.put(b"picture")
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_damaged_file_lies_in_quarantine_each_time(root: Path) -> None:
    store = FilesystemArtifacts(root)
    for _ in range(2):
        digest = store.put(b"picture")
        store.path(digest).chmod(0o644)
        store.path(digest).write_bytes(b"pict")
        with pytest.raises(ArtifactDamagedError, match="quarantine"):
            store.verify(digest)
    assert [path.read_bytes() for path in (root / "quarantine").iterdir()] == [b"pict"] * 2


def test_leftovers_of_the_dead_are_cleared_and_those_of_the_living_kept(root: Path) -> None:
    FilesystemArtifacts(root)
    old, new = root / ".tmp" / "old", root / ".tmp" / "new"
    for path in (old, new):
        path.write_bytes(b"half")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    FilesystemArtifacts(root)
    assert unfinished(root) == [new]


def test_many_writers_of_the_same_bytes_agree(root: Path) -> None:
    stores = [FilesystemArtifacts(root) for _ in range(4)]
    data = os.urandom(50_000)
    with ThreadPoolExecutor(4) as threads:
        digests = set(threads.map(lambda n: stores[n % 4].put(data), range(64)))
    (digest,) = digests
    stores[0].verify(digest)
    assert unfinished(root) == []
