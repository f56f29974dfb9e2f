"""JPEG on the level of its markers: what a file says before any of it is decoded.

After ITU-T T.81 (markers, frame header), JFIF 1.02, ICC.1 annex B.4 (profiles in chunks), Adobe
technical note 5116 (APP14).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from imagelane.execute.errors import InvalidError

_SOI, _EOI, _SOS, _DNL = 0xD8, 0xD9, 0xDA, 0xDC
_APP0, _APP1, _APP2, _APP13, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF
_COM = 0xFE
_NO_PAYLOAD = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ICC = b"ICC_PROFILE\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
MOST_SEGMENTS = 5_000
"""A camera writes about twenty, a file with an embedded profile and edit history some hundred."""


class Segment(NamedTuple):
    """A marker with its payload, as places in the file."""

    marker: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What stands before the first scan. Width and height are in pixels, as stored.

    ``scan`` is where the first scan's header begins, ``in_first_scan`` how many components it has.
    ``application`` are its application segments: marker, and what names the payload's kind.
    """

    width: int
    height: int
    components: int
    precision: int
    progressive: bool
    adobe: bool
    scan: int
    in_first_scan: int
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    icc: bytes | None = None
    application: tuple[tuple[int, bytes], ...] = ()


def segments(data: bytes, start: int = 2) -> Iterator[Segment]:
    """Marker segments from a place on, up to and with the next SOS or EOI.

    Raises:
        InvalidError: the file ends, or something stands where a marker must stand.
    """
    at = start
    for _ in range(MOST_SEGMENTS):
        if data[at : at + 1] != b"\xff":
            # Decoders skip stray bytes between segments, so this must see what they will see.
            at = data.find(b"\xff", at)
            if at < 0:
                raise InvalidError("the JPEG is cut off in its header")
        while data[at : at + 1] == b"\xff":
            at += 1
        marker = data[at] if at < len(data) else _EOI
        at += 1
        if marker == 0 or marker in _NO_PAYLOAD:
            continue
        if marker == _EOI:
            yield Segment(marker, at, at)
            return
        size = int.from_bytes(data[at : at + 2], "big")
        end = at + size
        if size < 2 or end > len(data):
            raise InvalidError("the JPEG is cut off in its header")
        yield Segment(marker, at + 2, end)
        if marker == _SOS:
            return
        at = end
    raise InvalidError(f"the JPEG has more than {MOST_SEGMENTS:,} segments in its header")


def read_header(data: bytes) -> JpegHeader:
    """Read up to the first scan.

    Raises:
        InvalidError: it is cut off, or has no picture in it.
    """
    found = list(segments(data))
    if found[-1].marker != _SOS or found[-1].start == found[-1].end:
        raise InvalidError("the JPEG ends before its first scan")
    frame = next((one for one in found if one.marker in _FRAMES), None)
    if frame is None or frame.end - frame.start < 6:
        raise InvalidError("the JPEG has no frame header")
    scan = found[-1].start
    named = [one for one in found if _APP0 <= one.marker <= _APP15]
    body = data[frame.start : frame.end]
    return JpegHeader(
        width=int.from_bytes(body[3:5], "big"),
        height=int.from_bytes(body[1:3], "big"),
        components=body[5],
        precision=body[0],
        progressive=frame.marker in _PROGRESSIVE,
        adobe=any(data.startswith(b"Adobe", one.start, one.end) for one in _of(named, _APP14)),
        scan=scan,
        in_first_scan=data[scan],
        exif=_first(data, _of(named, _APP1), _EXIF),
        xmp=_first(data, _of(named, _APP1), _XMP),
        iptc=_first(data, _of(named, _APP13), _PHOTOSHOP),
        icc=_profile(data, _of(named, _APP2)),
        application=tuple(
            (one.marker, data[one.start : min(one.end, one.start + 32)]) for one in named
        ),
    )


def _of(found: Iterable[Segment], marker: int) -> list[Segment]:
    return [one for one in found if one.marker == marker]


def _first(data: bytes, found: Iterable[Segment], kind: bytes) -> bytes | None:
    """The payload of the first segment of a kind, without the kind's name."""
    for _, start, end in found:
        if data.startswith(kind, start, end):
            return data[start + len(kind) : end]
    return None


def _profile(data: bytes, found: Iterable[Segment]) -> bytes | None:
    """The profile, put together from its pieces in the order of their numbers."""
    pieces: dict[int, bytes] = {}
    for _, start, end in found:
        if data.startswith(_ICC, start, end):
            pieces.setdefault(data[start + 12], data[start + 14 : end])
    return b"".join(pieces[number] for number in sorted(pieces)) or None


def count_scans(data: bytes, header: JpegHeader, limit: int) -> int:
    """The scans of a JPEG, counted exactly only where there could be more than ``limit``.

    A few thousand tiny scans make a small progressive file cost minutes to decode.
    """
    if not header.progressive and header.in_first_scan == header.components:
        return 1  # that scan holds everything, and decoders look for no other
    # In entropy-coded data a 0xFF is always followed by a zero or a restart marker.
    bound = 1 + data.count(b"\xff\xda", header.scan)
    if bound <= limit:
        return bound
    scans = 1
    at = header.scan
    while scans <= limit:
        at = _end_of_scan(data, at)
        try:
            last = list(segments(data, at))[-1]
        except InvalidError:
            return scans
        if last.marker == _EOI:
            return scans
        scans += 1
        at = last.end
    return scans


def _end_of_scan(data: bytes, at: int) -> int:
    while (at := data.find(b"\xff", at)) >= 0:
        following = data[at + 1] if at + 1 < len(data) else _EOI
        if following not in {0x00, 0xFF} and following not in _NO_PAYLOAD:
            return at
        at += 1
    return len(data)


def essential(data: bytes) -> bytes:
    """A JPEG without comments, metadata and stray bytes in its header; its scans as they are.

    Raises:
        InvalidError: it is cut off.
    """
    kept = [b"\xff\xd8"]
    for marker, start, end in segments(data):
        if marker == _SOS:
            kept.append(b"\xff\xda" + data[start - 2 :])
        elif not (_APP0 < marker <= _APP15 and marker != _APP14) and marker != _COM:
            kept.append(b"\xff" + bytes((marker,)) + data[start - 2 : end])
    return b"".join(kept)


def with_metadata(jpeg: bytes, exif: bytes | None, xmp: bytes | None, icc: bytes | None) -> bytes:
    """A JPEG with metadata segments put behind its SOI and JFIF segments."""
    added: list[bytes] = []
    if exif:
        added.append(_segment(_APP1, _EXIF + exif))
    if xmp:
        added.append(_segment(_APP1, _XMP + xmp))
    if icc:
        pieces = [icc[at : at + 65_000] for at in range(0, len(icc), 65_000)]
        added.extend(
            _segment(_APP2, _ICC + bytes((number, len(pieces))) + piece)
            for number, piece in enumerate(pieces, 1)
        )
    if not added:
        return jpeg
    first = next(segments(jpeg))
    place = first.end if first.marker == _APP0 else 2
    return b"".join((jpeg[:place], *added, jpeg[place:]))


def _segment(marker: int, payload: bytes) -> bytes:
    return b"\xff" + bytes((marker,)) + (len(payload) + 2).to_bytes(2, "big") + payload
