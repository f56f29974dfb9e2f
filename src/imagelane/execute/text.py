"""Text out of image files, made fit to be shown: treated as hostile, always."""

from __future__ import annotations

import unicodedata

LONGEST = 2_000

_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u200b\u2060\ufeff\u00ad\u180e")


def clean(text: str, longest: int = LONGEST) -> str:
    """Text as one line without control characters, direction overrides or lone surrogates.

    Line breaks and tabs become blanks, runs of blanks one blank, and what is longer than
    ``longest`` characters is cut. The text is not escaped: that depends on where it is shown.
    """
    kept: list[str] = []
    for letter in text[: longest * 4]:
        if letter in _DIRECTION or letter in _INVISIBLE:
            continue
        category = unicodedata.category(letter)
        if category in {"Cc", "Zl", "Zp", "Zs"}:
            kept.append(" ")
        elif category not in {"Cs", "Cn"}:
            kept.append(letter)
    return " ".join("".join(kept).split())[:longest].rstrip()


def from_bytes(raw: bytes) -> str:
    """Bytes of unknown encoding as clean text: UTF-8 where it is that, else Windows-1252."""
    raw = raw.split(b"\0", 1)[0]
    try:
        return clean(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return clean(raw.decode("cp1252", errors="ignore"))
