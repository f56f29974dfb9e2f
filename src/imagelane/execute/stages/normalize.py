"""The source's picture in another colour space, or without transparency."""

from __future__ import annotations

from typing import TypedDict

from imagelane.execute import color
from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.encoders import flattened
from imagelane.execute.picture import Picture
from imagelane.execute.vips import plain


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
    image, profile = picture.image, picture.profile
    if parameters["space"] == "srgb" and profile is not None:
        image, profile = color.to_profile(image, "srgb", profile), None
    elif parameters["space"] == "display-p3":
        image, profile = color.to_profile(image, "p3", profile), color.built_in("p3")
    if parameters["background"] is not None:
        image = flattened(image, parameters["background"])
    if image is not picture.image:
        image = plain(image)
    return Picture(image, picture.full, profile, picture.rights)
