"""HEIF on the level of its boxes: is the file there to its end, and how large is what it codes?

After ISO/IEC 14496-12 (boxes, ``meta``) and 23008-12 (``iprp``, ``ipco``, ``ispe``).
"""

from __future__ import annotations

from collections.abc import Iterator

from imagelane.execute.errors import InvalidError

_MOST_BOXES = 10_000
_PATH = (b"meta", b"iprp", b"ipco")
_FULL = 4
"""Bytes of version and flags before the content of a full box, such as ``meta`` and ``ispe``."""


def check_boxes(data: bytes, format_: str) -> None:
    """The boxes of the file must end where the file ends: decoders take what they find, and would
    not miss the rest of a file that was cut off.

    Raises:
        InvalidError: they do not.
    """
    for _, _, end in _boxes(data, 0, len(data)):
        if end > len(data):
            raise InvalidError(f"the {format_} is cut off or damaged: a part of it is missing")


def largest_coded(data: bytes) -> tuple[int, int]:
    """Width and height of the largest picture that the file declares, in pixels; (0, 0) for none.

    What it shows may be a small part of that (``clap``), and is decoded with all the rest.
    """
    start, end = 0, len(data)
    for name in _PATH:
        found = next((box for box in _boxes(data, start, end) if box[0] == name), None)
        if found is None:
            return 0, 0
        _, start, end = found
        if name == b"meta":
            start += _FULL
    sizes = [
        (
            int.from_bytes(data[at + 4 : at + 8], "big"),
            int.from_bytes(data[at + 8 : at + 12], "big"),
        )
        for kind, at, _ in _boxes(data, start, end)
        if kind == b"ispe"
    ]
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes that lie side by side in a stretch of the file: type, and where the content begins
    and ends. One that is broken ends beyond the file."""
    end = min(end, len(data))
    for _ in range(_MOST_BOXES):
        if start >= end:
            return
        size, head = int.from_bytes(data[start : start + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        if size == 0:  # up to the end of the file
            size = end - start
        after = start + size if size >= head else len(data) + 1
        yield data[start + 4 : start + 8], start + head, after
        start = after
