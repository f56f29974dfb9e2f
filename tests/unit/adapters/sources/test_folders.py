"""Folders and patterns as sources: what is taken, what is left out, in which order."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from imagelane.adapters.sources import SpooledSource, open_source
from imagelane.model.spec import GroupSpec, ImagesSpec, PrimarySpec
from imagelane.ports.source import SourceError, SourceItem

ALONE = GroupSpec("none")


class Folder:
    """A pipeline's folder with a source in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sources: list[SpooledSource] = []

    def add(self, *names: str, data: bytes = b"") -> None:
        for name in names:
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def open(self, images: ImagesSpec, exclude: Sequence[str] = ()) -> SpooledSource:
        spool = self.path / ".spools" / f"{len(self._sources)}.db"
        source = open_source(
            images, self.path, spool, exclude=[self.path / name for name in exclude]
        )
        self._sources.append(source)
        return source

    def names(self, images: ImagesSpec) -> list[str]:
        return [item.name for item in self.open(images).items()]

    def close(self) -> None:
        for source in self._sources:
            source.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def groups(items: Iterator[SourceItem]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in sorted(items, key=lambda item: (item.group, item.ordinal)):
        found.setdefault(item.group_name, []).append(item.name)
    return found


def test_items_say_what_a_worker_needs(folder: Folder) -> None:
    folder.add("photos/harbour/a.jpg", data=b"12345")
    path = folder.path / "photos" / "harbour" / "a.jpg"
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    assert list(folder.open(ImagesSpec("photos/")).items()) == [
        SourceItem(
            sequence=0,
            group=1,
            ordinal=1,
            group_name="harbour",
            group_size=1,
            name="a.jpg",
            path=str(path),
            bytes=5,
            mtime_ns=1_700_000_000_123_456_789,
            last=True,
        )
    ]


def test_every_folder_is_a_group_and_the_root_is_called_as_itself(folder: Folder) -> None:
    folder.add("photos/z.jpg", "photos/photos/a.jpg", "photos/b/10/x.jpg", "photos/b/9/x.jpg")
    items = folder.open(ImagesSpec("photos")).items()
    assert [(item.group, item.group_name) for item in items] == [
        (1, "photos"),
        (2, "b/9"),
        (3, "b/10"),
        (4, "photos"),
    ]


def test_groups_alone_are_called_after_their_files_each_differently(folder: Folder) -> None:
    folder.add("p/a.jpg", "p/a.png", "p/A.tif", "p/x/a.jpg", "p/a-2.jpg", "p/10.jpg", "p/9.jpg")
    names = [item.group_name for item in folder.open(ImagesSpec("p", ALONE)).items()]
    assert names == ["9", "10", "a", "a-2", "a-3", "A-4", "a-2-2"]


def test_folders_of_other_files_are_told_apart(folder: Folder) -> None:
    kept = ["a.jpg", "photo", "b.JPEG", "c.unknown", "d.cr2", "e.svg", "f.jpg.part.jpg"]
    left = {
        "hidden": [".DS_Store", "._a.jpg"],
        "text or document": ["notes.TXT", "paper.pdf"],
        "sidecar of another program": ["a.xmp", "a.aae"],
        "video": ["clip.MP4"],
        "sound": ["clip.m4a"],
        "archive": ["all.zip"],
        "data": ["list.csv"],
        "program": ["run.sh"],
        "left by a system or a transfer": ["Thumbs.db", "desktop.ini", "x.jpg.crdownload"],
    }
    folder.add(
        *(f"p/{name}" for name in kept), *(f"p/{n}" for names in left.values() for n in names)
    )
    folder.add("p/.hidden/x.jpg", "p/@eaDir/x.jpg/thumb.jpg", "p/__MACOSX/a.jpg")
    source = folder.open(ImagesSpec("p"))
    assert sorted(item.name for item in source.items()) == sorted(kept)
    assert source.ignored() == {
        **{reason: len(names) for reason, names in left.items()},
        "hidden": 3,
        "folder of a system": 2,
    }
    assert source.ignored_names()["video"] == ("clip.MP4",)
    assert source.ignored_names()["hidden"] == (".DS_Store", "._a.jpg", ".hidden")


def test_what_imagelane_itself_keeps_and_publishes_is_passed_over(folder: Folder) -> None:
    folder.add("a.jpg", "public/x/a-480.jpg", ".imagelane/artifacts/ab/cdef", "publications/b.jpg")
    (folder.path / "link").symlink_to(folder.path / "public" / "x" / "a-480.jpg")
    source = folder.open(ImagesSpec("."), exclude=["public", ".imagelane", ".spools", "elsewhere"])
    assert [item.name for item in source.items()] == ["a.jpg", "b.jpg"]
    assert source.ignored() == {"link out of the source": 1}


def test_links_are_followed_to_files_within_and_nowhere_else(folder: Folder) -> None:
    folder.add("photos/all/a.jpg", "elsewhere/secret.jpg")
    photos = folder.path / "photos"
    (photos / "best").mkdir()
    (photos / "best" / "first.jpg").symlink_to("../all/a.jpg")
    (photos / "best" / "out.jpg").symlink_to("../../elsewhere/secret.jpg")
    (photos / "best" / "nowhere.jpg").symlink_to("missing.jpg")
    (photos / "best" / "circle.jpg").symlink_to("circle.jpg")
    (photos / "best" / "all").symlink_to(photos)
    (photos / "best" / "passwd").symlink_to("/etc/passwd")
    source = folder.open(ImagesSpec("photos"))
    assert [(item.group_name, item.name, item.path) for item in source.items()] == [
        ("all", "a.jpg", str(photos / "all" / "a.jpg")),
        ("best", "first.jpg", str(photos / "all" / "a.jpg")),
    ]
    assert source.ignored() == {
        "link out of the source": 2,
        "link that leads nowhere": 2,
        "link to a folder": 1,
    }
    assert source.ignored_names()["link out of the source"] == ("best/out.jpg", "best/passwd")


def test_what_is_no_file_is_never_opened(folder: Folder) -> None:
    folder.add("p/a.jpg")
    os.mkfifo(folder.path / "p" / "fifo.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder.path / "p")
        server.bind("socket.jpg")
        os.chdir(here)
        source = folder.open(ImagesSpec("p", order="captured"))
    assert [item.name for item in source.items()] == ["a.jpg"]
    assert source.ignored() == {"FIFO, device or socket": 2}


def test_folder_that_may_not_be_read_is_named_and_the_rest_is_taken(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.add("p/a.jpg", "p/closed/b.jpg", "p/vanished/c.jpg")
    scandir = os.scandir

    def guarded(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        if path.endswith("vanished"):
            raise FileNotFoundError(2, "No such file or directory", path)
        return scandir(path)

    # As root nothing is forbidden, so the answer is made here.
    monkeypatch.setattr(os, "scandir", guarded)
    source = folder.open(ImagesSpec("p"))
    assert [item.name for item in source.items()] == ["a.jpg"]
    assert source.ignored_names() == {
        "folder that may not be read": ("closed",),
        "vanished while it was listed": ("vanished",),
    }


def test_root_that_may_not_be_read_is_an_error(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.add("p/a.jpg")

    def refuse(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match=r"p cannot be listed \(Permission denied\)"):
        folder.open(ImagesSpec("p"))


NAMES = [
    b"undecodable \xff\xfe.jpg",
    b"undecodable \xff.jpg",
    b"line\nbreak.jpg",
    "caf\u00e9.jpg".encode(),
    "cafe\u0301.jpg".encode(),
    b"TWIN.jpg",
    b"twin.jpg",
    b"\x1b[31mred.jpg",
    "gpj.\u202egnp.jpg".encode(),
    b"  blank .jpg",
    b"-rf.jpg",
    b"'\"$(x)`;.jpg",
    b"x" * 251 + b".jpg",
]


def test_names_of_any_bytes_are_kept(folder: Folder) -> None:
    root = os.fsencode(folder.path)
    os.makedirs(root + b"/p/group \xff\n")  # noqa: PTH103 -- bytes
    for name in NAMES:
        with open(root + b"/p/group \xff\n/" + name, "wb") as file:  # noqa: PTH123 -- bytes
            file.write(name)
    items = list(folder.open(ImagesSpec("p")).items())
    assert sorted(os.fsencode(item.name) for item in items) == sorted(NAMES)
    assert {os.fsencode(item.group_name) for item in items} == {b"group \xff\n"}
    for item in items:
        assert Path(item.path).read_bytes() == os.fsencode(item.name)
    assert items == list(folder.open(ImagesSpec("p")).items())
    by_name = [item.name for item in items]
    assert by_name.index("TWIN.jpg") + 1 == by_name.index("twin.jpg")


def exif(date: str) -> bytes:
    text = date.encode() + b"\0"
    body = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 26, 0)
    body += struct.pack("<HHHIII", 1, 0x9003, 2, len(text), 44, 0) + text
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(body) + 8) + b"Exif\0\0" + body


def test_order_of_capture_puts_those_without_a_date_last(folder: Folder) -> None:
    folder.add("p/c.jpg", data=exif("2024:01:01 00:00:00"))
    folder.add("p/a.jpg", data=exif("2024:01:02 00:00:00"))
    folder.add("p/b10.jpg", "p/b9.jpg", data=exif("2023:06:06 06:06:06"))
    folder.add("p/0.jpg", "p/00.jpg", data=b"no date")
    images = ImagesSpec("p", order="captured")
    ordered = ["b9.jpg", "b10.jpg", "c.jpg", "a.jpg", "0.jpg", "00.jpg"]
    assert folder.names(images) == ordered
    assert folder.names(ImagesSpec("p", ALONE, order="captured")) == ordered


def test_pattern_groups_names_and_leaves_out_the_others(folder: Folder) -> None:
    folder.add("p/SKU9_b.jpg", "p/x/SKU9_a.jpg", "p/SKU10_a.jpg", "p/other.jpg", "p/SKU_.jpg")
    source = folder.open(ImagesSpec("p", GroupSpec("pattern", pattern=r"(?P<group>SKU\d+)?_?")))
    assert groups(source.items()) == {
        "SKU9": ["SKU9_a.jpg", "SKU9_b.jpg"],
        "SKU10": ["SKU10_a.jpg"],
    }
    assert source.ignored() == {"name that the group's pattern does not match": 2}


@pytest.mark.parametrize("pattern", ["(", "SKU", "(?P<sku>x)"])
def test_pattern_that_groups_nothing_is_an_error(folder: Folder, pattern: str) -> None:
    folder.add("p/a.jpg")
    with pytest.raises(SourceError, match="images: group: pattern"):
        folder.open(ImagesSpec("p", GroupSpec("pattern", pattern=pattern)))


def test_primary_is_the_first_unless_a_pattern_says_otherwise(folder: Folder) -> None:
    folder.add("p/x/a.jpg", "p/x/b_front.jpg", "p/x/c_front.jpg", "p/y/a.jpg")
    first = folder.open(ImagesSpec("p", primary=PrimarySpec())).items()
    assert [item.name for item in first if item.role == "primary"] == ["a.jpg", "a.jpg"]
    items = list(
        folder.open(ImagesSpec("p", primary=PrimarySpec("pattern", pattern="*_front.*"))).items()
    )
    assert [(item.name, item.ordinal, item.role, item.last) for item in items] == [
        ("b_front.jpg", 2, "primary", False),
        ("a.jpg", 1, "", False),
        ("c_front.jpg", 3, "", True),
        ("a.jpg", 1, "", True),
    ]


def test_pattern_over_paths_begins_below_its_folder(folder: Folder) -> None:
    folder.add("in/a/raw/1.jpg", "in/b/raw/2.jpg", "in/b/raw/3.png", "in/b/4.jpg", "out/5.jpg")
    source = folder.open(ImagesSpec("in/*/raw/*.jpg"))
    assert groups(source.items()) == {"a/raw": ["1.jpg"], "b/raw": ["2.jpg"]}


def test_folder_that_looks_like_a_pattern_is_taken_as_it_is(folder: Folder) -> None:
    folder.add("photos [2024]/a.jpg", "photos 2/b.jpg")
    assert folder.names(ImagesSpec("photos [2024]")) == ["a.jpg"]
    assert folder.names(ImagesSpec("photos [2]/**")) == ["b.jpg"]
    with pytest.raises(SourceError, match=r"end it in /\*\* for all that is in folders"):
        folder.open(ImagesSpec("photos [2]"))


def test_pipeline_folder_that_looks_like_a_pattern_is_none(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "[x] *")
    folder.add("photos/a.jpg", "photos/b.txt")
    assert folder.names(ImagesSpec("photos/*.jpg")) == ["a.jpg"]
    folder.close()


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (ImagesSpec("missing"), r"no folder or manifest .*missing: .* holds p; check the path"),
        (ImagesSpec("missing/*.jpg"), r"no folder or manifest .*missing"),
        (ImagesSpec("p/a.jpg"), r"a\.jpg is a single file: expected a folder"),
        (ImagesSpec("p/*.png"), r"found no images in .*p/\*\.png: the pattern"),
        (ImagesSpec("p/empty"), r"left out: 2 × hidden, 1 × video"),
        (ImagesSpec("p", order="manifest"), "order: manifest needs a manifest"),
        (ImagesSpec("p", GroupSpec("column", column="sku")), "group: .* needs a manifest"),
        (ImagesSpec("p/*", primary=PrimarySpec("column", column="x")), "primary: .* manifest"),
    ],
)
def test_source_that_cannot_be_is_explained(
    folder: Folder, images: ImagesSpec, message: str
) -> None:
    folder.add("p/a.jpg", "p/empty/.a.jpg", "p/empty/.b.jpg", "p/empty/c.mov")
    with pytest.raises(SourceError, match=message):
        folder.open(images)
    assert not list(folder.path.glob(".spools/*"))


def test_order_in_which_the_system_lists_changes_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.add(*(f"p/{group}/{n}.jpg" for group in ("b", "a", "A") for n in range(12)))
    forward = list(folder.open(ImagesSpec("p", primary=PrimarySpec())).items())
    scandir = os.scandir

    class Reversed:
        def __init__(self, path: str) -> None:
            with scandir(path) as entries:
                self._entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> Iterator[os.DirEntry[str]]:
            return iter(self._entries)

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

    monkeypatch.setattr(os, "scandir", Reversed)
    assert list(folder.open(ImagesSpec("p", primary=PrimarySpec())).items()) == forward
