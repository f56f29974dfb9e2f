"""A declaration as plain values, with the places where they stand: what both fronts hand on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagelane.declare.problems import Path, Problem
from imagelane.model.spec import Location


@dataclass(frozen=True, slots=True)
class Document:
    """``value`` holds dicts, lists and JSON scalars. ``values`` and ``keys`` give the location of a
    value and of the key before it, for as many paths as are known. ``line`` gives the text of a
    location's line. ``problems`` were found while reading."""

    value: Any
    values: Mapping[Path, Location] = field(default_factory=dict)
    keys: Mapping[Path, Location] = field(default_factory=dict)
    line: Callable[[Location], str] = lambda _: ""
    problems: tuple[Problem, ...] = ()

    def locate(self, path: Path, *, key: bool = False) -> Location | None:
        """Where the value at a path stands, or its key, or else the nearest thing around it."""
        if key and path in self.keys:
            return self.keys[path]
        if path in self.values:
            return self.values[path]
        for end in range(len(path) - 1, -1, -1):
            around = path[:end]
            if place := self.keys.get(around) or self.values.get(around):
                return place
        return None

    def problem(
        self, path: Path, found: str, expected: str = "", hint: str = "", *, key: bool = False
    ) -> Problem:
        """A mistake at a path of this document.

        A path that leads into a short form (``needs: a`` for ``needs: [a]``) ends there.
        """
        for end in range(len(path)):
            if isinstance(self.at(path[:end]), (str, int, float)):
                path = path[:end]
                break
        location = self.locate(path, key=key)
        line = self.line(location) if location else ""
        return Problem(found, expected, hint, path, location, line)

    def at(self, path: Path) -> Any:
        """The plain value at a path, None where there is none."""
        value = self.value
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value
