"""Durations of many tasks, and how many ran at once, in little memory."""

from __future__ import annotations

import math
from array import array
from collections import Counter

KEPT = 65_536
"""Durations that are kept one by one; past that, quantiles are read from a histogram."""
_TOUCHING = 1e-6
_STEP = math.log(1.01)


class Durations:
    """Count, total and largest are exact. Quantiles are exact up to `KEPT` durations and within
    1 % beyond them, however many there are."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.largest = 0.0
        self._kept = array("d")
        self._histogram: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        self.count += 1
        self.total += seconds
        self.largest = max(self.largest, seconds)
        if self._histogram:
            self._histogram[_bucket(seconds)] += 1
            return
        self._kept.append(seconds)
        if len(self._kept) > KEPT:
            self._histogram.update(map(_bucket, self._kept))
            self._kept = array("d")

    def quantile(self, share: float) -> float:
        """The smallest duration that at least this share do not exceed; 0 if there is none."""
        if not self.count:
            return 0.0
        rank = max(1, math.ceil(share * self.count))
        if not self._histogram:
            return sorted(self._kept)[rank - 1]
        for bucket, number in sorted(self._histogram.items()):
            rank -= number
            if rank <= 0:
                return min(self.largest, math.exp((bucket + 0.5) * _STEP))
        return self.largest


class Overlaps:
    """How many intervals were under way together, at most. Exact up to `KEPT` intervals; of more,
    those that came first."""

    def __init__(self) -> None:
        self._begun = array("d")
        self._ended = array("d")

    def add(self, began: float, ended: float) -> None:
        if len(self._begun) < KEPT:
            self._begun.append(began)
            # One ends where the next begins, give or take the rounding of both.
            self._ended.append(max(began, ended - _TOUCHING))

    def most(self) -> int:
        """0 where there was none."""
        ends = sorted(self._ended)
        over, most = 0, 0
        for number, began in enumerate(sorted(self._begun), 1):
            while ends[over] < began:
                over += 1
            most = max(most, number - over)
        return most


def _bucket(seconds: float) -> int:
    return math.floor(math.log(max(seconds, 1e-9)) / _STEP)
