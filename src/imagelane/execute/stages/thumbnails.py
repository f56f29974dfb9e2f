"""Scatter: the picture at several widths, each a file."""

from __future__ import annotations

from typing import Literal, TypedDict

from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.encoders import Encoding
from imagelane.execute.probing import Target
from imagelane.execute.resample import cascade
from imagelane.execute.written import result, write


class Parameters(TypedDict):
    widths: list[int]
    format: str
    preset: str | None
    target: Target | None
    quality: int | None
    effort: int | None
    linear: Literal["auto"] | bool
    keep: list[str]
    background: str


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """One rendition for each width, named after it; never larger than the picture itself."""
    how = Encoding(
        parameters["format"],
        parameters["quality"],
        parameters["effort"],
        parameters["keep"],
        parameters["background"],
        parameters["preset"],
    )
    made = {
        width: write(attempt, str(width), small, how, parameters["target"])
        for width, small in cascade(
            attempt.picture(),
            parameters["widths"],
            attempt.resampler,
            linear=parameters["linear"],
        )
    }
    return result(made[width] for width in sorted(made))
