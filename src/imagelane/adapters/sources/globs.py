"""Glob patterns over paths: ``*`` within a name, ``**`` over any number of folders."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence

_MAGIC = re.compile(r"[*?[]")


def has_magic(text: str) -> bool:
    """Whether the text is a pattern rather than a path."""
    return _MAGIC.search(text) is not None


def split(origin: str) -> tuple[str, str]:
    """The folder that a pattern begins in, and the pattern below it."""
    parts = origin.split("/")
    first = next(index for index, part in enumerate(parts) if has_magic(part))
    return "/".join(parts[:first]) or ("/" if origin.startswith("/") else "."), "/".join(
        parts[first:]
    )


class Glob:
    """A pattern for paths below a folder. Case counts, on every system."""

    def __init__(self, pattern: str) -> None:
        self._parts = [
            None if part == "**" else re.compile(fnmatch.translate(part))
            for part in pattern.split("/")
            if part
        ]

    def matches(self, relative: str) -> bool:
        """Whether a file's path is meant."""
        return self._walk(self._parts, relative.split("/"), whole=True)

    def descends(self, relative: str) -> bool:
        """Whether a folder can hold a file that is meant."""
        return self._walk(self._parts, relative.split("/"), whole=False)

    def _walk(
        self, pattern: Sequence[re.Pattern[str] | None], names: Sequence[str], *, whole: bool
    ) -> bool:
        for index, part in enumerate(pattern):
            if part is None:
                rest = pattern[index + 1 :]
                if not whole:
                    return True
                # `**` at the end means every file below.
                if not rest:
                    return len(names) > index
                return any(
                    self._walk(rest, names[start:], whole=True)
                    for start in range(index, len(names))
                )
            if index >= len(names):
                return not whole
            if not part.match(names[index]):
                return False
        return whole and len(names) == len(pattern)
