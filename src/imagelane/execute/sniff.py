"""What a file is, by its content: names and their endings are never believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

FORMATS = ("jpeg", "png", "webp", "gif", "tiff", "heic", "avif")
"""The formats of photographs, in the order in which people name them: read unless a pipeline says
otherwise."""

DICOM = "dicom"
"""Read only where a pipeline names it: what is in such a file is about a patient."""

_STARTS: Mapping[str, tuple[bytes, ...]] = {
    "jpeg": (b"\xff\xd8\xff",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "gif": (b"GIF87a", b"GIF89a"),
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
}
_OTHERS: Mapping[bytes, str] = {
    b"BM": "a BMP picture",
    b"8BPS": "a Photoshop document",
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"\x00\x00\x01\x00": "a Windows icon",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture",
    b"v/1\x01": "an OpenEXR picture",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"RIFF": "a RIFF file of another kind",
    b"P1": "a Netpbm picture",
    b"P2": "a Netpbm picture",
    b"P3": "a Netpbm picture",
    b"P4": "a Netpbm picture",
    b"P5": "a Netpbm picture",
    b"P6": "a Netpbm picture",
}
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})


def sniff(data: bytes) -> str | None:
    """One of `FORMATS`, `DICOM`, or None.

    DICOM is looked for first: its first 128 bytes are anybody's, and a file that is a TIFF as well
    (PS3.10, 7.1) must not pass as a photograph.
    """
    if data[128:132] == b"DICM":
        return DICOM
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    for format_, starts in _STARTS.items():
        if data.startswith(starts):
            return format_
    return _heif(data)


def _heif(data: bytes) -> str | None:
    if data[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(data[:4], "big"), 4096)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, size - 3, 4))}
    if brands & _AVIF_BRANDS:
        return "avif"
    return "heic" if brands & (_HEIC_BRANDS | {b"mif1", b"msf1"}) else None


def describe(data: bytes) -> str:
    """What a file that is none of `FORMATS` looks like, for a message."""
    if not data:
        return "empty"
    for start, name in _OTHERS.items():
        if data.startswith(start):
            return name
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for test, name in _TEXTS.items():
        if test(head):
            return name
    return "no picture"


def _is_svg(head: bytes) -> bool:
    return b"<svg" in head


_TEXTS: Mapping[Callable[[bytes], bool], str] = {
    _is_svg: "an SVG drawing",
    lambda head: head.startswith((b"<!doctype html", b"<html")): "an HTML page",
    lambda head: head.startswith(b"<"): "an XML document",
}
