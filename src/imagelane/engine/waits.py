"""Waits for room on disks, from where they begin to where the record is told of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from imagelane.model.events import WaitedForRoom

BELIEVED = 10.0
"""Seconds after which it is believed that there is room. A disk may have seemed to have some, and
have none when it is tried: that is one wait, and not one for each try."""


@dataclass(slots=True)
class _Wait:
    began: float
    needed: int
    ended: float | None = None


@dataclass(slots=True)
class Waits:
    """Told at each turn which disks have no room. Nothing is recorded while they have none, since
    the journal may lie on one of them."""

    _of: dict[str, _Wait] = field(default_factory=dict)

    def note(self, full: Iterable[tuple[str, int]], now: float) -> None:
        """The disks of these folders have no room, not even for so many bytes; others have."""
        waiting = dict(full)
        for folder, needed in waiting.items():
            wait = self._of.setdefault(folder, _Wait(now, needed))
            wait.needed, wait.ended = max(wait.needed, needed), None
        for folder, wait in self._of.items():
            if folder not in waiting and wait.ended is None:
                wait.ended = now

    def over(self, now: float, *, all_of_them: bool = False) -> list[WaitedForRoom]:
        """What is to be recorded: waits that are over, or all, where the run ends."""
        done = {
            folder: wait.ended if wait.ended is not None else now
            for folder, wait in self._of.items()
            if all_of_them or (wait.ended is not None and now >= wait.ended + BELIEVED)
        }
        waited = [
            WaitedForRoom(folder, self._of[folder].needed, ended - self._of[folder].began)
            for folder, ended in done.items()
        ]
        for folder in done:
            del self._of[folder]
        return waited
