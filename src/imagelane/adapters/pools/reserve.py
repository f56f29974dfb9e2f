"""Workers that are started before anybody knows what for."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from imagelane.adapters.pools.child import Child
from imagelane.model.spec import Place

_END = 5.0
"""Seconds that one that was not wanted may take to end."""


class Reserve:
    """Worker processes that load their libraries while the pipeline file is still being read.

    Which workers a run needs is known only from its plan, and by then they would be ready. Those
    that it does not need are ended.

    Args:
        folder: the pipeline's own; workers stand in it.
        environment: their environment variables.
        pixels: how many, all of them for pixels.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], pixels: int) -> None:
        self._folder = folder.absolute()
        self._children: list[Child] = []
        # What keeps them from being started is found, and told, by those who need them.
        with contextlib.suppress(OSError):
            for number in range(1, pixels + 1):
                child = Child(f"p{number}", Place.PROCESS, self._folder, environment)
                self._children.append(child)

    def take(self, place: Place, folder: Path) -> Child | None:
        """The next one, if it is of that kind and stands in ``folder``; from now on it is the
        caller's."""
        fits = self._children and place is Place.PROCESS and folder == self._folder
        return self._children.pop(0) if fits else None

    def close(self) -> None:
        """End those that nobody took."""
        left, self._children = self._children, []
        for child in left:
            child.dismiss()
        for child in left:
            child.ended(_END)
            child.close()
