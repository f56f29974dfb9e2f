"""The picture at another size."""

from __future__ import annotations

from typing import TypedDict

from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.picture import Picture
from imagelane.execute.resample import covering, inside, resized


class Parameters(TypedDict):
    width: int | None
    height: int | None
    fit: str
    upscale: bool


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """Makes a picture and no file."""
    return Result(picture=make(parameters, attempt))


def make(parameters: Parameters, attempt: Attempt) -> Picture:
    """``inside`` and ``cover`` keep the proportions, ``fill`` does not.

    Without ``upscale`` a picture that is smaller than asked for stays as it is (``fill``: each
    side for itself).
    """
    picture = attempt.picture()
    full, may_grow = picture.full, parameters["upscale"]
    width, height = parameters["width"], parameters["height"]
    if parameters["fit"] == "fill" and width and height:
        target = width, height
        if not may_grow:
            target = min(width, full[0]), min(height, full[1])
    else:
        cover = parameters["fit"] == "cover" and width and height
        target = covering(full, width or 1, height or 1) if cover else inside(full, width, height)
        if not may_grow and (target[0] > full[0] or target[1] > full[1]):
            target = full
    return resized(picture, *target, attempt.resampler)
