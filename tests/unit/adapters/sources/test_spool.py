"""The spool: complete or absent, the same each time, and as large on disk as it likes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagelane.adapters.sources import SpooledSource, open_source, spool
from imagelane.model.spec import GroupSpec, ImagesSpec
from imagelane.ports.source import SourceError
from tests.unit.adapters.child import run


@contextmanager
def opened(tmp_path: Path, images: ImagesSpec) -> Iterator[SpooledSource]:
    source = open_source(images, tmp_path, tmp_path / "run" / "source.db")
    try:
        yield source
    finally:
        source.close()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (folder / name).touch()
    return folder


def test_listed_once_it_never_changes(tmp_path: Path, photos: Path) -> None:
    with opened(tmp_path, ImagesSpec("photos")) as source:
        first = list(source.items())
    (photos / "0.jpg").touch()
    (photos / "b.jpg").unlink()
    with opened(tmp_path, ImagesSpec("photos")) as source:
        assert list(source.items()) == first


def test_list_of_another_declaration_is_refused(tmp_path: Path, photos: Path) -> None:
    assert photos.exists()
    with opened(tmp_path, ImagesSpec("photos")):
        pass
    with (
        pytest.raises(SourceError, match="another declaration: start a new run"),
        opened(tmp_path, ImagesSpec("photos", GroupSpec("none"))),
    ):
        pass


def test_damaged_list_is_named(tmp_path: Path, photos: Path) -> None:
    assert photos.exists()
    with opened(tmp_path, ImagesSpec("photos")):
        pass
    (tmp_path / "run" / "source.db").write_bytes(b"\0" * 8192)
    with (
        pytest.raises(SourceError, match=r"source\.db, .* cannot be read .*: start a new run"),
        opened(tmp_path, ImagesSpec("photos")),
    ):
        pass


LISTING = """
import os, signal, sys
from pathlib import Path
from imagelane.adapters.sources import open_source, spool
from imagelane.model.spec import ImagesSpec
name = spool._Building._name_groups
def killed(self):
    os.kill(os.getpid(), signal.SIGKILL)
spool._Building._name_groups = killed
open_source(ImagesSpec("photos"), Path(sys.argv[1]), Path(sys.argv[1]) / "run" / "source.db")
"""


def test_list_that_was_cut_short_is_made_anew(tmp_path: Path, photos: Path) -> None:
    done = run(LISTING, tmp_path)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["source.db.part"]
    (photos / "d.jpg").touch()
    with opened(tmp_path, ImagesSpec("photos")) as source:
        assert source.count() == (4, 1)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["source.db"]


def test_disk_without_room_is_named_and_leaves_nothing(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        (photos / f"{number} {'x' * 200}.jpg").touch()
    full = f"{spool._QUERIES['schema']};\nPRAGMA max_page_count = 4"
    monkeypatch.setattr(spool, "_QUERIES", {**spool._QUERIES, "schema": full})
    with (
        pytest.raises(SourceError, match=r"cannot be kept in .* full\): check the disk"),
        opened(tmp_path, ImagesSpec("photos")),
    ):
        pass
    assert list((tmp_path / "run").iterdir()) == []


def test_many_threads_may_read(tmp_path: Path, photos: Path) -> None:
    assert photos.exists()
    with opened(tmp_path, ImagesSpec("photos")) as source, ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: list(source.items()), range(50)):
            assert [item.name for item in found] == ["a.jpg", "b.jpg", "c.jpg"]


MEASURING = """
import resource, sys
from pathlib import Path
from imagelane.adapters.sources import open_source
from imagelane.model.spec import GroupSpec, ImagesSpec, PrimarySpec
folder, origin, by, order = Path(sys.argv[1]), *sys.argv[2:]
images = ImagesSpec(origin, GroupSpec(by, column="sku"), order, PrimarySpec())
source = open_source(images, folder, folder / f"{by}.db")
assert sum(1 for _ in source.items()) == source.count()[0]
print(*source.count(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def listed(folder: Path, origin: str, by: str, order: str = "name") -> tuple[int, int, int]:
    """How many images and groups there are, and what a process takes to list and read them: its
    largest resident memory in kB, SQLite's own included."""
    done = run(MEASURING, folder, origin, by, order)
    assert done.returncode == 0, done.stderr
    images, groups, memory = map(int, done.stdout.split())
    return images, groups, memory


def test_twenty_thousand_files_cost_the_memory_of_a_thousand(tmp_path: Path) -> None:
    for name, folders in (("few", 10), ("many", 200)):
        for number in range(folders):
            folder = tmp_path / name / f"gallery {number}"
            folder.mkdir(parents=True)
            for image in range(100):
                os.close(os.open(folder / f"IMG_{image}.jpg", os.O_CREAT))
    for by, groups in (("folder", (10, 200)), ("none", (1000, 20_000))):
        few, many = listed(tmp_path, "few", by), listed(tmp_path / "many", ".", by)
        assert (few[:2], many[:2]) == ((1000, groups[0]), (20_000, groups[1]))
        assert many[2] < 1.3 * few[2]


@pytest.mark.slow
def test_two_hundred_thousand_rows_cost_the_memory_of_a_thousand(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    for name, rows in (("few.csv", 1000), ("many.csv", 200_000)):
        with (tmp_path / name).open("w", encoding="utf-8") as file:
            file.write("path,sku\na.jpg,0\n")
            file.writelines(f"{n % 1000}/{n}.jpg,SKU{n // 3}\n" for n in range(1, rows))
    few = listed(tmp_path, "few.csv", "column", "manifest")
    (tmp_path / "column.db").unlink()
    many = listed(tmp_path, "many.csv", "column", "manifest")
    assert (few[:2], many[:2]) == ((1000, 335), (200_000, 66_668))
    assert many[2] < 1.3 * few[2]
