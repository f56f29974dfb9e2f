"""What a small copy of a picture tells: dominant colour, ThumbHash, perceptual hash."""

from __future__ import annotations

import base64
import math

import numpy as np
import numpy.typing as npt

from imagelane.execute.vips import Pixels

_THUMBHASH_SIDE = 100
_DIGITS = 9
"""After the point: what comes beyond is rounding, and in flat pictures there is nothing else."""
_Plane = npt.NDArray[np.float64]


def dominant_colour(pixels: Pixels) -> str:
    """The commonest colour as ``#rrggbb``: the mean of the fullest cell of an 8 x 8 x 8 histogram.

    ``pixels`` is height x width x 3 or 4; what is mostly transparent does not count.
    """
    flat = pixels.reshape(-1, pixels.shape[2])
    if flat.shape[1] == 4:
        seen = flat[flat[:, 3] >= 128]
        flat = seen if len(seen) else flat
    rgb = flat[:, :3].astype(np.int64)
    cells = (rgb[:, 0] >> 5 << 6) | (rgb[:, 1] >> 5 << 3) | (rgb[:, 2] >> 5)
    fullest = int(np.bincount(cells, minlength=512).argmax())
    mean = rgb[cells == fullest].mean(axis=0)
    return "#" + "".join(f"{round(float(value)):02x}" for value in mean)


def perceptual_hash(pixels: Pixels) -> str:
    """64 bits in 16 hexadecimal digits that stay nearly the same when a picture is resized.

    The signs, against their median, of the 8 x 8 lowest frequencies of a 32 x 32 grey copy (the
    DCT hash after Zauner, 2010). ``pixels`` is 32 x 32 x 3 or 4.
    """
    grey = pixels[:, :, :3].astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    waves = _cosines(32, 8)
    low = np.round(waves @ grey @ waves.T, _DIGITS).ravel()
    bits = low > np.median(low[1:])  # the first is the mean brightness
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def thumbhash(pixels: Pixels) -> str:
    """A placeholder of some 25 bytes, in base64.

    ThumbHash by Evan Wallace. ``pixels`` is height x width x 3 or 4, no side above 100.

    Raises:
        ValueError: it is larger.
    """
    height, width, bands = pixels.shape
    if max(height, width) > _THUMBHASH_SIDE:
        raise ValueError(f"{width} x {height} is more than {_THUMBHASH_SIDE} pixels a side")
    rgb = pixels[:, :, :3].astype(np.float64) / 255
    alpha = pixels[:, :, 3].astype(np.float64) / 255 if bands == 4 else np.ones((height, width))
    weight = alpha.sum()
    average = (rgb * alpha[:, :, None]).sum(axis=(0, 1)) / (weight or 1.0)
    has_alpha = bool(weight < width * height)
    rgb = average * (1 - alpha[:, :, None]) + rgb * alpha[:, :, None]
    red, green, blue = rgb[:, :, 0], rgb[:, :, 1], rgb[:, :, 2]

    most = 5 if has_alpha else 7
    across = max(1, _round(most * width / max(width, height)))
    down = max(1, _round(most * height / max(width, height)))
    light = _channel((red + green + blue) / 3, max(3, across), max(3, down))
    yellow = _channel((red + green) / 2 - blue, 3, 3)
    rose = _channel(red - green, 3, 3)
    landscape = width > height
    head = (
        _round(63 * light[0])
        | _round(31.5 + 31.5 * yellow[0]) << 6
        | _round(31.5 + 31.5 * rose[0]) << 12
        | _round(31 * light[2]) << 18
        | int(has_alpha) << 23
        | ((down if landscape else across) | _round(63 * yellow[2]) << 3) << 24
        | _round(63 * rose[2]) << 33
        | int(landscape) << 39
    )
    coded = bytearray(head.to_bytes(5, "little"))
    waves = [*light[1], *yellow[1], *rose[1]]
    if has_alpha:
        opacity = _channel(alpha, 5, 5)
        coded.append(_round(15 * opacity[0]) | _round(15 * opacity[2]) << 4)
        waves += opacity[1]
    nibbles = [_round(15 * wave) for wave in waves]
    nibbles += [0] * (len(nibbles) % 2)
    coded += bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return base64.b64encode(bytes(coded)).decode()


def _channel(plane: _Plane, across: int, down: int) -> tuple[float, list[float], float]:
    """The mean, the other low frequencies scaled to 0..1, and the scale."""
    height, width = plane.shape
    waves = _cosines(height, down) @ plane @ _cosines(width, across).T / (width * height)
    waves = np.round(waves, _DIGITS)
    low = [
        float(waves[row, column])
        for row in range(down)
        for column in range(across)
        if (row or column) and column * down < across * (down - row)
    ]
    scale = max((abs(wave) for wave in low), default=0.0)
    if scale:
        low = [0.5 + 0.5 / scale * wave for wave in low]
    return float(waves[0, 0]), low, scale


def _cosines(samples: int, count: int) -> _Plane:
    """The ``count`` slowest cosine waves over so many samples, one a row."""
    steps = np.arange(samples) + 0.5
    return np.cos(math.pi / samples * np.outer(np.arange(count), steps))


def _round(value: float) -> int:
    return math.floor(value + 0.5)
