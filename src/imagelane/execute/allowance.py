"""How much one order may have decoded at one moment."""

from __future__ import annotations

from collections.abc import Callable


class Allowance:
    """Counts the bytes of decoded pictures, and asks before they exceed what was granted.

    ``peak`` is the most that was in hand at one moment.
    """

    def __init__(self, reservation: int, claim: Callable[[int], None]) -> None:
        self._granted = reservation
        self._claim = claim
        self._taken = 0
        self.peak = 0

    def take(self, count: int) -> None:
        """Call before decoding ``count`` bytes; blocks until they are granted."""
        wanted = self._taken + count
        if wanted > self._granted:
            self._claim(wanted)
            self._granted = wanted
        self._taken = wanted
        self.peak = max(self.peak, wanted)

    def give_back(self, count: int) -> None:
        """Call when ``count`` bytes of pixels are let go."""
        self._taken -= count
