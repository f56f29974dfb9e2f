"""GIF on the level of its blocks: is the file there to its end? After the GIF89a specification.

libvips takes as many frames as it finds, and would not miss the rest of a file that was cut off.
"""

from __future__ import annotations

from imagelane.execute.errors import InvalidError

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B


def check_blocks(data: bytes) -> None:
    """A file may lack its trailer, as some programs write it, but not end within a block.

    Raises:
        InvalidError: it does, or something else stands where a block must begin.
    """
    at = 13 + _table(data, 10)
    while at < len(data):
        kind = data[at]
        if kind == _TRAILER:
            return
        if kind == _EXTENSION:
            at = _after_parts(data, at + 2)
        elif kind == _IMAGE:
            at = _after_parts(data, at + 11 + _table(data, at + 9))
        else:
            raise InvalidError(f"the gif is damaged: {kind:#04x} stands where a block must begin")
    if at > len(data):
        raise InvalidError("the gif is cut off")


def _table(data: bytes, at: int) -> int:
    """The size of the colour table that a byte of flags announces."""
    flags = data[at] if at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_parts(data: bytes, at: int) -> int:
    """The place behind a chain of parts of up to 255 bytes, which an empty one ends."""
    while at < len(data):
        size = data[at]
        at += 1 + size
        if size == 0:
            return at
    return len(data) + 1
