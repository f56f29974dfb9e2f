"""What only a folder can get wrong: links, crashes, readers, a user's own files, the database."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import apsw
import pytest

from imagelane.adapters.publishers.folder import FolderPublisher
from imagelane.model.ids import Digest
from imagelane.ports.artifacts import object_path
from imagelane.ports.journal import StaleFenceError
from imagelane.ports.publisher import PublishError, Version
from imagelane.testing.publisher_contract import assert_whole, make_version
from tests.unit.adapters.child import run, start


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "public"


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def publisher(target: Path, artifacts: Path) -> FolderPublisher:
    return FolderPublisher(target, artifacts=artifacts)


def put(root: Path, data: bytes) -> Digest:
    digest = hashlib.sha256(data).hexdigest()
    path = root / object_path(digest)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o444)
    return Digest(digest)


def made(root: Path, text: str, slug: str = "harbour", images: int = 2) -> Version:
    return make_version(lambda data: put(root, data), text, slug=slug, images=images)


def publish(publisher: FolderPublisher, version: Version, fence: int = 1) -> None:
    publisher.stage(version)
    publisher.promote(version, fence)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def query(target: Path, sql: str) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(target / "galleries.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return list(connection.execute(sql))
    finally:
        connection.close()


def test_files_have_names_that_people_choose_and_cannot_be_changed(
    publisher: FolderPublisher, target: Path, artifacts: Path
) -> None:
    version = made(artifacts, "first")
    publish(publisher, version)
    gallery = target / "harbour"
    assert gallery.is_symlink()
    assert str(gallery.readlink()) == f".versions/harbour/{version.digest[:16]}"
    assert set(files(gallery)) == {
        "1-160.jpg",
        "1-480.jpg",
        "2-160.jpg",
        "2-480.jpg",
        "contact-sheet.jpg",
        "manifest.json",
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in gallery.iterdir()} == {0o444}


def test_bytes_are_shared_with_the_object_area_before_the_artifacts(
    publisher: FolderPublisher, target: Path, artifacts: Path
) -> None:
    version = made(artifacts, "first")
    stored, missing = version.files[0], version.files[1]
    put(target / ".objects", (artifacts / object_path(stored.digest)).read_bytes())
    publish(publisher, version)

    def same(root: Path, digest: str, name: str) -> bool:
        return (root / object_path(digest)).samefile(target / "harbour" / name)

    assert same(target / ".objects", stored.digest, stored.name)
    assert same(artifacts, missing.digest, missing.name)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_where_nothing_can_be_linked_it_is_copied(
    publisher: FolderPublisher,
    target: Path,
    artifacts: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    version = made(artifacts, "first")
    publish(publisher, version)
    assert_whole(files(target / "harbour"), version)
    one = version.files[0]
    assert not (artifacts / object_path(one.digest)).samefile(target / "harbour" / one.name)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (target / "harbour").iterdir()} == {0o444}


def test_damaged_object_gives_way_to_the_whole_artifact(
    publisher: FolderPublisher, target: Path, artifacts: Path
) -> None:
    version = made(artifacts, "first")
    path = target / ".objects" / object_path(version.files[0].digest)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"rotten")
    publish(publisher, version)
    assert_whole(files(target / "harbour"), version)


def test_version_that_somebody_changed_is_mended(
    publisher: FolderPublisher, target: Path, artifacts: Path
) -> None:
    version = made(artifacts, "first")
    publish(publisher, version)
    gallery = target / "harbour"
    (gallery / "1-160.jpg").unlink()
    for name in ("1-480.jpg", "manifest.json"):
        (gallery / name).unlink()
        (gallery / name).write_text("changed")
    publish(publisher, version)
    assert_whole(files(gallery), version)


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_a_user_keeps_under_the_name_is_never_overwritten(
    publisher: FolderPublisher, target: Path, artifacts: Path, tmp_path: Path, kind: str
) -> None:
    target.mkdir()
    mine = target / "harbour"
    match kind:
        case "folder":
            mine.mkdir()
            (mine / "mine.txt").write_text("mine")
        case "file":
            mine.write_text("mine")
        case _:
            mine.symlink_to(tmp_path / "elsewhere")
    version = made(artifacts, "first")
    with pytest.raises(PublishError, match="was not published by imagelane: move it away"):
        publisher.stage(version)
    assert os.path.lexists(mine)
    assert publisher.live("harbour") is None
    if kind == "folder":
        assert files(mine) == {"mine.txt": b"mine"}


def test_index_of_a_user_is_never_overwritten(publisher: FolderPublisher, target: Path) -> None:
    target.mkdir()
    (target / "index.json").write_text("mine")
    with pytest.raises(PublishError, match=r"index\.json is there already"):
        publisher.publish_index(b"{}", 1)
    assert (target / "index.json").read_text() == "mine"
    (target / "index.json").unlink()
    publisher.publish_index(b"[1]", 1)
    publisher.publish_index(b"[2]", 1)
    assert (target / "index.json").read_bytes() == b"[2]"


def test_database_says_what_the_manifest_says(
    publisher: FolderPublisher, target: Path, artifacts: Path
) -> None:
    publish(publisher, made(artifacts, "market", slug="market", images=1))
    publish(publisher, made(artifacts, "first", images=3))
    version = made(artifacts, "second")
    publish(publisher, version)
    assert query(target, "SELECT slug, name, title, pipeline, images FROM galleries") == [
        ("harbour", "Harbour", "second", "news", 2),
        ("market", "Harbour", "market", "news", 1),
    ]
    assert query(
        target,
        "SELECT i.position, i.name, r.file, r.width, r.bytes FROM images i "
        "JOIN renditions r USING (gallery, position) WHERE gallery = 'harbour'",
    ) == [
        (position, f"{position}.jpg", f"{position}-{width}.jpg", width, len(f"second 1 {width}"))
        for position in (1, 2)
        for width in (160, 480)
    ]
    assert query(target, "SELECT count(*) FROM images") == [(3,)]
    assert query(target, "SELECT contact_sheet, manifest FROM galleries LIMIT 1") == [
        ("contact-sheet.jpg", version.digest)
    ]


def test_reader_needs_no_permission_to_write_beside_the_database(
    publisher: FolderPublisher, target: Path, artifacts: Path
) -> None:
    publish(publisher, made(artifacts, "first"))
    assert query(target, "PRAGMA journal_mode") == [("delete",)]
    assert not list(target.glob("galleries.db-*"))


def test_foreign_database_is_left_alone(
    publisher: FolderPublisher, target: Path, artifacts: Path
) -> None:
    target.mkdir()
    other = apsw.Connection(str(target / "galleries.db"))
    other.execute("CREATE TABLE mine (x)")
    other.close()
    version = made(artifacts, "first")
    publisher.stage(version)
    with pytest.raises(PublishError, match="not a gallery database of this imagelane"):
        publisher.promote(version, 1)
    assert publisher.live("harbour") is None
    (target / "galleries.db").write_bytes(b"\xff\xd8\xff\xe0" * 500)
    with pytest.raises(PublishError, match="file is not a database"):
        publisher.promote(version, 1)


def test_locked_database_keeps_the_pointer_where_it_is(
    publisher: FolderPublisher, target: Path, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagelane.adapters.publishers.galleries.BUSY_MS", 20)
    first, second = made(artifacts, "first"), made(artifacts, "second")
    publish(publisher, first)
    other = apsw.Connection(str(target / "galleries.db"))
    other.execute("BEGIN IMMEDIATE")
    publisher.stage(second)
    with pytest.raises(PublishError, match="database is locked") as caught:
        publisher.promote(second, 1)
    assert caught.value.passing
    assert publisher.live("harbour") == first.digest
    other.execute("ROLLBACK")
    other.close()
    publisher.promote(second, 1)
    assert query(target, "SELECT title FROM galleries") == [("second",)]


@pytest.mark.parametrize(
    ("code", "passing"), [(errno.ENOSPC, True), (errno.EROFS, False), (errno.EACCES, False)]
)
def test_failing_disk_is_named_and_what_was_live_stays(
    publisher: FolderPublisher,
    target: Path,
    artifacts: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    *,
    passing: bool,
) -> None:
    first, second = made(artifacts, "first"), made(artifacts, "second")
    publish(publisher, first)

    def fail(_: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(PublishError, match=os.strerror(code)) as caught:
            publisher.stage(second)
    assert str(target) in str(caught.value)
    assert caught.value.passing is passing
    assert_whole(files(target / "harbour"), first)
    publish(publisher, second)
    assert_whole(files(target / "harbour"), second)
    assert not list((target / ".versions" / "harbour").glob(".*"))


def test_line_of_the_history_that_a_crash_cut_off_counts_for_nothing(
    publisher: FolderPublisher, target: Path, artifacts: Path
) -> None:
    first, second = made(artifacts, "first"), made(artifacts, "second")
    publish(publisher, first)
    history = target / ".versions" / "harbour" / "history.jsonl"
    with history.open("ab") as file:
        file.write(b'{"digest": "abc", "fen')
    assert list(publisher.versions("harbour")) == [first.digest]
    publish(publisher, second)
    assert list(publisher.versions("harbour")) == [second.digest, first.digest]
    assert [json.loads(line)["fence"] for line in history.read_text().splitlines()] == [1, 1]


def test_promoting_again_adds_nothing_to_the_history(
    publisher: FolderPublisher, target: Path, artifacts: Path
) -> None:
    version = made(artifacts, "first")
    for fence in (1, 1, 2):
        publish(publisher, version, fence)
    history = target / ".versions" / "harbour" / "history.jsonl"
    assert [json.loads(line)["fence"] for line in history.read_text().splitlines()] == [1, 2]


CRASHING = """
import os, signal, sys
from pathlib import Path
from threading import Event, Thread
from imagelane.adapters.publishers.folder import FolderPublisher
from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts
from imagelane.testing.publisher_contract import make_version
root, point, text = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def fault(reached):
    if reached == point:
        os.kill(os.getpid(), signal.SIGKILL)
