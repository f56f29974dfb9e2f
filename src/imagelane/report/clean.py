"""Text from outside made safe to show: nothing in it moves a cursor, hides or reorders."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_KEPT_FORMATS = frozenset("\u200c\u200d")
"""Joiners: needed by emoji and by several scripts, and they reorder nothing."""
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_ELLIPSIS = "…"


def visible(text: str, *, lines: bool = False) -> str:
    """The text with every control character shown as a symbol instead of obeyed.

    ESC becomes ``␛``, NUL ``␀``; bidirectional overrides, invisible and private characters and
    bytes that were no UTF-8 become ``[U+202E]``. With ``lines``, line feeds stay and tabs become
    four spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    if lines:
        text = text.replace("\r\n", "\n").replace("\t", "    ")
    return "".join(_shown(character, lines=lines) for character in text)


def _shown(character: str, *, lines: bool) -> str:
    if character.isprintable() or character in _KEPT_FORMATS or (lines and character == "\n"):
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if unicodedata.category(character) in _HIDDEN or code & 0xFFFE == 0xFFFE:
        return f"[U+{code:04X}]"
    return character


def width(text: str) -> int:
    """Columns that the text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or character in _KEPT_FORMATS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, columns: int) -> str:
    """The text in at most so many columns; where it is longer, its middle is left out.

    The beginning and the end of a name say most: its series and its number.
    """
    if width(text) <= columns:
        return text
    if columns <= 1:
        return _ELLIPSIS[:columns]
    tail = _take(reversed(text), (columns - 1) // 2)[::-1]
    return _take(text, columns - 1 - width(tail)) + _ELLIPSIS + tail


def clip(text: str, columns: int) -> str:
    """The text in at most so many columns; where it is longer, its end is left out.

    For sentences, which say most at their beginning.
    """
    if width(text) <= columns:
        return text
    return (_take(text, columns - 1) + _ELLIPSIS)[: max(0, columns)]


def _take(text: Iterable[str], columns: int) -> str:
    taken = ""
    for character in text:
        columns -= _columns(character)
        if columns < 0:
            break
        taken += character
    return taken


def left(text: str, columns: int) -> str:
    """Fitted and padded at its end."""
    text = fit(text, columns)
    return text + " " * (columns - width(text))


def right(text: str, columns: int) -> str:
    """Fitted and padded at its beginning."""
    text = fit(text, columns)
    return " " * (columns - width(text)) + text
