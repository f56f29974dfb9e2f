"""A frame of the DICOM file, through a declared window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np

from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.color import to_srgb
from imagelane.execute.dicom.display import Shown, Window
from imagelane.execute.dicom.reading import Described, show
from imagelane.execute.errors import InvalidError
from imagelane.execute.picture import Picture
from imagelane.execute.vips import VipsError, from_pixels, to_pixels


class Parameters(TypedDict):
    frame: str | int
    window: str | int | Mapping[str, float]


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """The picture, and by what it was chosen."""
    described = described_source(attempt)
    frame = _frame(parameters["frame"], described.layout.frames)
    seen = _show(parameters, attempt, described, frame)
    facts: dict[str, Any] = {
        "frame": frame + 1,
        "frames": described.layout.frames,
        "shown_by": seen.by,
        "window_center": seen.center,
        "window_width": seen.width,
    }
    return Result(
        picture=_picture(seen, attempt),
        facts={name: value for name, value in facts.items() if value is not None},
    )


def make(parameters: Parameters, attempt: Attempt) -> Picture:
    """The picture alone."""
    described = described_source(attempt)
    frame = _frame(parameters["frame"], described.layout.frames)
    return _picture(_show(parameters, attempt, described, frame), attempt)


def described_source(attempt: Attempt) -> Described:
    """The source, which must be a DICOM file.

    Raises:
        InvalidError: it is another.
    """
    header = attempt.piece.header
    if header.dicom is None:
        raise InvalidError(f"this is a {header.format}: expected a dicom")
    return header.dicom


def _show(parameters: Parameters, attempt: Attempt, described: Described, frame: int) -> Shown:
    working = described.working_bytes(1)
    attempt.piece.allowance.take(working)
    try:
        return show(described, frame, _window(parameters["window"]))
    finally:
        attempt.piece.allowance.give_back(working)


def _picture(seen: Shown, attempt: Attempt) -> Picture:
    icc = attempt.piece.header.icc
    if icc is None:
        return Picture.of(np.ascontiguousarray(seen.pixels))
    try:
        pixels = to_pixels(to_srgb(from_pixels(seen.pixels), icc, wide=False))
    except VipsError:
        raise InvalidError("the colour profile in the dicom cannot be applied") from None
    return Picture.of(pixels)


def _frame(wanted: str | int, frames: int) -> int:
    named = {"first": 0, "middle": (frames - 1) // 2, "last": frames - 1}
    number = named[wanted] if isinstance(wanted, str) else wanted - 1
    if number >= frames:
        raise InvalidError(f"the dicom has {frames} frames: it has none with the number {wanted}")
    return number


def _window(wanted: str | int | Mapping[str, float]) -> Window:
    if isinstance(wanted, Mapping):
        return Window("declared", center=wanted["center"], width=wanted["width"])
    if isinstance(wanted, int):
        return Window("file", index=wanted - 1)
    return Window("full" if wanted == "full" else "file")
