"""How much one order may have decoded at one moment."""

from __future__ import annotations

import time
from collections.abc import Callable

_HEADROOM = 2


class Allowance:
    """Counts the bytes of decoded pictures, and asks before they exceed what was granted.

    ``peak`` is the most that was in hand at one moment, ``waited`` the seconds spent on waiting.
    """

    def __init__(self, reservation: int, claim: Callable[[int], None]) -> None:
        self._granted = reservation
        self._claim = claim
        self._taken = 0
        self.peak = 0
        self.waited = 0.0

    def take(self, count: int) -> None:
        """Call before decoding ``count`` bytes; blocks until they are granted."""
        wanted = self._taken + count
        if wanted > self._granted:
            # Twice what is decoded first, for what is made from it: who asks again while others
            # do, too, may have to be let over the budget for anybody to go on.
            claimed = max(wanted, _HEADROOM * count if not self._taken else 0)
            asked = time.monotonic()
            self._claim(claimed)
            self.waited += time.monotonic() - asked
            self._granted = claimed
        self._taken = wanted
        self.peak = max(self.peak, wanted)

    def give_back(self, count: int) -> None:
        """Call when ``count`` bytes of pixels are let go."""
        self._taken -= count
