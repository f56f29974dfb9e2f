"""Less at once while memory is short, so that the kernel need not kill to get some back."""

from __future__ import annotations

from imagelane.ports.memory import Room

_SHARE = 16
_MOST = 256 << 20
"""Bytes that are left alone: a sixteenth of what there is, and no more than this."""
_STALLED = 0.2
"""Share of its time that a machine may wait for memory: beyond, it only moves pages about."""


class Pressure:
    """The budget of decoded pictures under what was last measured of the machine's memory.

    ``short`` begins when less is available than is left alone, and lasts until twice that is: who
    measures at the edge would otherwise turn round with every picture.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self.short = False

    def budget(self, room: Room) -> int:
        """Bytes that may be decoded at one moment: what there is beside what is left alone. That
        counts pictures in hand as if they were still to be decoded; some are, and those that are
        not hold more than their samples. 0 while memory is short: nothing is begun beside what is
        in hand."""
        least = min(room.limit // _SHARE, _MOST)
        if self.short:
            self.short = room.available < 2 * least or room.stalled >= _STALLED / 2
        else:
            self.short = room.available < least or room.stalled >= _STALLED
        return 0 if self.short else min(self._total, room.available - least)
