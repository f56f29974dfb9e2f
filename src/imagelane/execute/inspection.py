"""Looking at a file that was just written, as a stranger would: is it whole, and does it tell
more than it may?"""

from __future__ import annotations

from collections.abc import Mapping

from imagelane.execute import exif as exif_tags
from imagelane.execute.errors import BugError, InvalidError
from imagelane.execute.header import Header, read_header
from imagelane.execute.sniff import sniff
from imagelane.execute.xmp import read_xmp

_ALLOWED_EXIF = frozenset(
    {
        exif_tags.ARTIST,
        exif_tags.COPYRIGHT,
        exif_tags.ORIENTATION,
        0x8769,  # the Exif directory itself
        0x9000,  # ExifVersion
        0x9101,  # ComponentsConfiguration
        0xA000,  # FlashpixVersion
        0xA001,  # ColorSpace
        0xA002,  # PixelXDimension
        0xA003,  # PixelYDimension
        0x011A,  # XResolution
        0x011B,  # YResolution
        0x0128,  # ResolutionUnit
        0x0213,  # YCbCrPositioning
    }
)
_ALLOWED_XMP = frozenset({"dc:creator", "dc:rights"})
_JPEG_KINDS: Mapping[int, tuple[bytes, ...]] = {
    0xE0: (b"JFIF\0",),
    0xE1: (b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"),
    0xE2: (b"ICC_PROFILE\0",),
    0xEE: (b"Adobe",),
}


def inspect(data: bytes, format_: str, width: int, height: int) -> None:
    """Check a finished picture file.

    Raises:
        BugError: it is of another format or size than said, is not upright, or carries a position
            or any other metadata than copyright, creator and a profile.
    """
    if sniff(data) != format_:
        raise BugError(f"a {format_} file was to be written, and it is none")
    try:
        header = read_header(data)
    except InvalidError as error:
        raise BugError(f"the {format_} that was written cannot be read: {error.message}") from error
    if (header.width, header.height) != (width, height):
        raise BugError(
            f"the {format_} that was written has {header.width} x {header.height} pixels, "
            f"not {width} x {height}"
        )
    if header.orientation != 1:
        raise BugError(f"the {format_} that was written is not upright")
    leak = _leak(header)
    if leak:
        raise BugError(f"the {format_} that was written carries {leak}, which may not leave")


def examine(data: bytes, format_: str) -> tuple[int, int]:
    """Check a picture file that somebody else's code made, and give its width and height.

    Raises:
        BugError: it is not of its format, or tells where it was taken.
    """
    if sniff(data) != format_:
        raise BugError(f"what should be a {format_} file is none")
    try:
        header = read_header(data)
    except InvalidError as error:
        raise BugError(f"the {format_} that was made cannot be read: {error.message}") from error
    if header.exif.gps or read_xmp(header.xmp).gps:
        raise BugError(
            f"the {format_} that was made carries a position (GPS), which may not leave: "
            "strip the metadata before it is handed back"
        )
    return header.upright


def _leak(header: Header) -> str | None:
    packet = read_xmp(header.xmp)
    if header.exif.gps or packet.gps:
        return "a position"
    if header.iptc:
        return "IPTC metadata"
    if not _ALLOWED_EXIF.issuperset(header.exif.tags):
        tags = sorted(set(header.exif.tags) - _ALLOWED_EXIF)
        return f"EXIF tags {', '.join(f'{tag:#06x}' for tag in tags)}"
    if not _ALLOWED_XMP.issuperset(packet.properties):
        return f"XMP properties {', '.join(sorted(set(packet.properties) - _ALLOWED_XMP))}"
    if header.jpeg is not None:
        for marker, start in header.jpeg.application:
            if not start.startswith(_JPEG_KINDS.get(marker, ())):
                return f"a JPEG segment APP{marker - 0xE0}"
    return None
