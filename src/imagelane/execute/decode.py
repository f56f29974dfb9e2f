"""From a file's bytes to an upright picture in sRGB.

The fast path is libjpeg-turbo: it shrinks while it decodes, and it stops at the first warning, so
the decode is the check as well. Everything else goes through libvips, or libheif for HEIC.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import simplejpeg

from imagelane.execute import jpeg
from imagelane.execute.allowance import Allowance
from imagelane.execute.boxes import largest_coded
from imagelane.execute.color import is_srgb, to_srgb
from imagelane.execute.errors import InvalidError
from imagelane.execute.header import Header, load, open_heic
from imagelane.execute.limits import Limits
from imagelane.execute.picture import Picture
from imagelane.execute.rights import rights_of
from imagelane.execute.sniff import DICOM, sniff
from imagelane.execute.vips import (
    Image,
    Pixels,
    VipsError,
    from_pixels,
    refusal,
    to_pixels,
)
from imagelane.execute.webp import canvas
from imagelane.model.spec import Extent

_SHRINKS = (8, 4, 2)
_STRAY = "extraneous bytes before marker"


def check_declared(data: bytes, limits: Limits) -> None:
    """Refuse what says in its first bytes that it is too large, before any library opens it.

    Raises:
        InvalidError: it does; the message names the limit.
    """
    format_ = sniff(data)
    if format_ == "webp":
        _check_size(format_, canvas(data), limits)
    elif format_ in {"heic", "avif"}:
        _check_size(format_, largest_coded(data), limits)


def check_limits(data: bytes, header: Header, limits: Limits) -> None:
    """Refuse what would cost too much, from the header alone.

    Raises:
        InvalidError: a limit is exceeded; the message names it.
    """
    for each in ((header.width, header.height), header.coded):
        _check_size(header.format, each, limits)
    megapixels = header.width * header.height / 1e6
    if is_animated(header) and megapixels * header.frames > limits.max_total_megapixels:
        raise InvalidError(
            f"the {header.format} has {header.frames:,} frames of {header.width} x "
            f"{header.height} pixels: "
            f"{megapixels * header.frames:,.0f} megapixels in all are more than "
            f"max_total_megapixels, {limits.max_total_megapixels:g}"
        )
    if header.jpeg is not None:
        scans = jpeg.count_scans(data, header.jpeg, limits.max_scans)
        if scans > limits.max_scans:
            raise InvalidError(f"the jpeg has more than max_scans, {limits.max_scans}, scans")


def check_format(data: bytes, limits: Limits) -> None:
    """Refuse a DICOM file where no pipeline has named that format, before any of it is read. What
    other formats are let in is said by the validate stage.

    Raises:
        InvalidError: it is one.
    """
    if sniff(data) == DICOM and DICOM not in limits.formats:
        raise InvalidError(
            f"this is a DICOM file: expected {', '.join(limits.formats)}; a pipeline that "
            "takes them says so: validate: {formats: [dicom]}"
        )


def _check_size(format_: str, size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    megapixels = width * height / 1e6
    if megapixels > limits.max_megapixels:
        raise InvalidError(
            f"the {format_} says that it has {width} x {height} pixels: {megapixels:,.0f} "
            f"megapixels are more than max_megapixels, {limits.max_megapixels:g}"
        )


def is_animated(header: Header) -> bool:
    """Whether the frames follow each other in time; pages of a TIFF do not."""
    return header.frames > 1 and header.format in {"gif", "webp", "avif", DICOM}


def shrink_of(header: Header, extents: Iterable[Extent]) -> int:
    """By how much the decode may shrink: the largest of 8, 4, 2 that leaves enough for everyone.

    Depends on nothing but the plan and the file, so it is the same fused and unfused.
    """
    wanted = tuple(extents)
    if header.jpeg is None or header.bands == 4 or not wanted:
        return 1
    width, height = header.upright
    return next(
        (
            shrink
            for shrink in _SHRINKS
            if all(_enough(extent, width, height, shrink) for extent in wanted)
        ),
        1,
    )


def _enough(extent: Extent, width: int, height: int, shrink: int) -> bool:
    across, down = -(-width // shrink), -(-height // shrink)
    if extent.width is None and extent.height is None:
        return False
    enough = [
        own >= side
        for own, side in ((across, extent.width), (down, extent.height))
        if side is not None
    ]
    # Fitting into a box needs one of its sides, filling it needs both.
    return any(enough) if extent.fit == "inside" else all(enough)


def decode(
    data: bytes,
    header: Header,
    extents: Iterable[Extent],
    allowance: Allowance,
    *,
    to_standard: bool = True,
) -> Picture:
    """Decode the first frame. Limits are the caller's to check before.

    ``to_standard`` False leaves samples in the colours of the file's own profile, where that is
    an RGB one.

    Raises:
        InvalidError: the file is damaged.
    """
    shrink = shrink_of(header, extents)
    area = -(-header.width // shrink) * -(-header.height // shrink) if shrink > 1 else header.area
    bands = max(header.bands, 4 if header.has_alpha else 3)
    working = area * bands * -(-header.bits // 8)
    if header.dicom is not None:
        working += header.dicom.working_bytes(1)
    if header.jpeg is not None and header.jpeg.progressive:
        # All coefficients of a progressive JPEG are held at full size, two bytes each.
        working += header.width * header.height * header.bands * 2
    allowance.take(working)
    keeps_own = not to_standard and header.icc is not None and header.icc[16:20] == b"RGB "
    profile = header.icc if keeps_own and header.icc and not is_srgb(header.icc) else None
    try:
        image, pixels = _decode(data, header, shrink)
        converted = image
        if profile is None:
            converted = to_srgb(image, header.icc, wide=header.wide)
        elif image.format != "uchar":
            converted = image.colourspace("srgb")
        converted = _upright(converted, header.orientation)
        if pixels is None or converted is not image:
            pixels = to_pixels(converted)
    except VipsError as error:
        raise refusal(f"the {header.format} is damaged", error) from error
    picture = Picture(pixels, header.upright, profile, rights_of(header))
    allowance.give_back(working - picture.size)
    return picture


def check_frames(data: bytes, header: Header) -> None:
    """Decode every frame of an animation, one after the other, and keep none. Of a DICOM file the
    frames after the first are not shown, and read by the stage that hands them on.

    Raises:
        InvalidError: one of them is damaged.
    """
    if not is_animated(header) or header.format == DICOM:
        return
    try:
        frames = load(data, header.format, n=-1, access="sequential", fail_on="error")
        frames.avg()
    except VipsError as error:
        raise refusal(f"the {header.format} is damaged", error) from error


def _decode(data: bytes, header: Header, shrink: int) -> tuple[Image, Pixels | None]:
    """The picture as stored, and its samples where they are there already."""
    samples: Pixels | None = None
    if header.dicom is not None:
        from imagelane.execute.dicom.reading import show  # noqa: PLC0415 - an extra

        samples = show(header.dicom).pixels
    elif header.format == "heic":
        samples = _decode_heic(data)
    elif header.format == "jpeg" and header.bands != 4:
        samples = _decode_jpeg(data, header, shrink)
    if samples is not None:
        return from_pixels(samples), samples
    # libvips reports as a warning what libjpeg-turbo alone would stop at.
    strict = "warning" if header.format == "jpeg" else "error"
    return load(data, header.format, fail_on=strict), None


def _decode_jpeg(data: bytes, header: Header, shrink: int) -> Pixels:
    try:
        return _turbo(data, header, shrink)
    except ValueError as error:
        if _STRAY not in str(error):
            raise InvalidError(f"the jpeg is damaged: {_said(error)}") from error
    # Software that writes wrong lengths into metadata leaves stray bytes between the segments of
    # the header. That is no damage to the picture: without the metadata it must decode cleanly.
    try:
        return _turbo(jpeg.essential(data), header, shrink)
    except ValueError as error:
        raise InvalidError(f"the jpeg is damaged: {_said(error)}") from error


def _turbo(data: bytes, header: Header, shrink: int) -> Pixels:
    pixels: Pixels = simplejpeg.decode_jpeg(
        data,
        "RGB",
        min_height=-(-header.height // shrink),
        min_width=-(-header.width // shrink),
        min_factor=shrink,
        strict=True,
    )
    return pixels


def _decode_heic(data: bytes) -> Pixels:
    opened = open_heic(data)
    try:
        # Rows may be padded; and the samples are libheif's own, gone when it closes the file.
        pixels: Pixels = np.asarray(opened)[:, : opened.size[0]].copy()
    except Exception as error:
        raise InvalidError(f"the heic is damaged: {_said(error)}") from error
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.shape[2] < 3:
        grey = np.repeat(pixels[:, :, :1], 3, axis=2)
        pixels = np.concatenate([grey, pixels[:, :, 1:]], axis=2)
    return pixels


def _said(error: Exception) -> str:
    return str(error).strip().rstrip(".") or "the decoder gave no reason"


def _upright(image: Image, orientation: int) -> Image:
    """EXIF orientation as turns and mirrorings; vips' rotations are clockwise."""
    turn = {3: "d180", 4: "d180", 5: "d90", 6: "d90", 7: "d270", 8: "d270"}.get(orientation)
    if turn is not None:
        image = image.rot(turn)
    return image.fliphor() if orientation in {2, 4, 5, 7} else image
