"""Time, handed in."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Wall-clock time in seconds of the epoch: for the record."""

    def monotonic(self) -> float:
        """Seconds that never go back: for decisions."""
