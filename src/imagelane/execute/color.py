"""Colour: everything becomes sRGB, and what already is sRGB is not touched."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from imagelane.execute.text import clean
from imagelane.execute.vips import (
    Image,
    VipsError,
    VipsImage,
    from_pixels,
    to_pixels,
    with_blobs,
)

SRGB_NAME = "sRGB"
_UNTOUCHED = 2
"""A profile that moves no colour by more steps than this (of 255) is sRGB under another name."""


def to_srgb(image: Image, icc: bytes | None, *, wide: bool = False) -> Image:
    """An image in sRGB, 8 bits, 3 bands or 4 with alpha; not yet computed.

    ``icc`` is the profile that its samples are meant in; ``wide`` declares Display-P3 without one.
    A profile that is broken or of another kind than the samples is passed over, as browsers do.
    Relative colorimetric intent, as for photographs everywhere.
    """
    converted = None
    if image.interpretation == "cmyk":
        converted = _transform(image, icc) if icc else None
        if converted is None:
            converted = image.icc_transform("srgb", input_profile="cmyk", intent="relative")
    elif icc and not (image.format == "uchar" and is_srgb(icc)):
        converted = _transform(image, icc)
    elif wide and not icc:
        converted = image.icc_transform("srgb", input_profile="p3", intent="relative")
    if converted is None:
        converted = image if image.interpretation == "srgb" else image.colourspace("srgb")
    return _three_or_four(converted)


def to_profile(image: Image, target: str, source: bytes | None = None) -> Image:
    """An 8-bit RGB image taken from one profile (None: sRGB) to a built-in one."""
    if source is None:
        return image.icc_transform(target, input_profile="srgb", intent="relative")
    return _tagged(image, source).icc_transform(target, embedded=True, intent="relative")


def built_in(name: str) -> bytes:
    """A profile that ships inside libvips: ``srgb``, ``p3`` or ``cmyk``."""
    return bytes(VipsImage.profile_load(name))


@lru_cache(maxsize=16)
def is_srgb(icc: bytes) -> bool:
    """Whether a profile means sRGB, found by what it does and not by what it is called."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    converted = _transform(from_pixels(lattice), icc)
    if converted is None:
        return False
    difference = to_pixels(converted).astype(int) - lattice
    return bool(np.abs(difference).max() <= _UNTOUCHED)


def profile_name(icc: bytes | None) -> str:
    """The description in a profile (ICC.1 ``desc``); sRGB where there is none."""
    if not icc:
        return SRGB_NAME
    count = int.from_bytes(icc[128:132], "big")
    for entry in range(min(count, 100)):
        at = 132 + 12 * entry
        if icc[at : at + 4] == b"desc":
            start = int.from_bytes(icc[at + 4 : at + 8], "big")
            size = int.from_bytes(icc[at + 8 : at + 12], "big")
            return _description(icc[start : start + size]) or "unnamed profile"
    return "unnamed profile"


def _description(tag: bytes) -> str:
    if tag[:4] == b"desc":
        length = int.from_bytes(tag[8:12], "big")
        return clean(tag[12 : 12 + min(length, 200)].split(b"\0")[0].decode("latin-1"), 80)
    if tag[:4] == b"mluc":
        length = int.from_bytes(tag[20:24], "big")
        start = int.from_bytes(tag[24:28], "big")
        return clean(tag[start : start + min(length, 400)].decode("utf-16-be", errors="ignore"), 80)
    return ""


def _tagged(image: Image, icc: bytes) -> Image:
    return with_blobs(image, {"icc-profile-data": icc})


def _transform(image: Image, icc: bytes) -> Image | None:
    """The image in sRGB, or None where the profile does not fit it."""
    if not _fits(image, icc):
        return None
    try:
        converted = _tagged(image, icc).icc_transform(
            "srgb", embedded=True, intent="relative", depth=8
        )
    except VipsError:
        return None
    return converted


def _fits(image: Image, icc: bytes) -> bool:
    """Whether a profile is for as many channels as the image has (ICC.1, colour space at 16)."""
    channels = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4, b"Lab ": 3}.get(icc[16:20])
    return channels is not None and channels == int(image.bands) - int(image.hasalpha())


def _three_or_four(image: Image) -> Image:
    alpha = bool(image.hasalpha())
    wanted = 4 if alpha else 3
    if image.bands < 3:  # grey that no conversion has widened
        grey = image.extract_band(0)
        parts = [grey, grey, grey, *([image.extract_band(1)] if alpha else [])]
        image = parts[0].bandjoin(parts[1:])
    elif image.bands > wanted:
        image = image.extract_band(0, n=wanted)
    return image if image.format == "uchar" else image.cast("uchar")
