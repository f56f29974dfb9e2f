"""Colour for terminals, and nothing else: with colour off, text goes through unchanged."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Ink:
    """Wraps text in SGR escape sequences where ``colour`` is on; measure text before that."""

    colour: bool = False

    def bold(self, text: str) -> str:
        return self._set("1", text)

    def soft(self, text: str) -> str:
        return self._set("2", text)

    def good(self, text: str) -> str:
        return self._set("32", text)

    def warn(self, text: str) -> str:
        return self._set("33", text)

    def bad(self, text: str) -> str:
        return self._set("31", text)

    def _set(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


def ink_for(stream: TextIO) -> Ink:
    """Colour for a terminal that knows it, unless NO_COLOR (no-color.org) asks for none."""
    return Ink(on_terminal(stream) and not os.environ.get("NO_COLOR"))


def on_terminal(stream: TextIO) -> bool:
    """Whether somebody watches who can be shown a moving picture: never a pipe or a file."""
    try:
        return stream.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}
    except ValueError:
        return False  # closed
