from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.adapters.sources.exif import BUDGET, captured, captured_from

Tag = tuple[int, bytes]


def tiff(order: str, *tags: Tag, first: tuple[Tag, ...] = ()) -> bytes:
    """A TIFF structure with texts in its EXIF directory, as a camera would write it."""
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]

    def directory(at: int, entries: tuple[Tag, ...], pointer: int | None) -> bytes:
        count = len(entries) + (pointer is not None)
        data_at = at + 2 + 12 * count + 4
        head, data = struct.pack(f"{order}H", count), b""
        for tag, text in entries:
            if len(text) <= 4:
                head += struct.pack(f"{order}HHI4s", tag, 2, len(text), text)
            else:
                head += struct.pack(f"{order}HHII", tag, 2, len(text), data_at + len(data))
                data += text
        if pointer is not None:
            head += struct.pack(f"{order}HHII", 0x8769, 4, 1, pointer)
        return head + struct.pack(f"{order}I", 0) + data

    size = len(directory(8, first, 0))
    main = directory(8, first, 8 + size)
    return mark + struct.pack(f"{order}I", 8) + main + directory(8 + size, tags, None)


def jpeg(exif: bytes, before: bytes = b"") -> bytes:
    body = b"Exif\0\0" + exif
    return (
        b"\xff\xd8\xff\xe0\0\x04xx"
        + before
        + b"\xff\xe1"
        + struct.pack(">H", len(body) + 2)
        + body
        + b"\xff\xda\0\x02data"
    )


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def heif(exif: bytes, *, skip: int = 6, version: int = 1, construction: int = 0) -> bytes:
    item = struct.pack(">I", skip) + b"Exif\0\0"[:skip] + exif
    info = b"\0\0\0\0" + struct.pack(">H", 2)
    for number, kind in ((1, b"hvc1"), (2, b"Exif")):
        info += box(b"infe", b"\x02\0\0\0" + struct.pack(">HH4s", number, 0, kind) + b"\0")

    def whole(offset: int) -> bytes:
        places = bytes([version]) + b"\0\0\0\x44\0" + struct.pack(">H", 2)
        for number, at in ((1, 0), (2, offset)):
            middle = struct.pack(">H", construction) if version else b""
            places += struct.pack(">H", number) + middle + struct.pack(">HHII", 0, 1, at, len(item))
        meta = b"\0\0\0\0" + box(b"hdlr", b"\0" * 20) + box(b"iinf", info) + box(b"iloc", places)
        return box(b"ftyp", b"heicmif1") + box(b"meta", meta)

    head = whole(0)
    return whole(len(head) + 8) + box(b"mdat", item)


def png(exif: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + b"\0\0\0\0"

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0" * 13) + chunk(b"eXIf", exif)


def webp(exif: bytes, prefix: bytes = b"") -> bytes:
    body = prefix + exif
    chunks = b"WEBPVP8X" + struct.pack("<I", 9) + b"\0" * 10
    chunks += b"EXIF" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def read(data: bytes) -> str | None:
    return captured_from(lambda offset, length: data[offset : offset + length])


TAKEN = (0x9003, b"2024:05:01 12:30:45\0")
ORIGINAL = tiff("<", TAKEN, (0x9291, b"25\0"))
EXPECTED = "2024-05-01T12:30:45.25"


@pytest.mark.parametrize(
    "data",
    [
        jpeg(ORIGINAL),
        jpeg(tiff(">", TAKEN, (0x9291, b"25\0"))),
        jpeg(ORIGINAL, before=b"\xff\xe1\0\x08XMP..."[:10]),
        jpeg(ORIGINAL, before=b"\xff"),
        ORIGINAL,
        png(ORIGINAL),
        webp(ORIGINAL),
        webp(ORIGINAL, b"Exif\0\0"),
        heif(ORIGINAL),
        heif(ORIGINAL, skip=0),
        heif(ORIGINAL, version=0),
    ],
    ids=[
        "jpeg",
        "big-endian",
        "after-xmp",
        "filled",
        "tiff",
        "png",
        "webp",
        "webp-prefixed",
        "heif",
        "heif-0",
        "heif-v0",
    ],
)
def test_date_is_found_in_every_container(data: bytes) -> None:
    assert read(data) == EXPECTED


def test_date_as_taken_goes_before_the_digitised_and_the_modified() -> None:
    digitised = (0x9004, b"2025:01:01 00:00:00\0")
    modified = ((0x0132, b"2026:01:01 00:00:00\0"),)
    assert read(tiff("<", digitised, TAKEN, first=modified)) == "2024-05-01T12:30:45"
    assert read(tiff("<", digitised, first=modified)) == "2025-01-01T00:00:00"
    assert read(tiff("<", first=modified)) is None


@pytest.mark.parametrize(
    "text",
    [
        b"0000:00:00 00:00:00\0",
        b"    :  :     :  :  \0",
        b"2024:13:01 12:00:00\0",
        b"\0",
        b"x" * 20,
    ],
)
def test_date_that_makes_no_sense_is_none(text: bytes) -> None:
    assert read(jpeg(tiff("<", (0x9003, text)))) is None


def test_senseless_date_gives_way_to_the_digitised_one() -> None:
    wrong = (0x9003, b"0000:00:00 00:00:00\0")
    assert read(tiff(">", wrong, (0x9004, TAKEN[1]))) == "2024-05-01T12:30:45"


def test_pictures_of_one_second_are_in_order() -> None:
    burst = [read(tiff("<", TAKEN, (0x9291, part))) for part in (b"1\0", b"15\0", b"2\0", b"\0")]
    ordered = [one for one in burst if one is not None]
    assert sorted(ordered) == [ordered[3], ordered[0], ordered[1], ordered[2]]


@pytest.mark.parametrize("whole", [jpeg(ORIGINAL), heif(ORIGINAL), webp(ORIGINAL), png(ORIGINAL)])
def test_truncated_anywhere_it_is_a_date_or_none(whole: bytes) -> None:
    for length in range(len(whole)):
        assert read(whole[:length]) in {EXPECTED, "2024-05-01T12:30:45", None}


@given(st.data())
def test_never_raises_whatever_the_bytes(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([jpeg(ORIGINAL), heif(ORIGINAL), webp(ORIGINAL)])))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    found = read(bytes(whole))
    assert found is None or found[4] == "-"


@pytest.mark.parametrize(
    "head", [b"\xff\xd8", b"\0\0\0\x14ftypheic", b"RIFF\0\0\0\0WEBP", b"\x89PNG\r\n\x1a\n"]
)
def test_never_reads_more_than_its_budget(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "endless"
    path.write_bytes(head + b"\xff\xe1\0\x02" * BUDGET)
    before = int(_io("rchar"))
    assert captured(str(path)) is None
    assert int(_io("rchar")) - before < BUDGET + 20_000


def _io(name: str) -> str:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(line.split(": ")[1] for line in lines if line.startswith(name))


def test_only_plain_files_are_opened(tmp_path: Path) -> None:
    fifo, link, whole = tmp_path / "fifo", tmp_path / "link", tmp_path / "a.jpg"
    os.mkfifo(fifo)
    whole.write_bytes(jpeg(ORIGINAL))
    link.symlink_to(whole)
    assert captured(str(whole)) == EXPECTED
    for path in (fifo, link, tmp_path, tmp_path / "missing", Path("/dev/zero")):
        assert captured(str(path)) is None
    assert captured("nul\0") is None
