"""Text as pixels: each text rendered once for each size, and then remembered.

The font that ships inside the package is the default, so the same text gives the same pixels on
every machine; letters that it lacks come from the system's fonts.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import NamedTuple

import numpy as np

from imagelane.execute.errors import BugError
from imagelane.execute.text import clean
from imagelane.execute.vips import Pixels, VipsError, VipsImage, complaint, to_pixels

FONT = "Open Sans Semibold"
_SMALLEST = 6
_LONGEST = 500
_ALWAYS_THERE = 0x0250
"""Up to here (Latin and its extensions) the font inside the package has every letter."""
_SAMPLE, _SAMPLE_SIZE = "Hamburgefonstiv 0123", 40
_NOBODYS_FONT = "a font that nobody has"
_STYLES = frozenset(
    {
        *("thin", "ultra-light", "light", "book", "regular", "medium", "semi-bold", "semibold"),
        *("bold", "ultra-bold", "extrabold", "heavy", "black", "italic", "oblique", "condensed"),
    }
)


class Letters(NamedTuple):
    """A drawn line of text.

    ``cover`` is height x width, 0 to 255, cut to the ink. ``top`` is how far below the top of a
    capital letter the ink begins, in pixels; negative where it reaches above.
    """

    cover: Pixels
    top: int


@lru_cache(maxsize=8)
def letters(text: str, size: int, font: str | None = None) -> Letters:
    """A text as one line; ``size`` is in pixels of the em.

    Raises:
        BugError: a letter is in no font, or the font is not there.
    """
    line = clean(text, _LONGEST)
    check_font(font)
    _check_letters(line, font)
    return _render(line, max(_SMALLEST, size), font)


def fitting(text: str, size: int, width: int, font: str | None = None) -> Letters:
    """A text at ``size``, or as much smaller as it must be to fit into ``width`` pixels."""
    drawn = letters(text, size, font)
    while drawn.cover.shape[1] > width and size > _SMALLEST:
        size = max(_SMALLEST, min(size - 1, size * width // drawn.cover.shape[1]))
        drawn = letters(text, size, font)
    return drawn


def caption(text: str, size: int, width: int) -> Letters:
    """A text at ``size``, its middle left out where it is wider than ``width`` pixels.

    For names that the pipeline's author did not write: letters without a font are drawn as boxes.
    """
    line = clean(text, _LONGEST) or "?"
    keep = len(line)
    drawn = _render(line, size, None)
    while drawn.cover.shape[1] > width and keep > 3:
        keep = max(3, min(keep - 1, keep * width // drawn.cover.shape[1]))
        head = (keep + 1) // 2
        shorter = f"{line[:head].rstrip()}…{line[len(line) - (keep - head) :].lstrip()}"
        drawn = _render(shorter, size, None)
    return drawn


@lru_cache(maxsize=16)
def check_font(font: str | None) -> None:
    """Raises:
    BugError: no font of that name is installed.
    """
    if font is None or font.casefold().startswith("open sans"):
        return
    # Fontconfig puts another font in the place of one that it does not have, and says nothing.
    style = " ".join(word for word in font.split() if word.casefold() in _STYLES)
    named, substituted = (
        _draw(_SAMPLE, _SAMPLE_SIZE, one)[0] for one in (font, f"{_NOBODYS_FONT} {style}".strip())
    )
    if np.array_equal(named, substituted):
        raise BugError(
            f"no font called {font!r} is installed: install it (fc-list shows what there is), "
            "or leave font out for the one that ships with imagelane"
        )


def _check_letters(line: str, font: str | None) -> None:
    unknown = sorted(
        {letter for letter in line if ord(letter) >= _ALWAYS_THERE and _is_missing(letter, font)}
    )
    if unknown:
        raise BugError(
            f"no font on this machine has the letters {' '.join(unknown)}: install one that does "
            "(Debian, Ubuntu: fonts-noto-core; for Chinese, Japanese, Korean fonts-noto-cjk)"
        )


@lru_cache(maxsize=512)
def _is_missing(letter: str, font: str | None) -> bool:
    """Whether the text engine draws the box that stands for letters in no font.

    The box holds the number of the letter, so one of a noncharacter with as many digits has the
    same size and the same frame.
    """
    code = ord(letter)
    noncharacter = "\ufdd0" if code <= 0xFFFF else "\U0001fffe" if code <= 0xFFFFF else "\U0010fffe"
    try:
        drawn, box = _draw(letter, 60, font)[0], _draw(noncharacter, 60, font)[0]
    except BugError:  # blanks and marks that draw nothing
        return False
    return drawn.shape == box.shape and all(
        np.array_equal(drawn[edge], box[edge])
        for edge in (np.s_[:2, :], np.s_[-2:, :], np.s_[:, :2], np.s_[:, -2:])
    )


def _render(line: str, size: int, font: str | None) -> Letters:
    cover, top = _draw(line, size, font)
    return Letters(cover, top - _capital_top(size, font))


@lru_cache(maxsize=64)
def _capital_top(size: int, font: str | None) -> int:
    return _draw("H", size, font)[1]


def _draw(line: str, size: int, font: str | None) -> tuple[Pixels, int]:
    try:
        # At 72 dots an inch a point is a pixel. Pango reads markup, so what is text is escaped.
        image = VipsImage.text(escape(line, quote=False), font=f"{font or FONT} {size}", dpi=72)
    except VipsError as error:
        raise BugError(f"the text {line!r} cannot be drawn: {complaint(error)}") from error
    return to_pixels(image)[:, :, 0], int(image.yoffset)
