"""What several share: each gets on as fast as the number of them allows."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Shared(Generic[K]):
    """Processor sharing: all that is under way advances at one rate, ``rate(how many)``.

    Kept by virtual time, in which every demand is as long as it is: so an arrival changes nothing
    about those that are there but how fast virtual time passes, and each step costs log n.
    """

    def __init__(self, rate: Callable[[int], float]) -> None:
        self._rate = rate
        self._rates: list[float] = [0.0]
        self._ends: list[tuple[float, int, K]] = []
        self._virtual = 0.0
        self._at = 0.0
        self._number = 0
        self.work = 0.0
        """Seconds of demand that were served so far."""

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, now: float, demand: float, key: K) -> None:
        """Something begins that takes ``demand`` seconds alone."""
        self._pass(now)
        self._number += 1
        heapq.heappush(self._ends, (self._virtual + demand, self._number, key))

    def due(self) -> float:
        """When the next one ends, if nothing begins before; infinity if there is none."""
        if not self._ends:
            return math.inf
        left = max(0.0, self._ends[0][0] - self._virtual)
        return self._at + left / self._now_rate()

    def pop(self, now: float) -> K:
        """Take out the one that ends, at the moment that `due` named."""
        self._pass(now)
        end, _, key = heapq.heappop(self._ends)
        # Rounding must not leave a grain of it.
        self._virtual = max(self._virtual, end)
        return key

    def _pass(self, now: float) -> None:
        if self._ends and now > self._at:
            gone = (now - self._at) * self._now_rate()
            self._virtual += gone
            self.work += gone * len(self._ends)
        self._at = now

    def _now_rate(self) -> float:
        count = len(self._ends)
        while len(self._rates) <= count:
            self._rates.append(self._rate(len(self._rates)))
        return self._rates[count]