publisher = FolderPublisher(root / "public", artifacts=root / "artifacts", fault=fault)
version = make_version(FilesystemArtifacts(root / "artifacts").put, text)
publisher.stage(version)
publisher.promote(version, 1)
print(version.digest)
"""

POINTS = (
    "stage: a file",
    "stage: all files",
    "stage: done",
    "promote: recorded",
    "promote: swapped",
    "promote: done",
)


@pytest.mark.parametrize("point", POINTS)
def test_sigkill_at_any_point_leaves_the_old_or_the_new_and_a_rerun_repairs(
    tmp_path: Path, target: Path, artifacts: Path, publisher: FolderPublisher, point: str
) -> None:
    first, second = made(artifacts, "first"), made(artifacts, "second")
    publish(publisher, first)

    done = run(CRASHING, tmp_path, point, "second")
    assert done.returncode == -signal.SIGKILL, done.stderr
    swapped = point in {"promote: swapped", "promote: done"}
    assert_whole(files(target / "harbour"), second if swapped else first)
    rows = query(target, "SELECT title FROM galleries")
    assert rows == [("second" if point == "promote: done" else "first",)]

    done = run(CRASHING, tmp_path, "never", "second")
    assert done.stdout.strip() == second.digest, done.stderr
    assert_whole(files(target / "harbour"), second)
    assert query(target, "SELECT title FROM galleries") == [("second",)]
    assert list(publisher.versions("harbour")) == [second.digest, first.digest]
    left = {path.name for path in (target / ".versions" / "harbour").iterdir()}
    assert left == {"lock", "history.jsonl", first.digest[:16], second.digest[:16]}


def test_next_promotion_of_any_gallery_finds_rows_that_a_crash_left_behind(
    tmp_path: Path, target: Path, artifacts: Path
) -> None:
    killed = run(CRASHING, tmp_path, "promote: swapped", "first")
    assert killed.returncode == -signal.SIGKILL
    assert query(target, "SELECT count(*) FROM galleries") == [(0,)]
    publish(FolderPublisher(target, artifacts=artifacts), made(artifacts, "m", slug="market"))
    assert query(target, "SELECT slug, title FROM galleries") == [
        ("harbour", "first"),
        ("market", "m"),
    ]


FLIPPING = """
import itertools, sys
from pathlib import Path
from threading import Event, Thread
from imagelane.adapters.publishers.folder import FolderPublisher
from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts
from imagelane.testing.publisher_contract import make_version
root = Path(sys.argv[1])
publisher = FolderPublisher(root / "public", artifacts=root / "artifacts")
put = FilesystemArtifacts(root / "artifacts").put
versions = [make_version(put, text) for text in ("first", "second", "third")]
for version in versions:
    publisher.stage(version)
