"""The source's picture in another colour space, or without transparency."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from imagelane.execute import color
from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.encoders import flattened
from imagelane.execute.picture import Picture
from imagelane.execute.vips import to_pixels


class Parameters(TypedDict):
    space: str
    background: str | None


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """Decoding has made it upright and sRGB; what goes beyond that is done here."""
    return Result(picture=make(parameters, attempt))


def make(parameters: Parameters, attempt: Attempt) -> Picture:
    """For a wide space the source is decoded anew: what sRGB has cut off cannot come back."""
    from_source = attempt.stage.picture is None
    if parameters["space"] == "srgb" or not from_source:
        picture = attempt.picture()
    else:
        picture = attempt.piece.unconverted()
    if parameters["space"] == "srgb" and picture.profile is not None:
        picture = _converted(picture, "srgb", None)
    elif parameters["space"] == "display-p3":
        picture = _converted(picture, "p3", color.built_in("p3"))
    if parameters["background"] is not None:
        picture = replace(picture, pixels=flattened(picture, parameters["background"]))
    return picture


def _converted(picture: Picture, target: str, profile: bytes | None) -> Picture:
    image = color.to_profile(picture.image, target, picture.profile)
    return replace(picture, pixels=to_pixels(image), profile=profile)
