"""Making pictures smaller or larger, in one place so that it can be made faster in one place.

Lanczos3 throughout. Which code does it is decided by the plan, since two of them never agree in
every byte. Transparent and very large pictures are libvips' in any case: it computes in floating
point where that is needed, and never holds a picture twice. Transparent pictures are resized
premultiplied, so that what cannot be seen does not bleed into what can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from imagelane.execute import lanczos
from imagelane.execute.picture import Picture
from imagelane.execute.vips import Image, Pixels, to_pixels
from imagelane.model.spec import Resampler

LINEAR_UP_TO = 320
"""Width in pixels up to which linear light is worth its time: fine detail in small pictures."""


def resized(
    picture: Picture, width: int, height: int, by: Resampler, *, linear: bool = False
) -> Picture:
    """The picture at exactly width x height pixels; itself where it has that size."""
    if (width, height) == (picture.width, picture.height):
        return replace(picture, full=(width, height))
    return picture.with_pixels(_compute(picture, width, height, by, linear=linear))


def resized_copy(picture: Picture, width: int, height: int, by: Resampler) -> Pixels:
    """As `resized`, as samples that are the caller's own to write to."""
    if (width, height) == (picture.width, picture.height):
        return picture.pixels.copy()
    made = _compute(picture, width, height, by, linear=False)
    return made if made.flags.writeable else made.copy()


def cascade(
    picture: Picture, widths: Iterable[int], by: Resampler, *, linear: str | bool
) -> Iterator[tuple[int, Picture]]:
    """The picture at several widths, the largest first, each made from the one before it.

    ``linear`` is whether to resize in linear light; ``auto`` does for small widths. Widths above
    the picture's own give its own size, and only the smallest of them does.
    """
    own = picture.full[0]
    ordered = sorted(set(widths))
    beyond = [width for width in ordered if width >= own]
    larger = picture
    for width in sorted([width for width in ordered if width < own] + beyond[:1], reverse=True):
        target = picture.full if width >= own else inside(picture.full, width, None)
        light = width <= LINEAR_UP_TO if linear == "auto" else bool(linear)
        larger = resized(larger, *target, by, linear=light)
        yield width, larger


def inside(full: tuple[int, int], width: int | None, height: int | None) -> tuple[int, int]:
    """The largest size with the proportions of ``full`` that fits into a box, at least 1 x 1."""
    scale = min(side / own for side, own in zip((width, height), full, strict=True) if side)
    return _scaled(full, scale)


def covering(full: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """The smallest size with the proportions of ``full`` that fills a box."""
    across, down = _scaled(full, max(width / full[0], height / full[1]))
    return max(across, width), max(down, height)


def _scaled(full: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(full[0] * scale)), max(1, round(full[1] * scale))


def _compute(picture: Picture, width: int, height: int, by: Resampler, *, linear: bool) -> Pixels:
    needed = picture.size * (2 if linear else 1)
    if by is Resampler.LIBVIPS or picture.has_alpha or needed > lanczos.LARGEST:
        return _by_libvips(picture.image, width, height, linear=linear)
    if linear:
        return lanczos.resized_in_linear_light(picture.pixels, width, height)
    return lanczos.resized(picture.pixels, width, height)


def _by_libvips(image: Image, width: int, height: int, *, linear: bool) -> Pixels:
    alpha = image.bands == 4
    work = image.colourspace("scrgb") if linear else image
    if alpha:
        work = work.premultiply()
    work = work.resize(width / image.width, vscale=height / image.height, kernel="lanczos3")
    if alpha:
        work = work.unpremultiply()
    if linear:
        work = work.colourspace("srgb")
    if work.format != "uchar":
        work = work.rint().cast("uchar") if not linear else work.cast("uchar")
    return to_pixels(work)