publisher.promote(versions[0], 1)
print("live", flush=True)
for version in itertools.cycle(versions):
    publisher.promote(version, 1)
"""


@pytest.fixture
def flipping(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with start(FLIPPING, tmp_path) as process:
        yield process
        process.kill()


def test_reader_who_resolves_the_pointer_once_never_sees_a_mixture(
    flipping: subprocess.Popen[str], target: Path, artifacts: Path
) -> None:
    assert flipping.stdout is not None
    flipping.stdout.readline()
    versions = {
        version.digest[:16]: version
        for version in (made(artifacts, t) for t in ("first", "second", "third"))
    }
    seen: list[str] = []
    while len(seen) < 300 or len(set(seen)) < 3:
        folder = (target / "harbour").resolve(strict=True)
        assert_whole(files(folder), versions[folder.name])
        seen.append(folder.name)


def test_taking_over_waits_for_a_promotion_that_has_begun_and_refuses_the_next(
    target: Path, artifacts: Path
) -> None:
    first, second = made(artifacts, "first"), made(artifacts, "second")
    inside, go_on = Event(), Event()
    order: list[str] = []

    def fault(point: str) -> None:
        if point == "promote: recorded":
            inside.set()
            go_on.wait(10)
        elif point == "promote: done":
            order.append("promoted")

    def take_over() -> None:
        FolderPublisher(target, artifacts=artifacts).take_over("harbour", 2)
        order.append("taken over")

    replaced = FolderPublisher(target, artifacts=artifacts, fault=fault)
    replaced.stage(first)
    replaced.stage(second)
    threads = [Thread(target=replaced.promote, args=(first, 1)), Thread(target=take_over)]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    threads[1].join(0.2)
    go_on.set()
    for thread in threads:
        thread.join()
    assert order == ["promoted", "taken over"]
    with pytest.raises(StaleFenceError):
        replaced.promote(second, 1)
    assert_whole(files(target / "harbour"), first)
    assert query(target, "SELECT title FROM galleries") == [("first",)]


def test_what_was_taken_over_and_never_published_has_no_rows_and_no_place(
    publisher: FolderPublisher, target: Path, artifacts: Path
) -> None:
    publisher.take_over("harbour", 2)
    version = made(artifacts, "first")
    publisher.stage(version)
    with pytest.raises(StaleFenceError):
        publisher.promote(version, 1)
    assert not (target / "harbour").exists()
    assert not (target / "galleries.db").exists()


def test_foreign_list_of_galleries_stays_foreign_when_the_list_is_taken_over(
    publisher: FolderPublisher, target: Path
) -> None:
    publisher.take_over_index(1)
    (target / "index.json").write_text("mine")
    with pytest.raises(PublishError, match=r"index\.json is there already"):
        publisher.publish_index(b"{}", 1)
