"""From stored values to what a screen shows (PS3.3, C.11): modality LUT, then VOI LUT or window,
then MONOCHROME1 inverted, then 8 bits.

The brightness of a pixel depends on its own stored value and on what the file or the pipeline
declares, never on the other pixels: a file without a window is shown over the whole range that its
samples can have, which may be dark, and is not stretched to what happens to be in it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from imagelane.execute.dicom.frames import Samples
from imagelane.execute.dicom.layout import PALETTE, Layout
from imagelane.execute.dicom.library import load, quietly
from imagelane.execute.errors import InvalidError

_Values = npt.NDArray[Any]
_MOST_TABLE = 16
"""Bits up to which every possible value is looked up once, instead of every pixel."""
# Functional groups of an enhanced multi-frame file, and the macros in them that say how to show it.
_SHARED, _EACH = 0x52009229, 0x52009230
_MACROS = (0x00289145, 0x00289132)  # pixel value transformation, frame VOI LUT


@dataclass(frozen=True, slots=True)
class Window:
    """Which grey values are spread from black to white.

    ``file`` takes what the file declares, of several windows the one with this ``index`` (from 0);
    ``declared`` takes ``center`` and ``width`` (PS3.3, C.11.2.1.2); ``full`` the whole range.
    """

    source: Literal["file", "declared", "full"] = "file"
    index: int = 0
    center: float = 0.0
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """8 bits, rows x columns x 3, and by what its grey values were chosen."""

    pixels: npt.NDArray[np.uint8]
    by: Literal["colours", "table", "window", "declared window", "full range"]
    center: float | None = None
    width: float | None = None


def shown(samples: Samples, attributes: Any, layout: Layout, frame: int, window: Window) -> Shown:
    """One frame as a screen shows it. ``frame`` counts from 0; ``samples`` are its stored values.

    Raises:
        InvalidError: a table or a window cannot be applied, or the file has not got the window.
    """
    if layout.photometric == PALETTE:
        with quietly("shown in its palette's colours"):
            colours = load("pixels").apply_color_lut(samples, attributes)
            deep = colours.dtype.itemsize > 1
            return Shown((colours >> 8 if deep else colours).astype(np.uint8), "colours")
    if not layout.grey:
        eight = samples >> (layout.stored - 8) if layout.stored > 8 else samples
        return Shown(eight.astype(np.uint8), "colours")
    with quietly("shown"):
        how = _display_module(attributes, frame)
        _choose(how, window)
        grey = _grey(samples, how, layout, window.index)
        by, center, width = _told(how, window)
    if layout.photometric == "MONOCHROME1":
        grey = 255 - grey
    return Shown(np.repeat(grey[:, :, None], 3, axis=2), by, center, width)


def _display_module(attributes: Any, frame: int) -> Any:
    """What this frame is shown by, with that of the functional groups on top."""
    how = load("dataset").Dataset()
    wanted = [*attributes.group_dataset(0x0028).keys(), *_MACROS]
    for tag in wanted:
        if tag in attributes:
            how[tag] = copy.deepcopy(attributes[tag])
    for groups, index in ((_SHARED, 0), (_EACH, frame)):
        items = attributes[groups].value if groups in attributes else []
        for macro in _MACROS:
            if index < len(items) and macro in items[index] and items[index][macro].value:
                for element in items[index][macro].value[0]:
                    how[element.tag] = copy.deepcopy(element)
    how.set_original_encoding(*attributes.original_encoding)
    for lone in ("WindowCenter", "WindowWidth"):
        if how.get(lone) in (None, ""):
            how.pop("WindowCenter", None)
            how.pop("WindowWidth", None)
    return how


def _choose(how: Any, window: Window) -> None:
    if window.source != "file":
        for keyword in ("VOILUTSequence", "VOILUTFunction", "WindowCenter", "WindowWidth"):
            if keyword in how:
                del how[keyword]
    if window.source == "declared":
        how.WindowCenter, how.WindowWidth = window.center, window.width
    if window.source == "file" and window.index:
        tables = len(how.get("VOILUTSequence") or ())
        found = tables or ("WindowCenter" in how and how["WindowCenter"].VM) or 0
        if window.index >= found:
            raise InvalidError(
                f"the dicom declares {found} windows: it has none with the number "
                f"{window.index + 1}"
            )


def _grey(samples: Samples, how: Any, layout: Layout, index: int) -> npt.NDArray[np.uint8]:
    lowest = -(1 << layout.stored - 1) if layout.signed else 0
    if layout.stored > _MOST_TABLE:
        return _tones(samples, how, layout, index)
    values = np.arange(lowest, lowest + (1 << layout.stored), dtype=np.int32)
    grey: npt.NDArray[np.uint8] = np.take(
        _tones(values, how, layout, index), samples.astype(np.int32) - lowest
    )
    return grey


def _tones(values: _Values, how: Any, layout: Layout, index: int) -> npt.NDArray[np.uint8]:
    """8 bits for each stored value, by the tables and windows in ``how``."""
    pixels = load("pixels")
    real = pixels.apply_modality_lut(values, how)
    black, white = _range(how, layout)
    if how.get("VOILUTSequence"):
        whole = np.rint(real).astype(np.int32) if real.dtype.kind == "f" else real
        real = pixels.apply_voi(whole, how, index=index)
        table = how.VOILUTSequence[min(index, len(how.VOILUTSequence) - 1)]
        black, white = 0.0, float((1 << int(table.LUTDescriptor[2])) - 1)
    elif "WindowCenter" in how:
        real = pixels.apply_windowing(real, how, index=index)
    if not white > black and not black > white:
        raise InvalidError("the dicom declares a range of values in which all are alike")
    share = (real.astype(np.float64) - black) / (white - black)
    if not np.isfinite(share).all():
        raise InvalidError("the dicom declares a window or a rescale that is no number")
    tones: npt.NDArray[np.uint8] = np.floor(np.clip(share, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
    return tones


def _range(how: Any, layout: Layout) -> tuple[float, float]:
    """The values that the smallest and the largest stored value mean."""
    if how.get("ModalityLUTSequence"):
        return 0.0, float((1 << int(how.ModalityLUTSequence[0].LUTDescriptor[2])) - 1)
    low = -(1 << layout.stored - 1) if layout.signed else 0
    high = low + (1 << layout.stored) - 1
    if how.get("RescaleSlope") is None or how.get("RescaleIntercept") is None:
        return float(low), float(high)
    slope, intercept = float(how.RescaleSlope), float(how.RescaleIntercept)
    return low * slope + intercept, high * slope + intercept


def _told(how: Any, window: Window) -> tuple[Any, float | None, float | None]:
    if how.get("VOILUTSequence"):
        return "table", None, None
    if "WindowCenter" not in how:
        return "full range", None, None
    several = how["WindowCenter"].VM > 1
    center = how.WindowCenter[window.index] if several else how.WindowCenter
    width = how.WindowWidth[window.index] if several else how.WindowWidth
    by = "declared window" if window.source == "declared" else "window"
    return by, float(center), float(width)
