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
        pixels: how many for pixels; there is one more for what waits.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], pixels: int) -> None:
        self._folder = folder.absolute()
        self._children: dict[Place, list[Child]] = {Place.PROCESS: [], Place.THREAD: []}
        # What keeps them from being started is found, and told, by those who need them.
        with contextlib.suppress(OSError):
            for number in range(1, pixels + 1):
                self._start(f"p{number}", Place.PROCESS, environment)
            self._start("t1", Place.THREAD, environment)

    def take(self, place: Place, folder: Path) -> Child | None:
        """The next one of its kind that stands in ``folder``; from now on it is the caller's."""
        children = self._children[place]
        return children.pop(0) if children and folder == self._folder else None

    def close(self) -> None:
        """End those that nobody took."""
        left = [child for children in self._children.values() for child in children]
        for children in self._children.values():
            children.clear()
        for child in left:
            child.dismiss()
        for child in left:
            child.ended(_END)
            child.close()

    def _start(self, slot: str, place: Place, environment: Mapping[str, str]) -> None:
        self._children[place].append(Child(slot, place, self._folder, environment))
