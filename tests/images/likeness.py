"""How alike two pictures are: by samples, structure, colour; and what exact resizing gives."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from imagelane.execute.vips import from_pixels
from tests.images.files import Array

FloatArray = npt.NDArray[np.float64]


def psnr(one: Array, other: Array) -> float:
    """Peak signal to noise in dB, of the first three bands."""
    error = ((one[:, :, :3].astype(float) - other[:, :, :3].astype(float)) ** 2).mean()
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def ssim(one: Array, other: Array) -> float:
    """Structural similarity of the luma over windows of 7 x 7 (Wang and others, 2004)."""
    x, y = (each[:, :, :3].astype(float) @ (0.299, 0.587, 0.114) for each in (one, other))
    a, b = _means(x), _means(y)
    spread = _means(x * x) - a * a + _means(y * y) - b * b
    together = _means(x * y) - a * b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    parts = (2 * a * b + c1) * (2 * together + c2) / ((a * a + b * b + c1) * (spread + c2))
    return float(parts.mean())


def _means(samples: FloatArray, side: int = 7) -> FloatArray:
    """Of every window of side x side samples."""
    for _ in range(2):
        sums = np.cumsum(np.pad(samples, ((1, 0), (0, 0))), axis=0)
        samples = (sums[side:] - sums[:-side]).T / side
    return samples


def colour_difference(one: Array, other: Array) -> float:
    """CIEDE2000, its mean."""
    first, second = (from_pixels(each).colourspace("lab") for each in (one, other))
    return float(first.dE00(second).avg())


def exact(pixels: Array, width: int, height: int) -> Array:
    """Lanczos3 in floating point, in one step, rounded once."""
    samples = exact_samples(pixels.astype(float), width, height)
    rounded: Array = np.rint(samples).clip(0, 255).astype(np.uint8)
    return rounded


def exact_samples(samples: FloatArray, width: int, height: int) -> FloatArray:
    """Lanczos3 in one step, not rounded."""
    bands = [
        Image.fromarray(samples[:, :, band].astype(np.float32)).resize(
            (width, height), Image.Resampling.LANCZOS
        )
        for band in range(3)
    ]
    return np.stack([np.asarray(one, float) for one in bands], axis=-1)
