"""What may stand where a picture was listed, and what is said of it."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from imagelane.execute.errors import InvalidError
from imagelane.execute.source import read_source
from imagelane.model.states import ErrorClass
from imagelane.model.work import SourceFile
from tests.images.bench import Bench, is_root, source_of
from tests.images.files import coded, photo

MOST = 1_000_000


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "picture.jpg"
    path.parent.mkdir()
    path.write_bytes(coded(photo(64, 48), "jpeg"))
    return path


def refused(file: SourceFile) -> str:
    with pytest.raises(InvalidError) as caught:
        read_source(file, MOST)
    return caught.value.message


def test_a_plain_file(picture: Path) -> None:
    source = read_source(source_of(picture), MOST)
    assert source.data == picture.read_bytes()
    assert len(source.digest) == 64


def test_a_folder(tmp_path: Path) -> None:
    assert "a folder" in refused(source_of(tmp_path))


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    started = time.monotonic()
    assert "a named pipe" in refused(source_of(path))
    assert time.monotonic() - started < 1


def test_a_device() -> None:
    assert "a device" in refused(source_of(Path("/dev/zero")))


def test_one_that_is_gone(picture: Path) -> None:
    file = source_of(picture)
    picture.unlink()
    assert "is gone" in refused(file)


def test_one_without_permission(picture: Path) -> None:
    """Root may read everything, so it is somebody else for a moment."""
    file = source_of(picture)
    picture.chmod(0)
    descriptor = os.open(picture.parent, os.O_RDONLY)
    before = os.geteuid()
    try:
        if is_root():
            os.fchmod(descriptor, 0o755)
            os.seteuid(65_534)
        # A path through the descriptor: the folders above may be closed to anybody else.
        place = f"/proc/self/fd/{descriptor}/{picture.name}"
        assert "no permission" in refused(replace(file, path=place))
    finally:
        os.seteuid(before)
        os.close(descriptor)


def test_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket.jpg"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        assert refused(source_of(path))


def test_one_that_vanishes_while_it_is_read_was_read_whole_or_is_refused(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, whole, read = source_of(picture), picture.read_bytes(), os.read

    def vanish(descriptor: int, count: int) -> bytes:
        picture.unlink(missing_ok=True)
        return read(descriptor, count)

    monkeypatch.setattr(os, "read", vanish)
    assert read_source(file, MOST).data == whole


def test_a_name_with_nul(picture: Path) -> None:
    assert "no file name" in refused(replace(source_of(picture), path=f"{picture}\0.jpg"))


def test_a_link_within_its_folder_is_followed(picture: Path) -> None:
    link = picture.with_name("again.jpg")
    link.symlink_to(picture.name)
    target = picture.stat()
    file = replace(source_of(link), bytes=target.st_size, mtime_ns=target.st_mtime_ns)
    assert read_source(file, MOST).data == picture.read_bytes()


def test_a_link_out_of_its_folder_is_not(picture: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(picture.read_bytes())
    link = picture.with_name("innocent.jpg")
    link.symlink_to(secret)
    assert "a symbolic link out of its folder" in refused(source_of(link))


def test_a_link_to_itself(picture: Path) -> None:
    link = picture.with_name("circle.jpg")
    link.symlink_to(link)
    assert refused(source_of(link))


def test_one_that_was_changed_since_it_was_listed(picture: Path) -> None:
    file = source_of(picture)
    picture.write_bytes(coded(photo(64, 48, seed=9), "jpeg"))
    assert "was changed after it was listed" in refused(file)


def test_one_that_was_only_touched_since_it_was_first_read(picture: Path) -> None:
    known = replace(source_of(picture), digest=read_source(source_of(picture), MOST).digest)
    os.utime(picture, (1, 1))
    assert read_source(known, MOST).digest == known.digest


def test_one_with_other_bytes_than_were_first_read(bench: Bench, picture: Path) -> None:
    known = replace(source_of(picture), digest="0" * 64)
    failure = bench.stage("validate").fails(known)
    assert failure.error is ErrorClass.INVALID
    assert "has changed since it was first read" in failure.message


@pytest.mark.parametrize("change", ["grow", "shrink", "rewrite"])
def test_one_that_changes_while_it_is_read(
    picture: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    file, read = source_of(picture), os.read

    def meddle(descriptor: int, count: int) -> bytes:
        with picture.open("r+b") as other:
            if change == "grow":
                other.seek(0, os.SEEK_END)
                other.write(b"more")
            elif change == "shrink":
                other.truncate(100)
            else:
                other.write(b"\xff\xd8")
                os.utime(picture, (1, 1))
        return read(descriptor, count)

    monkeypatch.setattr(os, "read", meddle)
    assert "was changed while it was read" in refused(file)


def test_the_report_carries_the_digest_of_what_was_read(bench: Bench, picture: Path) -> None:
    (report,) = bench.stage("validate").order(picture)
    assert report.source_digest == read_source(source_of(picture), MOST).digest
