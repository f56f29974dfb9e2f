"""When a photograph was taken, read from its header: for putting a source in order.

The coordinator decodes no pictures, so this reads no more than EXIF's dates, from JPEG, TIFF (and
what camera makers build on it), HEIF, PNG and WebP. It never raises and reads `BUDGET` bytes at
most, whatever the file says.

Sources: CIPA DC-008 (Exif 2.32), ISO/IEC 14496-12 and 23008-12 (boxes, items), the PNG and WebP
container specifications.
"""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Callable, Iterator
from datetime import datetime

BUDGET = 256 * 1024
"""Bytes that are read of one file at most."""

_EXIF_IFD = 0x8769
_DATES = ((0x9003, 0x9291), (0x9004, 0x9292))
"""Tags of a date and of its fraction of a second: as taken, else as digitised."""
_DATE = re.compile(rb"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_MOST_ENTRIES = 512
_MOST_PARTS = 1024

Read = Callable[[int, int], bytes]
"""Bytes at (offset, length); fewer at the end of the file or of the budget."""


def captured(path: str) -> str | None:
    """The date as taken, local to the camera, as ``2024-05-01T12:00:00.250``: such texts sort by
    time. None where there is none, or it makes no sense."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return captured_from(_Budget(descriptor).read)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def captured_from(read: Read) -> str | None:
    """The same, from anything that can be read at an offset."""
    try:
        for base in _exif_places(read):
            found = _date(read, base)
            if found is not None:
                return found
    except (struct.error, IndexError, ValueError, OverflowError):
        return None
    return None


class _Budget:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._left = BUDGET

    def read(self, offset: int, length: int) -> bytes:
        length = min(length, self._left)
        data = os.pread(self._descriptor, length, offset) if length > 0 else b""
        self._left -= len(data)
        return data


def _exif_places(read: Read) -> Iterator[int]:
    """Where in the file a TIFF structure with EXIF in it begins."""
    head = read(0, 16)
    if head.startswith(b"\xff\xd8"):
        yield from _in_jpeg(read)
    elif head[:4] in {b"II*\0", b"MM\0*", b"IIRO", b"IIU\0"}:
        yield 0
    elif head.startswith(b"\x89PNG\r\n\x1a\n"):
        yield from _in_png(read)
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        yield from _in_webp(read)
    elif head[4:8] == b"ftyp":
        yield from _in_heif(read)


def _in_jpeg(read: Read) -> Iterator[int]:
    offset = 2
    for _ in range(_MOST_PARTS):
        marker, kind, length = struct.unpack(">BBH", read(offset, 4))
        # The picture itself begins with DA; what is not a marker is damage.
        if marker != 0xFF or kind == 0xDA:
            return
        if kind == 0xFF:
            offset += 1
            continue
        if kind == 0xE1 and read(offset + 4, 6) == b"Exif\0\0":
            yield offset + 10
        offset += 2 + length


def _in_png(read: Read) -> Iterator[int]:
    offset = 8
    for _ in range(_MOST_PARTS):
        length, kind = struct.unpack(">I4s", read(offset, 8))
        if kind == b"eXIf":
            yield offset + 8
        if kind == b"IEND":
            return
        offset += 12 + length


def _in_webp(read: Read) -> Iterator[int]:
    offset = 12
    for _ in range(_MOST_PARTS):
        kind, length = struct.unpack("<4sI", read(offset, 8))
        if kind == b"EXIF":
            # Some writers put JPEG's prefix before it.
            yield offset + 8 + (6 if read(offset + 8, 6) == b"Exif\0\0" else 0)
        offset += 8 + length + (length & 1)


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Boxes of ISO/IEC 14496-12 between two places: kind, beginning and end of the content."""
    for _ in range(_MOST_PARTS):
        if start + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        begin = start + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, begin)
            begin += 8
        stop = end if size == 0 else start + size
        if stop > end or stop < begin:
            return
        yield kind, begin, stop
        start = stop


