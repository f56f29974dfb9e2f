"""Lanczos3 by fast_image_resize, to which cykooz-resizer is the binding.

Its code for AVX2, SSE4.1, Neon and for none of them gives the same bytes: it counts in whole
numbers throughout. It starts no thread. For linear light samples become 16 bits of it, in which the
darkest step of sRGB is 20 steps, and become sRGB again (IEC 61966-2-1).
"""

from __future__ import annotations

import weakref
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from imagelane.execute.errors import BugError
from imagelane.execute.vips import Pixels

LARGEST = 48 << 20
"""Bytes of samples up to which this is used. The binding works on a copy, which is kept while the
picture lives; for a moment there are two. libvips goes through larger ones strip by strip."""

_held: dict[int, Any] = {}
"""What was handed over of arrays that still live, by their identity: a picture is made smaller for
several stages, and each size from the one before it."""


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Height x width x 3 samples at another size; nobody may write to either of them any more.

    Raises:
        BugError: the binding is not installed here.
    """
    binding = _binding()
    after = binding.image(width, height, None)
    binding.resize(_handed_over(pixels), after)
    samples: Pixels = np.frombuffer(after.get_buffer(), np.uint8)
    made = samples.reshape(height, width, 3)
    _hold(made, after)
    return made


def resized_in_linear_light(pixels: Pixels, width: int, height: int) -> Pixels:
    """As `resized`, for sRGB: so that what is mixed is light, and not its code.

    Raises:
        BugError: the binding is not installed here.
    """
    binding = _binding()
    to_light, to_srgb = _tables()
    rows, across, _ = pixels.shape
    before = binding.image(across, rows, to_light[pixels].tobytes(), deep=True)
    after = binding.image(width, height, None, deep=True)
    binding.resize(before, after)
    made: Pixels = to_srgb[np.frombuffer(after.get_buffer(), np.uint16)]
    return made.reshape(height, width, 3)


def _handed_over(pixels: Pixels) -> Any:
    held = _held.get(id(pixels))
    if held is None:
        rows, across, _ = pixels.shape
        held = _binding().image(across, rows, pixels.tobytes())
        _hold(pixels, held)
    return held


def _hold(pixels: Pixels, held: Any) -> None:
    key = id(pixels)
    _held[key] = held
    weakref.finalize(pixels, _held.pop, key, None).atexit = False


class _Binding:
    """What is needed of cykooz-resizer, which knows much more."""

    def __init__(self) -> None:
        try:
            import cykooz_resizer as package  # noqa: PLC0415 - not there on every machine
        except ImportError as error:
            raise BugError(
                "this plan resizes with fast_image_resize, and it is not installed here: "
                "pip install cykooz-resizer, or begin a new run on this machine"
            ) from error
        self._package = package
        self._resizer = package.Resizer()
        lanczos = package.ResizeAlg.convolution(package.FilterType.lanczos3)
        self._options = package.ResizeOptions(lanczos, use_alpha=False)

    def image(self, width: int, height: int, samples: bytes | None, *, deep: bool = False) -> Any:
        """Memory of the binding's own; ``deep`` is 16 bits a sample."""
        kinds = self._package.PixelType
        return self._package.ImageData(width, height, kinds.U16x3 if deep else kinds.U8x3, samples)

    def resize(self, before: Any, after: Any) -> None:
        self._resizer.resize(before, after, self._options)


def load() -> None:
    """Have the binding loaded before it is needed.

    Raises:
        BugError: it is not installed here.
    """
    _binding()


@cache
def _binding() -> _Binding:
    return _Binding()


@cache
def _tables() -> tuple[npt.NDArray[np.uint16], Pixels]:
    """From a sample of sRGB to light, and back."""
    code = np.arange(1 << 8) / 0xFF
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    depth = np.arange(1 << 16) / 0xFFFF
    shown = np.where(depth <= 0.0031308, depth * 12.92, 1.055 * depth ** (1 / 2.4) - 0.055)
    return np.rint(light * 0xFFFF).astype(np.uint16), np.rint(shown * 0xFF).astype(np.uint8)
