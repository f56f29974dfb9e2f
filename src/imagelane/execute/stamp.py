"""A mark to be laid over pictures, and the laying: only where the mark is, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagelane.execute.vips import Pixels, from_pixels, to_pixels

_SHADOW = 0.8
"""How dark the shadow is at most, as a share of the mark's own opacity."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """``colour`` is height x width x 3, or 3 numbers; ``cover`` height x width, 0 to 255."""

    colour: Pixels
    cover: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """Layers of one size, the lowest first. ``pad`` is by how much they reach beyond the mark
    itself on every side, in pixels."""

    layers: tuple[Layer, ...]
    pad: int = 0

    @property
    def width(self) -> int:
        return int(self.layers[0].cover.shape[1])

    @property
    def height(self) -> int:
        return int(self.layers[0].cover.shape[0])


def of_text(
    mask: Pixels, rgb: tuple[int, int, int], opacity: float, size: int, *, shadow: bool
) -> Stamp:
    """A stamp of letters. ``size`` is theirs in pixels; a soft shadow keeps them readable."""
    colour = np.array(rgb, np.uint8)
    if not shadow:
        return Stamp((Layer(colour, _faded(mask, opacity)),))
    pad = max(2, round(size * 0.3))
    ink = np.pad(mask, pad)
    drop = max(1, round(size * 0.03))
    # Two blurs: a near one that outlines the letters, a wide one that calms what is behind them.
    near = np.roll(_blurred(ink, size * 0.035), (drop, drop), (0, 1))
    wide = _blurred(ink, size * 0.12)
    dark = np.minimum(255, near.astype(np.uint32) * 7 // 8 + wide.astype(np.uint32) * 5 // 4)
    # Not beneath the letters: they are translucent, and would be darkened by their own shadow.
    dark = (dark * (255 - ink.astype(np.uint32)) + 127) // 255
    # Behind light letters a dark shadow, behind dark ones a light one.
    behind = np.zeros(3, np.uint8) if sum(rgb) >= 384 else np.full(3, 255, np.uint8)
    under = Layer(behind, _faded(dark.astype(np.uint8), opacity * _SHADOW))
    return Stamp((under, Layer(colour, _faded(ink, opacity))), pad)


def of_picture(pixels: Pixels, opacity: float) -> Stamp:
    """A stamp of a picture of height x width x 3 or 4 samples."""
    cover = pixels[:, :, 3] if pixels.shape[2] == 4 else np.full(pixels.shape[:2], 255, np.uint8)
    return Stamp((Layer(pixels[:, :, :3], _faded(cover, opacity)),))


def turned(stamp: Stamp, degrees: float) -> Stamp:
    """The stamp, rotated about its middle."""
    layers = []
    for layer in stamp.layers:
        cover = _turn(layer.cover[:, :, None], degrees)[:, :, 0]
        colour = layer.colour if layer.colour.ndim == 1 else _turn(layer.colour, degrees)
        layers.append(Layer(colour, cover))
    return Stamp(tuple(layers), stamp.pad)


def press(pixels: Pixels, stamp: Stamp, left: int, top: int) -> None:
    """Lay a stamp over ``pixels`` in place, its corner at (left, top); what is outside is cut off.

    Samples are straight (not premultiplied); where the picture is transparent the mark is not.
    """
    height, width, bands = pixels.shape
    x0, x1 = max(0, left), min(width, left + stamp.width)
    y0, y1 = max(0, top), min(height, top + stamp.height)
    if x0 >= x1 or y0 >= y1:
        return
    window = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    region = pixels[y0:y1, x0:x1]
    for layer in stamp.layers:
        cover = layer.cover[window].astype(np.uint32)[:, :, None]
        ink = layer.colour if layer.colour.ndim == 1 else layer.colour[window]
        colour = ink.astype(np.uint32)
        below = region.astype(np.uint32)
        if bands == 4:
            beneath = below[:, :, 3:] * (255 - cover)
            whole = np.maximum(1, cover * 255 + beneath)
            mixed = (colour * cover * 255 + below[:, :, :3] * beneath + whole // 2) // whole
            region[:, :, :3] = np.where(cover > 0, mixed, below[:, :, :3])
            region[:, :, 3:] = (cover * 255 + beneath + 127) // 255
        else:
            region[:] = (below * (255 - cover) + colour * cover + 127) // 255


def _faded(cover: Pixels, opacity: float) -> Pixels:
    share = round(opacity * 256)
    return ((cover.astype(np.uint16) * share + 128) >> 8).astype(np.uint8)


def _blurred(mask: Pixels, sigma: float) -> Pixels:
    image = from_pixels(np.ascontiguousarray(mask[:, :, None])).copy(interpretation="b-w")
    return to_pixels(image.gaussblur(max(0.5, sigma)))[:, :, 0]


def _turn(samples: Pixels, degrees: float) -> Pixels:
    image = from_pixels(np.ascontiguousarray(samples)).copy(interpretation="multiband")
    return to_pixels(image.similarity(angle=degrees))
