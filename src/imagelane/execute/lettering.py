"""Text as pixels: each text rendered once for each size, and then remembered.

The font that ships inside the package is the default, so the same text gives the same pixels on
every machine; letters that it lacks come from the system's fonts.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape

import numpy as np

from imagelane.execute.errors import BugError
from imagelane.execute.vips import Pixels, VipsError, VipsImage, complaint, to_pixels

FONT = "Open Sans Semibold"
_SMALLEST = 6
_LONGEST = 500
_ALWAYS_THERE = 0x0250
"""Up to here (Latin and its extensions) the font inside the package has every letter."""


@lru_cache(maxsize=64)
def letters(text: str, size: int, font: str | None = None) -> Pixels:
    """A text's coverage, 0 to 255, height x width, cut to its ink; ``size`` is in pixels of the em.

    Raises:
        BugError: a letter is in no font, or the font is not there.
    """
    line = " ".join(text.split())[:_LONGEST]
    check_font(font)
    _check_letters(line, font)
    return _render(line, max(_SMALLEST, size), font)


def fitting(text: str, size: int, width: int, font: str | None = None) -> Pixels:
    """A text at ``size``, or as much smaller as it must be to fit into ``width`` pixels."""
    mask = letters(text, size, font)
    while mask.shape[1] > width and size > _SMALLEST:
        size = max(_SMALLEST, min(size - 1, size * width // mask.shape[1]))
        mask = letters(text, size, font)
    return mask


def shortened(text: str, size: int, width: int) -> Pixels:
    """A text at ``size``, its middle left out where it is wider than ``width`` pixels."""
    mask = letters(text, size)
    keep = len(text)
    while mask.shape[1] > width and keep > 3:
        keep = max(3, min(keep - 1, keep * width // mask.shape[1]))
        head = (keep + 1) // 2
        mask = letters(f"{text[:head].rstrip()}…{text[len(text) - (keep - head) :].lstrip()}", size)
    return mask


@lru_cache(maxsize=16)
def check_font(font: str | None) -> None:
    """Raises:
    BugError: no font of that name is installed.
    """
    if font is None or font.casefold().startswith("open sans"):
        return
    sample = "Hamburgefonstiv 0123"
    named = _render(sample, 40, font)
    if all(
        np.array_equal(named, _render(sample, 40, f"{nobody} {style}".strip()))
        for nobody in ("no font is called so",)
        for style in [_style_of(font)]
    ):
        raise BugError(
            f"no font called {font!r} is installed: install it (fc-list shows what there is), "
            "or leave font out for the one that ships with imagelane"
        )


_STYLES = frozenset(
    "thin light extralight book regular medium semibold demibold bold extrabold black heavy "
    "italic oblique condensed".split()
)


def _style_of(font: str) -> str:
    return " ".join(word for word in font.split() if word.casefold().replace("-", "") in _STYLES)


def _check_letters(line: str, font: str | None) -> None:
    unknown = sorted(
        {letter for letter in line if ord(letter) >= _ALWAYS_THERE and _is_missing(letter, font)}
    )
    if unknown:
        raise BugError(
            f"no font on this machine has the letters {' '.join(unknown)}: install one that does "
            "(on Debian and Ubuntu fonts-noto-core, for Chinese, Japanese and Korean fonts-noto-cjk)"
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
        drawn, box = _render(letter, 60, font), _render(noncharacter, 60, font)
    except BugError:  # blanks and marks that draw nothing
        return False
    return drawn.shape == box.shape and all(
        np.array_equal(drawn[edge], box[edge])
        for edge in (np.s_[:2, :], np.s_[-2:, :], np.s_[:, :2], np.s_[:, -2:])
    )


def _render(line: str, size: int, font: str | None) -> Pixels:
    try:
        # At 72 dots an inch a point is a pixel. Pango reads markup, so what is text is escaped.
        image = VipsImage.text(escape(line, quote=False), font=f"{font or FONT} {size}", dpi=72)
    except VipsError as error:
        raise BugError(f"the text {line!r} cannot be drawn: {complaint(error)}") from error
    mask: Pixels = to_pixels(image)[:, :, 0]
    return mask
