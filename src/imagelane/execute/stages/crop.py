"""A part of the picture, of the proportions asked for."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np

from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.errors import InvalidError
from imagelane.execute.picture import Picture
from imagelane.execute.resample import covering, resized


class Parameters(TypedDict):
    width: int | None
    height: int | None
    aspect: str | None
    at: str
    focal: list[float] | str | None


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """Makes a picture and no file."""
    return Result(picture=make(parameters, attempt))


def make(parameters: Parameters, attempt: Attempt) -> Picture:
    """With width and height the picture is first made to cover them, never larger than it is.

    A focal point wins over ``at``: the part is laid so that the point is as near to its middle as
    the picture's edges allow.
    """
    picture = attempt.picture()
    width, height = parameters["width"], parameters["height"]
    if width and height:
        target = covering(picture.full, width, height)
        if target[0] <= picture.full[0] and target[1] <= picture.full[1]:
            picture = resized(picture, *target, attempt.resampler)
        else:
            # Too small to cover: the largest part of the same proportions.
            width, height = _largest(picture, width / height)
    else:
        width, height = _largest(picture, _aspect(parameters["aspect"] or "1:1"))
    width, height = min(width, picture.width), min(height, picture.height)
    focal = _focal(parameters["focal"], attempt)
    if focal is not None:
        left = _place(focal[0], picture.width, width)
        top = _place(focal[1], picture.height, height)
    elif parameters["at"] in {"attention", "entropy"}:
        part = picture.image.smartcrop(width, height, interesting=parameters["at"])
        return picture.with_image(part)
    else:
        left, top = (picture.width - width) // 2, (picture.height - height) // 2
    part = picture.pixels[top : top + height, left : left + width]
    return picture.with_pixels(np.ascontiguousarray(part))


def _aspect(text: str) -> float:
    across, down = text.split(":")
    return float(across) / float(down)


def _largest(picture: Picture, aspect: float) -> tuple[int, int]:
    width = min(picture.width, round(picture.height * aspect))
    return max(1, width), max(1, min(picture.height, round(width / aspect)))


def _place(focal: float, whole: int, part: int) -> int:
    return min(max(0, round(focal * whole - part / 2)), whole - part)


def _focal(given: Any, attempt: Attempt) -> tuple[float, float] | None:
    if given is None:
        return None
    if isinstance(given, str):
        text = attempt.facts().render(given).strip()
        if not text:
            return None
        given = text.strip("[]()").replace(";", ",").split(",")
    try:
        across, down = (float(number) for number in given)
    except (TypeError, ValueError):
        raise InvalidError(
            f"the focal point is {given!r}: expected two numbers from 0 to 1"
        ) from None
    if not (0 <= across <= 1 and 0 <= down <= 1):
        raise InvalidError(f"the focal point is {across:g}, {down:g}: expected numbers from 0 to 1")
    return across, down
