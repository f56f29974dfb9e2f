"""What a compressed frame says of its own size: a decoder goes by that, and not by the file."""

from __future__ import annotations

from imagelane.execute.errors import InvalidError

_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
"""Markers that begin a frame header: JPEG's SOF0 to SOF15, and that of JPEG-LS."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_SIZ = b"\xff\x4f\xff\x51"


def size_of(frame: bytes, kind: str) -> tuple[int, int]:
    """Width and height in pixels; ``kind`` is ``jpeg`` or ``jpeg2000``.

    Raises:
        InvalidError: it has none.
    """
    found = _jpeg2000(frame) if kind == "jpeg2000" else _jpeg(frame)
    if found is None:
        raise InvalidError("a compressed frame of the dicom is damaged: it has no size")
    return found


def check_rle(frame: bytes, samples: int) -> None:
    """Refuse a run-length coded frame (PS3.5, G) that unpacks to more than ``samples`` bytes a
    plane.

    Raises:
        InvalidError: it does, or its planes lie outside of it.
    """
    count = int.from_bytes(frame[:4], "little")
    offsets = [int.from_bytes(frame[at : at + 4], "little") for at in range(4, 64, 4)]
    if not 1 <= count <= 15 or len(frame) < 64:
        raise InvalidError("a compressed frame of the dicom is damaged: it has no planes")
    ends = [*offsets[1:count], len(frame)]
    for start, end in zip(offsets[:count], ends, strict=True):
        if not 64 <= start <= end <= len(frame):
            raise InvalidError("a compressed frame of the dicom is damaged: a plane lies outside")
        if _unpacked(frame[start:end], samples) > samples + 1:
            raise InvalidError("a compressed frame of the dicom unpacks to more than it says")


def _unpacked(plane: bytes, enough: int) -> int:
    """Bytes that PackBits makes of it; stops counting a little beyond ``enough``."""
    at = total = 0
    while at < len(plane) and total <= enough + 1:
        lead = plane[at]
        if lead < 128:
            total += lead + 1
            at += lead + 2
        elif lead > 128:
            total += 257 - lead
            at += 2
        else:
            at += 1
    return total


def _jpeg(frame: bytes) -> tuple[int, int] | None:
    at = 2
    while frame[:2] == b"\xff\xd8" and at + 9 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker in _FRAMES:
            height = int.from_bytes(frame[at + 5 : at + 7], "big")
            return int.from_bytes(frame[at + 7 : at + 9], "big"), height
        if marker == 0xFF:
            at += 1
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + max(2, int.from_bytes(frame[at + 2 : at + 4], "big"))
    return None


def _jpeg2000(frame: bytes) -> tuple[int, int] | None:
    # Some files wrap the codestream in the boxes of a JP2 file, against the standard.
    at = frame.find(_SIZ, 0, 4096)
    if at < 0 or at + 24 > len(frame):
        return None
    right, bottom, left, top = (
        int.from_bytes(frame[at + 8 + place : at + 12 + place], "big") for place in (0, 4, 8, 12)
    )
    return right - left, bottom - top
