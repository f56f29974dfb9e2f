"""The picture in several formats and widths, for every device the best that it can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict

from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.encoders import Encoding
from imagelane.execute.probing import Target
from imagelane.execute.resample import cascade
from imagelane.execute.written import result, write


class Parameters(TypedDict):
    formats: list[str]
    widths: list[int] | None
    preset: str | None
    target: Target | None
    quality: int | dict[str, int] | None
    effort: int | dict[str, int] | None
    linear: Literal["auto"] | bool
    keep: list[str]
    background: str


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """One rendition for each width and format, named after the width."""
    picture = attempt.picture()
    widths = parameters["widths"] or [picture.full[0]]
    made = []
    for width, sized in cascade(picture, widths, attempt.resampler, linear=parameters["linear"]):
        for format_ in parameters["formats"]:
            how = Encoding(
                format_,
                _of(format_, parameters["quality"]),
                _of(format_, parameters["effort"]),
                parameters["keep"],
                parameters["background"],
                parameters["preset"],
            )
            made.append((width, write(attempt, str(width), sized, how, parameters["target"])))
    made.sort(key=lambda pair: pair[0])
    return result(one for _, one in made)


def _of(format_: str, given: int | Mapping[str, int] | None) -> int | None:
    return given.get(format_) if isinstance(given, Mapping) else given
