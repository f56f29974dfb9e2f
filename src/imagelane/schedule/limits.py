"""How much at once: semaphores by name, and the budget of decoded bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping


class Semaphores:
    """Places by name. All that an order names are taken together or not at all, so orders that
    hold some and wait for others, and with them deadlocks, cannot come about."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self._free = dict(places)

    def available(self, names: Iterable[str]) -> bool:
        return all(self._free[name] > 0 for name in names)

    def take(self, names: Iterable[str]) -> None:
        for name in names:
            self._free[name] -= 1

    def give_back(self, names: Iterable[str]) -> None:
        for name in names:
            self._free[name] += 1


class Budget:
    """Bytes of pictures that are decoded at one moment, over all workers.

    Every order brings a reservation. One that needs more claims it before it decodes and waits
    until it fits; while one waits, no new reservation is given, so large pictures do not starve.
    A picture larger than the whole budget is decoded when no other order is going on.
    ``total`` may change at any time: what is held stays held, and one order can always go on.
    """

    def __init__(self, total: int, reservation: int) -> None:
        self.total = total
        self._reservation = reservation
        self._held: dict[int, int] = {}
        self._waiting: deque[int] = deque()
        self._needed: dict[int, int] = {}

    @property
    def used(self) -> int:
        return sum(self._held.values())

    def available(self) -> bool:
        """Whether another order may begin."""
        if self._waiting:
            return False
        return not self._held or self.used + self._reservation <= self.total

    def reserve(self, order: int) -> None:
        self._held[order] = self._reservation

    def claim(self, order: int, needed: int) -> None:
        """An order stops until it may decode ``needed`` bytes in all. What it has it keeps, so
        its claims rise: one that asks for no more was said before, and counts once."""
        if order in self._needed or needed <= self._held.get(order, 0):
            return
        self._waiting.append(order)
        self._needed[order] = needed

    def release(self, order: int) -> None:
        """An order is over, whether it was going on or waited."""
        self._held.pop(order, None)
        if self._needed.pop(order, None) is not None:
            self._waiting.remove(order)

    def grants(self) -> list[int]:
        """Orders that may go on now, in the order in which they claimed."""
        granted = []
        while self._waiting:
            order = self._waiting[0]
            together = self.used - self._held.get(order, 0) + self._needed[order]
            # When everybody waits, nobody will give anything back: one must go on.
            everybody_waits = len(self._waiting) == len(self._held)
            if together > self.total and not everybody_waits:
                break
            self._waiting.popleft()
            self._held[order] = self._needed.pop(order)
            granted.append(order)
        return granted