def _in_heif(read: Read) -> Iterator[int]:
    offset = 0
    for _ in range(16):
        head = read(offset, 16)
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1:
            (size,) = struct.unpack_from(">Q", head, 8)
        if kind == b"meta":
            meta = read(offset, min(size, BUDGET // 2))
            yield from _in_meta(read, meta)
            return
        if size < 8:
            return
        offset += size


def _in_meta(read: Read, meta: bytes) -> Iterator[int]:
    # `meta` is a full box: four bytes of version and flags before its content.
    boxes = {kind: (begin, end) for kind, begin, end in _boxes(meta, 12, len(meta))}
    if b"iinf" not in boxes or b"iloc" not in boxes:
        return
    item = _exif_item(meta, *boxes[b"iinf"])
    place = None if item is None else _item_place(meta, boxes[b"iloc"][0], item)
    if place is not None:
        # ISO/IEC 23008-12, A.2.1: the item begins with the offset of its TIFF header.
        (skip,) = struct.unpack(">I", read(place, 4))
        yield place + 4 + skip


def _exif_item(meta: bytes, begin: int, end: int) -> int | None:
    version = meta[begin]
    begin += 4 + (2 if version == 0 else 4)
    for kind, entry, _ in _boxes(meta, begin, end):
        if kind == b"infe" and meta[entry] in {2, 3}:
            wide = meta[entry] == 3
            (item,) = struct.unpack_from(">I" if wide else ">H", meta, entry + 4)
            name = entry + (10 if wide else 8)
            if meta[name : name + 4] == b"Exif":
                return int(item)
    return None


def _item_place(meta: bytes, at: int, wanted: int) -> int | None:
    """Where in the file an item is stored, according to the item location box."""
    version = meta[at]
    sizes = int.from_bytes(meta[at + 4 : at + 6])
    offset_size, length_size = sizes >> 12, sizes >> 8 & 15
    base_size, index_size = sizes >> 4 & 15, sizes & 15 if version else 0
    number_size = 4 if version == 2 else 2
    at += 6

    def number(size: int) -> int:
        nonlocal at
        at += size
        if at > len(meta):
            raise IndexError("the box ends early")
        return int.from_bytes(meta[at - size : at])

    for _ in range(min(number(number_size), _MOST_PARTS)):
        item = number(number_size)
        construction = number(2) & 15 if version else 0
        number(2)
        base = number(base_size)
        extents = [
            (number(index_size), number(offset_size), number(length_size))
            for _ in range(min(number(2), _MOST_PARTS))
        ]
        if item == wanted:
            return base + extents[0][1] if construction == 0 and extents else None
    return None


def _date(read: Read, base: int) -> str | None:
    """The date in the TIFF structure at a place in the file."""
    head = read(base, 8)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None:
        return None
    (first,) = struct.unpack(f"{order}I", head[4:8])
    exif = _entries(read, base, first, order).get(_EXIF_IFD)
    if exif is None:
        return None
    (at,) = struct.unpack(f"{order}I", exif[8:12])
    entries = _entries(read, base, at, order)
    for date, fraction in _DATES:
        whole = _DATE.match(_ascii(read, base, entries.get(date), order))
        if whole is None:
            continue
        try:
            text = "{}-{}-{}T{}:{}:{}".format(*(part.decode() for part in whole.groups()))
            taken = datetime.fromisoformat(text).isoformat()
        except ValueError:
            continue
        digits = re.match(rb"\d+", _ascii(read, base, entries.get(fraction), order))
        return f"{taken}.{digits.group().decode()}" if digits else taken
    return None


def _entries(read: Read, base: int, offset: int, order: str) -> dict[int, bytes]:
    """The twelve-byte entries of a directory, by tag."""
    (count,) = struct.unpack(f"{order}H", read(base + offset, 2))
    data = read(base + offset + 2, 12 * min(count, _MOST_ENTRIES))
    entries = (data[at : at + 12] for at in range(0, len(data) - 11, 12))
    return {int(struct.unpack(f"{order}H", entry[:2])[0]): entry for entry in entries}


def _ascii(read: Read, base: int, entry: bytes | None, order: str) -> bytes:
    """The text of an entry of type ASCII: in the entry itself if it has four bytes at most."""
    if entry is None:
        return b""
    kind, count, offset = struct.unpack(f"{order}HII", entry[2:])
    if kind != 2:
        return b""
    return entry[8 : 8 + count] if count <= 4 else read(base + offset, min(count, 64))
