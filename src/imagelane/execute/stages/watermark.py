"""Whose picture it is, written on it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypedDict

from imagelane.execute import decode, stamp
from imagelane.execute.allowance import Allowance
from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.encoders import Encoding, rgb
from imagelane.execute.errors import BugError, InvalidError
from imagelane.execute.header import read_header
from imagelane.execute.lettering import fitting
from imagelane.execute.limits import Limits
from imagelane.execute.picture import Picture
from imagelane.execute.probing import Target
from imagelane.execute.resample import inside, resized, resized_copy
from imagelane.execute.stamp import Stamp
from imagelane.execute.vips import Pixels
from imagelane.execute.written import result, write
from imagelane.model.spec import Resampler

MARKED = "marked"
_TILT = -30.0
_ACROSS = {"left": 0.0, "right": 1.0}
_DOWN = {"top": 0.0, "bottom": 1.0}


class Parameters(TypedDict):
    text: str | None
    logo: str | None
    width: int | None
    position: str
    opacity: float
    size: float
    margin: float
    color: str
    shadow: bool
    font: str | None
    format: str
    preset: str | None
    target: Target | None
    quality: int | None
    effort: int | None
    keep: list[str]
    background: str


class _Look(NamedTuple):
    font: str | None
    colour: str
    opacity: float
    shadow: bool


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """Makes a picture and, unless the format is ``none``, the rendition ``marked``."""
    picture = make(parameters, attempt)
    if parameters["format"] == "none":
        return Result(picture=picture)
    how = Encoding(
        parameters["format"],
        parameters["quality"],
        parameters["effort"],
        parameters["keep"],
        parameters["background"],
        parameters["preset"],
    )
    return result([write(attempt, MARKED, picture, how, parameters["target"])], picture)


def make(parameters: Parameters, attempt: Attempt) -> Picture:
    """The picture at its width with the mark on it."""
    picture = attempt.picture()
    width = parameters["width"]
    if width is not None and width < picture.full[0]:
        across, down = inside(picture.full, width, None)
    else:
        across, down = picture.full
    mark = _mark(parameters, attempt, across)
    pixels = resized_copy(picture, across, down, attempt.resampler)
    if parameters["position"] == "tiled":
        _tile(pixels, stamp.turned(mark, _TILT))
    else:
        _place(pixels, mark, parameters["position"], round(parameters["margin"] * across))
    return picture.with_pixels(pixels)


def _place(pixels: Pixels, mark: Stamp, position: str, margin: int) -> None:
    height, width, _ = pixels.shape
    words = position.split("-")
    across = next((_ACROSS[word] for word in words if word in _ACROSS), 0.5)
    down = next((_DOWN[word] for word in words if word in _DOWN), 0.5)
    # A shadow may reach into the margin: it is the mark itself that keeps its distance.
    edge = margin - mark.pad
    left = round(edge + across * (width - mark.width - 2 * edge))
    top = round(edge + down * (height - mark.height - 2 * edge))
    stamp.press(pixels, mark, left, top)


def _tile(pixels: Pixels, mark: Stamp) -> None:
    """Like bricks: every other row is moved by half a step."""
    height, width, _ = pixels.shape
    step_x, step_y = round(mark.width * 1.15), round(mark.height * 0.75)
    for row, top in enumerate(range(-mark.height // 2, height, max(1, step_y))):
        start = -(step_x // 2) * (row % 2) - mark.width // 4
        for left in range(start, width, max(1, step_x)):
            stamp.press(pixels, mark, left, top)


def _mark(parameters: Parameters, attempt: Attempt, width: int) -> Stamp:
    size = max(1, round(parameters["size"] * width))
    if parameters["text"] is not None:
        text = attempt.facts().render(parameters["text"])
        room = width - 2 * round(parameters["margin"] * width)
        look = _Look(
            parameters["font"], parameters["color"], parameters["opacity"], parameters["shadow"]
        )
        return _text_mark(text, size, max(1, room), look)
    path = Path(attempt.piece.opening.folder, parameters["logo"] or "")
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise BugError(f"the logo {path} cannot be read: {error.strerror}") from None
    return _logo_mark(path, changed, size, parameters["opacity"], attempt.resampler)


@lru_cache(maxsize=8)
def _text_mark(text: str, size: int, room: int, look: _Look) -> Stamp:
    drawn = fitting(text, size, room, look.font)
    return stamp.of_text(drawn.cover, rgb(look.colour), look.opacity, size, shadow=look.shadow)


@lru_cache(maxsize=8)
def _logo_mark(path: Path, _changed: int, width: int, opacity: float, by: Resampler) -> Stamp:
    data = path.read_bytes()
    try:
        header = read_header(data)
        decode.check_limits(data, header, Limits())
        logo = decode.decode(data, header, (), Allowance(1 << 62, lambda _: None))
    except InvalidError as error:
        raise BugError(f"the logo {path} cannot be used: {error.message}") from error
    return stamp.of_picture(resized(logo, *inside(logo.full, width, None), by).pixels, opacity)
