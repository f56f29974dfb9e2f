"""Manifests as sources: every mistake with its line, nothing guessed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imagelane.adapters.sources import SpooledSource, open_source
from imagelane.model.spec import GroupSpec, ImagesSpec, PrimarySpec
from imagelane.ports.source import SourceError, SourceItem

BY_SKU = GroupSpec("column", column="sku")
Listed = Callable[..., list[SourceItem]]


@pytest.fixture
def listed(tmp_path: Path) -> Iterator[Listed]:
    """Lists a manifest of this name and text, over files a.jpg … d.jpg and x/e.jpg."""
    for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "x/e.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    sources: list[SpooledSource] = []

    def make(text: str | bytes, name: str = "list.csv", **images: Any) -> list[SourceItem]:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        spec = ImagesSpec(name, **{"order": "manifest", **images})
        source = open_source(spec, tmp_path, tmp_path / f"{len(sources)}.db")
        sources.append(source)
        return list(source.items())

    yield make
    for source in sources:
        source.close()


def test_rows_are_images_in_their_order_with_their_columns(listed: Listed, tmp_path: Path) -> None:
    items = listed(
        "path,sku,caption,role\n"
        'c.jpg,S2,"A ""quoted"", long\ncaption",front\n'
        "\n"
        "./x/../a.jpg,S1,,\n"
        "x/e.jpg,S2,,back\n",
        group=BY_SKU,
    )
    assert [(item.group, item.ordinal, item.name, item.role) for item in items] == [
        (1, 1, "c.jpg", "front"),
        (1, 2, "e.jpg", "back"),
        (2, 1, "a.jpg", ""),
    ]
    assert items[0].columns == {
        "sku": "S2",
        "caption": 'A "quoted", long\ncaption',
        "role": "front",
    }
    assert items[0].bytes == 5
    assert [item.path for item in items] == [
        str(tmp_path / name) for name in ("c.jpg", "x/e.jpg", "a.jpg")
    ]
    assert [item.group_name for item in items] == ["S2", "S2", "S1"]


def test_order_of_names_can_be_asked_for(listed: Listed) -> None:
    text = "path,sku\nc.jpg,S10\na.jpg,S10\nb.jpg,S9\n"
    items = listed(text, group=BY_SKU, order="name")
    assert [(item.group_name, item.name) for item in items] == [
        ("S9", "b.jpg"),
        ("S10", "a.jpg"),
        ("S10", "c.jpg"),
    ]


def test_folders_and_single_images_can_be_groups_too(listed: Listed, tmp_path: Path) -> None:
    text = "path\nx/e.jpg\na.jpg\nd.jpg\n"
    by_folder = [(item.group_name, item.name) for item in listed(text)]
    assert by_folder == [("x", "e.jpg"), (tmp_path.name, "a.jpg"), (tmp_path.name, "d.jpg")]
    alone = [item.group_name for item in listed(text, group=GroupSpec("none"))]
    assert alone == ["e", "a", "d"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_read(
    listed: Listed, delimiter: str, bom: bytes, end: str
) -> None:
    text = end.join(delimiter.join(row) for row in (("sku", "file"), ("S1", "a.jpg"))) + end
    (item,) = listed(bom + text.encode(), path_column="file", group=BY_SKU)
    assert (item.name, item.columns) == ("a.jpg", {"sku": "S1"})


def test_json_keeps_numbers_as_they_are_written(listed: Listed) -> None:
    rows = '{"path": "a.jpg", "price": 1.50, "sold": true, "by": null, "id": 10000000000000000001}'
    for name, text in (("list.jsonl", f"\n{rows}\n"), ("list.json", f"\n[\n {rows}\n]\n")):
        (item,) = listed(text, name)
        assert item.columns == {
            "price": "1.50",
            "sold": "true",
            "by": "",
            "id": "10000000000000000001",
        }


def test_long_json_array_is_read_in_pieces(listed: Listed, tmp_path: Path) -> None:
    rows = [{"path": f"{n}.jpg", "text": "ü" * (n % 700), "n": n} for n in range(1500)]
    for row in rows:
        (tmp_path / str(row["path"])).touch()
    for indent in (None, 2):
        items = listed(json.dumps(rows, indent=indent, ensure_ascii=False), "list.json")
        assert [item.columns["text"] for item in items] == [row["text"] for row in rows]
        assert [item.columns["n"] for item in items] == [str(row["n"]) for row in rows]


def test_undecodable_path_is_found(listed: Listed, tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff.jpg", "wb"):  # noqa: PTH123 -- bytes
        pass
    (item,) = listed(b"path,title\n\xff.jpg,x\n")
    assert os.fsencode(item.name) == b"\xff.jpg"
    (item,) = listed('{"path": "\\udcff.jpg"}', "list.jsonl")
    assert Path(item.path).exists()


def test_file_that_is_missing_is_taken_in_so_that_its_group_knows(
    listed: Listed, tmp_path: Path
) -> None:
    items = listed("path\na.jpg\nmissing.jpg\nmissing/b.jpg\n")
    assert [(item.name, item.bytes, item.mtime_ns == 0) for item in items] == [
        ("a.jpg", 5, False),
        ("missing.jpg", 0, True),
        ("b.jpg", 0, True),
    ]
    with pytest.raises(SourceError, match=f"names 2 files and none .* meant from {tmp_path}"):
        listed("path\nno.jpg\nnope.jpg\n")


def test_primary_is_told_by_a_column(listed: Listed) -> None:
    text = "path,sku,view,role\nb.jpg,S1,back,primary\na.jpg,S1,front,detail\n"
    primary = PrimarySpec("column", column="view", value="front")
    items = listed(text, group=BY_SKU, primary=primary)
    assert [(item.name, item.ordinal, item.role) for item in items] == [
        ("a.jpg", 2, "primary"),
        ("b.jpg", 1, ""),
    ]
    assert [item.role for item in listed(text, group=BY_SKU)] == ["primary", "detail"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,sku\na.jpg,S1\n", r"no column 'path': its first line names 'file', 'sku'"),
        ("", "no column 'path': its first line names nothing"),
        ("path,sku,sku\na.jpg,S1,S2\n", "names the column 'sku' twice"),
        ("path,sku\na.jpg,S1\nb.jpg\n", r"line 3: found 1 fields, expected 2"),
        ("path,sku\na.jpg,S1\nb.jpg,S1,x\n", r"line 3: found 3 fields, expected 2"),
        ('path,sku\na.jpg,"S1\nb.jpg,S1\n', r"line 3: unexpected end of data"),
        ('path,sku\na.jpg,"S1"x\n', r"line 2: ',' expected after '\"'"),
        ("path,sku\n,S1\n", r"line 2: no 'path': every row names the file"),
        ("path,sku\na.jpg,S1\nb.jpg, \n", r"line 3: no 'sku': every row names its group there"),
        ("path,brand\na.jpg,S1\n", r"line 2: no 'sku': .* it has 'brand'"),
        ("path,sku\n../a.jpg,S1\n", r"line 2: '\.\./a\.jpg' leads out of the manifest's folder"),
        ("path,sku\n/etc/passwd,S1\n", r"line 2: '/etc/passwd' leads out"),
        ("path,sku\nout.jpg,S1\n", r"line 2: 'out\.jpg' leads out"),
        ("path,sku\nx,S1\n", r"line 2: 'x' is a folder: expected an image file"),
        ("path,sku\nfifo.jpg,S1\n", r"line 2: 'fifo\.jpg' is a FIFO"),
        ("path,sku\nx\\e.jpg,S1\n", r"line 2: .* write paths with / between folders"),
        ("path,sku\na.jpg\0,S1\n", r"line 2: .* is no path"),
        ("path,sku\na.jpg,S1\nb.jpg,S1\nx/../a.jpg,S2\n", r"line 4: 'a\.jpg' stands in line 2"),
        (b"path,sku\na.jpg,S\xfc1\n", r"line 2: column 'sku' is not UTF-8"),
        ("path,sku\na.jpg,S1\n".encode("utf-16"), "is UTF-16: save it as UTF-8"),
        ("path,sku\na.jpg," + "x" * 200_000, r"line 2: field larger than field limit"),
        ("path,sku\n", r"found no images in .*list\.csv: name a file in each row"),
    ],
)
def test_mistake_in_a_csv_file_is_located(
    listed: Listed, tmp_path: Path, text: str | bytes, message: str
) -> None:
    (tmp_path / "out.jpg").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo.jpg")
    with pytest.raises(SourceError, match=message) as caught:
        listed(text, group=BY_SKU)
    assert str(tmp_path / "list.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("list.jsonl", '{"path": "a.jpg"}\n{"path": }\n', r"line 2: no JSON: Expecting value"),
        ("list.jsonl", '{"path": "a.jpg"}\n\n["b.jpg"]\n', r"line 3: expected an object"),
        ("list.jsonl", '{"path": ["a.jpg"]}\n', r"line 1: 'path' is a list or an object"),
        ("list.jsonl", '{"file": "a.jpg"}\n', r"line 1: no 'path'"),
        ("list.jsonl", '{"path": "a.jpg"', r"line 1: no JSON"),
        ("list.json", '{"path": "a.jpg"}', r"no JSON array: .* name it \.jsonl"),
        ("list.json", '[\n{"path": "a.jpg"},\n{"path" "b"}]', r"line 3: no JSON"),
        ("list.json", '[{"path": "a.jpg"},\n', r"line 2: no JSON"),
        ("list.json", '[\n"a.jpg"]', r"line 2: expected an object, found 'a.jpg'"),
        ("list.json", "[]", "found no images"),
        ("list.json", '[{"path": "' + "x" * 3_000_000 + '"}]', "no JSON"),
    ],
)
def test_mistake_in_a_json_file_is_located(
    listed: Listed, name: str, text: str, message: str
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        listed(text, name)
    assert len(str(caught.value)) < 1000


def test_manifest_that_cannot_be_read_is_named(
    listed: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("imagelane.adapters.sources.manifest._refuse_utf16", refuse)
    with pytest.raises(SourceError, match=r"cannot be read \(Permission denied\)"):
        listed("path\na.jpg\n")
