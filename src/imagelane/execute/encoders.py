"""From a picture to the bytes of a file that may be published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import simplejpeg

from imagelane.execute import color, jpeg, presets
from imagelane.execute.errors import BugError
from imagelane.execute.exif import write_exif
from imagelane.execute.picture import Picture, Rights
from imagelane.execute.vips import (
    Image,
    Pixels,
    VipsError,
    from_pixels,
    refusal,
    to_pixels,
    with_blobs,
)
from imagelane.execute.xmp import write_xmp

QUALITY: Mapping[str, int] = {"jpeg": 80, "webp": 80, "avif": 50, "png": 100}
LARGEST_SIDE: Mapping[str, int] = {"jpeg": 65_500, "webp": 16_383, "avif": 16_384, "png": 1_000_000}
"""In pixels: what each format can hold."""

Colour: TypeAlias = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

_FULL_CHROMA_FROM = 90
_KEEP_NOTHING, _KEEP_EXIF, _KEEP_XMP, _KEEP_ICC = 0, 1, 2, 8
WHITE = "#ffffff"


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a picture becomes a file.

    ``quality`` and ``preset`` None take the format's own, ``effort`` None the preset's. ``keep``
    holds ``icc`` and ``copyright``; nothing else of the source's metadata is ever written.
    ``background`` is what shows through where the format has no transparency.
    """

    format: str
    quality: int | None = None
    effort: int | None = None
    keep: Iterable[str] = ("icc", "copyright")
    background: str = WHITE
    preset: str | None = None


def encode(picture: Picture, how: Encoding) -> bytes:
    """The picture as a file.

    A picture that is not in sRGB keeps its profile, or, where ``keep`` has no ``icc``, is
    converted before the profile is dropped.

    Raises:
        BugError: the format cannot hold it, or is not built in.
    """
    most = LARGEST_SIDE[how.format]
    if max(picture.width, picture.height) > most:
        raise BugError(
            f"{picture.width} x {picture.height} pixels do not fit into a {how.format} file: "
            f"at most {most:,} a side"
        )
    picture = converted(picture, how)
    if "copyright" not in how.keep:
        picture = replace(picture, rights=Rights())
    try:
        return _ENCODERS[how.format](picture, how)
    except VipsError as error:
        raise refusal(f"the {how.format} could not be written", error, BugError) from error


def converted(picture: Picture, how: Encoding) -> Picture:
    """In sRGB, where the profile that it is in is not kept."""
    if picture.profile is None or "icc" in how.keep:
        return picture
    image = color.to_profile(picture.image, "srgb", picture.profile)
    return replace(picture, pixels=to_pixels(image), profile=None)


def rgb(colour: str) -> Colour:
    """``#rrggbb`` as three numbers from 0 to 255."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def flattened(picture: Picture, background: str) -> Pixels:
    """A picture's samples without transparency, over a colour."""
    if not picture.has_alpha:
        return picture.pixels
    return to_pixels(picture.image.flatten(background=list(rgb(background))))


def _jpeg(picture: Picture, how: Encoding) -> bytes:
    quality = QUALITY["jpeg"] if how.quality is None else how.quality
    options = presets.JPEG.get(_preset(how))
    if options is None:
        coded = simplejpeg.encode_jpeg(
            flattened(picture, how.background),
            quality,
            "RGB",
            "444" if quality >= _FULL_CHROMA_FROM else "420",
        )
    else:
        # libvips draws the same line at 90 between 4:2:0 and 4:4:4.
        opaque = from_pixels(flattened(picture, how.background))
        coded = bytes(opaque.jpegsave_buffer(Q=quality, keep=_KEEP_NOTHING, **options))
    rights = picture.rights
    exif = write_exif(rights.creator, rights.copyright)
    xmp = write_xmp(rights.creator, rights.copyright)
    return jpeg.with_metadata(coded, exif, xmp, picture.profile)


def _webp(picture: Picture, how: Encoding) -> bytes:
    image, keep = _tagged(picture)
    quality = QUALITY["webp"] if how.quality is None else how.quality
    return bytes(image.webpsave_buffer(Q=quality, effort=_effort(how), keep=keep))


def _avif(picture: Picture, how: Encoding) -> bytes:
    image, keep = _tagged(picture)
    quality = QUALITY["avif"] if how.quality is None else how.quality
    effort = _effort(how)
    return bytes(
        image.heifsave_buffer(compression="av1", Q=quality, effort=effort, bitdepth=8, keep=keep)
    )


def _png(picture: Picture, how: Encoding) -> bytes:
    image, keep = _tagged(picture)
    effort = _effort(how)
    files = (
        bytes(image.pngsave_buffer(compression=effort, filter=each, keep=keep))
        for each in presets.PNG[_preset(how)]
    )
    return min(files, key=len)


_ENCODERS: Mapping[str, Callable[[Picture, Encoding], bytes]] = {
    "jpeg": _jpeg,
    "webp": _webp,
    "avif": _avif,
    "png": _png,
}


def _preset(how: Encoding) -> str:
    return how.preset or presets.USUAL[how.format]


def _effort(how: Encoding) -> int:
    return presets.EFFORT[_preset(how)][how.format] if how.effort is None else how.effort


def _tagged(picture: Picture) -> tuple[Image, int]:
    rights = picture.rights
    blobs = (
        (_KEEP_EXIF, "exif-data", write_exif(rights.creator, rights.copyright)),
        (_KEEP_XMP, "xmp-data", write_xmp(rights.creator, rights.copyright)),
        (_KEEP_ICC, "icc-profile-data", picture.profile),
    )
    keep = sum(flag for flag, _, blob in blobs if blob)
    return with_blobs(picture.image, {name: blob for _, name, blob in blobs if blob}), keep
