"""EXIF: the few tags that are asked for, read with suspicion; and the two that are written.

After CIPA DC-008 (Exif 3.0) and TIFF 6.0. A hostile block has directories that point at each
other, counts of four thousand million and offsets past the end: each value is looked up on its
own, within bounds, and what does not fit is not there.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from imagelane.execute.text import from_bytes

Value: TypeAlias = bytes | int

_MOST_ENTRIES = 1_000
_LONGEST_VALUE = 64 * 1024
_ASCII, _BYTE, _SHORT, _LONG, _UNDEFINED, _UTF8 = 2, 1, 3, 4, 7, 129
_SIZES: Mapping[int, int] = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 129: 1}
_EXIF_DIRECTORY, _GPS_DIRECTORY = 0x8769, 0x8825

DESCRIPTION, MAKE, MODEL, ORIENTATION = 0x010E, 0x010F, 0x0110, 0x0112
DATE_TIME, ARTIST, COPYRIGHT = 0x0132, 0x013B, 0x8298
ORIGINAL, DIGITIZED, OFFSET_ORIGINAL, OFFSET_DIGITIZED = 0x9003, 0x9004, 0x9011, 0x9012
OFFSET, LENS_MAKE, LENS_MODEL = 0x9010, 0xA433, 0xA434


@dataclass(frozen=True, slots=True)
class Exif:
    """Tags of the main and the Exif directory; ``gps`` says that a GPS directory has entries."""

    tags: Mapping[int, Value] = field(default_factory=dict)
    gps: bool = False

    def text(self, tag: int) -> str:
        """A tag as clean text; empty where it is missing or no text."""
        value = self.tags.get(tag)
        return from_bytes(value) if isinstance(value, bytes) else ""

    @property
    def orientation(self) -> int:
        """1 to 8; whatever else stands there counts as 1, upright."""
        value = self.tags.get(ORIENTATION, 1)
        return value if isinstance(value, int) and 1 <= value <= 8 else 1


def read_exif(block: bytes | None) -> Exif:
    """Read a block that begins with its TIFF header (a leading ``Exif`` marker is passed over)."""
    if not block:
        return Exif()
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return Exif()
    tags = _directory(block, order, _number(block, order + "I", 4))
    inner = tags.get(_EXIF_DIRECTORY)
    if isinstance(inner, int):
        tags = {**_directory(block, order, inner), **tags}
    place = tags.get(_GPS_DIRECTORY)
    gps = isinstance(place, int) and bool(_directory(block, order, place))
    return Exif(tags, gps)


def _number(block: bytes, form: str, at: int) -> int:
    size = struct.calcsize(form)
    return struct.unpack_from(form, block, at)[0] if 0 <= at <= len(block) - size else 0


def _directory(block: bytes, order: str, at: int) -> dict[int, Value]:
    found: dict[int, Value] = {}
    if at < 8:
        return found
    for entry in range(min(_number(block, order + "H", at), _MOST_ENTRIES)):
        place = at + 2 + 12 * entry
        if place + 12 > len(block):
            break
        tag, kind, count = struct.unpack_from(order + "HHI", block, place)
        size = _SIZES.get(kind, 0) * count
        if not 0 < size <= _LONGEST_VALUE:
            continue
        start = place + 8 if size <= 4 else _number(block, order + "I", place + 8)
        raw = block[start : start + size]
        if len(raw) < size and size > 4 and kind not in {_ASCII, _UTF8}:
            continue
        value: Value = raw
        if kind == _SHORT and count == 1:
            value = _number(block, order + "H", start)
        elif kind == _LONG and count == 1:
            value = _number(block, order + "I", start)
        elif kind == _BYTE and count == 1:
            value = raw[0]
        elif kind not in {_ASCII, _BYTE, _UNDEFINED, _UTF8}:
            continue
        found.setdefault(tag, value)
    return found


def write_exif(artist: str, copyright_notice: str) -> bytes | None:
    """A block with Artist and Copyright and nothing else; None where both are empty.

    The standard says ASCII; UTF-8 is what cameras and agencies write and what is read.
    """
    texts = ((ARTIST, artist), (COPYRIGHT, copyright_notice))
    entries = [(tag, text.encode() + b"\0") for tag, text in texts if text]
    if not entries:
        return None
    place = 8 + 2 + 12 * len(entries) + 4
    directory = struct.pack("<H", len(entries))
    values = b""
    for tag, raw in entries:
        directory += struct.pack("<HHI", tag, _ASCII, len(raw))
        if len(raw) <= 4:
            directory += raw.ljust(4, b"\0")
        else:
            directory += struct.pack("<I", place + len(values))
            values += raw + b"\0" * (len(raw) % 2)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0) + values
