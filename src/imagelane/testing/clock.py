"""A clock that stands still until it is moved."""

from __future__ import annotations


class FakeClock:
    """Wall-clock and monotonic time that pass together, and only when told."""

    def __init__(self, wall: float = 1_800_000_000.0) -> None:
        self._wall = wall
        self._passed = 0.0

    def now(self) -> float:
        return self._wall + self._passed

    def monotonic(self) -> float:
        return self._passed

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._passed += seconds
