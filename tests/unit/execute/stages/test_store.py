from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from imagelane.execute.stages.store import OBJECTS
from imagelane.model.ids import StageName
from imagelane.model.obstacle import Obstacle, ObstacleKind
from imagelane.model.outcome import Rendition
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.images.files import coded, photo

Inputs = dict[StageName, tuple[Rendition, ...]]


@pytest.fixture
def made(bench: Bench, tmp_path: Path) -> Inputs:
    path = tmp_path / "picture.jpg"
    path.write_bytes(coded(photo(200, 150), "jpeg"))
    bench.stage("thumbnails", widths=[20, 50]).stage("crop", aspect="1:1", materialise=True)
    bench.stage("other", "thumbnails", widths=[30])
    outcomes = bench.all(path)
    inputs = {name: one.renditions for name, one in zip(bench.stages, outcomes, strict=True)}
    bench.stage("store", to="public/", needs=["thumbnails", "crop"])
    return inputs


def stored(bench: Bench) -> dict[str, Path]:
    objects = bench.folder / "public" / OBJECTS
    files = [path for path in objects.rglob("*") if path.is_file()]
    return {path.parent.name + path.name: path for path in files}


def test_what_its_stages_made_is_there_and_nothing_else(bench: Bench, made: Inputs) -> None:
    bench.one(None, "store", inputs=made)
    assert set(stored(bench)) == {one.digest for one in made[StageName("thumbnails")]}
    for digest, path in stored(bench).items():
        assert path.stat().st_mode & 0o777 == 0o444
        assert (
            path.stat().st_ino
            == (bench.folder / "artifacts" / digest[:2] / digest[2:]).stat().st_ino
        )


def test_twice_is_harmless(bench: Bench, made: Inputs) -> None:
    bench.one(None, "store", inputs=made)
    before = {digest: path.stat().st_ino for digest, path in stored(bench).items()}
    bench.one(None, "store", inputs=made)
    assert {digest: path.stat().st_ino for digest, path in stored(bench).items()} == before


@pytest.mark.parametrize("why", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_where_files_cannot_be_linked_they_are_copied(
    bench: Bench, made: Inputs, monkeypatch: pytest.MonkeyPatch, why: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(os, "link", refuse)
    bench.one(None, "store", inputs=made)
    for digest, path in stored(bench).items():
        origin = bench.folder / "artifacts" / digest[:2] / digest[2:]
        assert path.read_bytes() == origin.read_bytes()
        assert path.stat().st_ino != origin.stat().st_ino


def test_what_is_gone_or_damaged_does_not_get_there(bench: Bench, made: Inputs) -> None:
    first, second = made[StageName("thumbnails")]
    path = bench.folder / "artifacts" / first.digest[:2] / first.digest[2:]
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    failure = bench.fails(None, "store", inputs=made)
    assert failure.error is ErrorClass.TRANSIENT
    assert "is damaged" in failure.message
    assert failure.obstacle == Obstacle(ObstacleKind.DAMAGED, first.digest)
    assert first.digest not in stored(bench)
    (aside,) = (bench.folder / "artifacts" / "quarantine").iterdir()
    assert aside.name.startswith(first.digest)
    assert aside.read_bytes() == b"damaged"
    assert "not in the artifact store" in bench.fails(None, "store", inputs=made).message
    assert len(stored(bench)) <= 1
    assert second.digest


def test_a_disk_that_says_no_is_named(
    bench: Bench, made: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "public")

    monkeypatch.setattr(os, "link", refuse)
    failure = bench.fails(None, "store", inputs=made)
    assert failure.error is ErrorClass.TRANSIENT
    objects = bench.folder / "public" / ".objects"
    assert failure.message.startswith(f"no room on the disk of {objects}")
    assert failure.obstacle is not None
    assert failure.obstacle.kind is ObstacleKind.FULL
    assert failure.obstacle.where == str(objects)
    assert failure.obstacle.needed in {one.bytes for one in made[StageName("thumbnails")]}
