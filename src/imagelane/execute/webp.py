"""WebP on the level of its chunks: the size of its canvas, before a library makes room for it.

After RFC 9649 (RIFF container, ``VP8X``, lossless) and RFC 6386 (``VP8``).
"""

from __future__ import annotations


def canvas(data: bytes) -> tuple[int, int]:
    """Width and height in pixels; (0, 0) where the first chunk does not say.

    libwebp makes room for all of a lossless picture while only its header is read.
    """
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X" and len(body) == 10:
        return 1 + _number(body[4:7]), 1 + _number(body[7:10])
    if kind == b"VP8L" and body[:1] == b"\x2f":
        bits = _number(body[1:5])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return _number(body[6:8]) & 0x3FFF, _number(body[8:10]) & 0x3FFF
    return 0, 0


def _number(field: bytes) -> int:
    return int.from_bytes(field, "little")
