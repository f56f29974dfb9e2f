"""IPTC: the texts that agencies write, from the Photoshop block of a JPEG or TIFF.

After IPTC-NAA IIM 4.2 and Adobe's image resource blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from imagelane.execute.text import clean

_RESOURCE = b"8BIM"
_IIM = 0x0404
_MOST_RECORDS = 2_000
_LONGEST = 32 * 1024

TITLE, DATE, TIME, BYLINE, COPYRIGHT, CAPTION = 5, 55, 60, 80, 116, 120


def read_iptc(block: bytes | None) -> Mapping[int, str]:
    """Datasets of record 2 as clean text; of those that repeat, all, joined by ", "."""
    if not block:
        return {}
    iim = next((body for kind, body in _resources(block) if kind == _IIM), block)
    if iim[:1] != b"\x1c":
        return {}
    utf8 = False
    found: dict[int, list[str]] = {}
    for record, dataset, raw in _datasets(iim):
        if (record, dataset) == (1, 90):
            utf8 = raw == b"\x1b%G"
        elif record == 2:
            found.setdefault(dataset, []).append(_decode(raw, utf8=utf8))
    return {dataset: ", ".join(text for text in texts if text) for dataset, texts in found.items()}


def _decode(raw: bytes, *, utf8: bool) -> str:
    try:
        return clean(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return clean(raw.decode("utf-8" if utf8 else "cp1252", errors="ignore"))


def _resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    for _ in range(_MOST_RECORDS):
        if block[at : at + 4] != _RESOURCE or at + 12 > len(block):
            return
        kind = int.from_bytes(block[at + 4 : at + 6], "big")
        name = block[at + 6]
        start = at + 6 + name + 1 + (name + 1) % 2
        size = int.from_bytes(block[start : start + 4], "big")
        yield kind, block[start + 4 : start + 4 + size]
        at = start + 4 + size + size % 2


def _datasets(iim: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    for _ in range(_MOST_RECORDS):
        if iim[at : at + 1] != b"\x1c" or at + 5 > len(iim):
            return
        size = int.from_bytes(iim[at + 3 : at + 5], "big")
        if size > _LONGEST:
            return
        yield iim[at + 1], iim[at + 2], iim[at + 5 : at + 5 + size]
        at += 5 + size
