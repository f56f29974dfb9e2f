"""Finding the quality at which a file is what it must be, with few tries.

Score and size both grow with the quality, so each is a search in a curve that rises. It goes by
the usual slope at first, by what was seen as soon as that lies on both sides, and by halves if that
does not help. Nothing but the picture decides: the same tries, in the same order, each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LOWEST, HIGHEST = 1, 100
"""The qualities that all encoders know."""
CLOSE = 1.0
"""Points of the score above what was asked for, within which there is no need to look further."""
CLOSE_SIZE = 0.05
"""Share of the size that may be left, within which there is no need to look further."""

_POINTS_A_STEP = 0.6
_GROWTH_A_STEP = 0.03
_PATIENCE = 4
"""Tries after which halves are taken: where a curve bends, guesses creep."""
_NOTHING: Mapping[int, float] = {}


@dataclass(frozen=True, slots=True)
class Level:
    """A window for what is measured at a quality, and how that usually grows with each step."""

    least: float
    most: float
    a_step: float


def of_score(wanted: float) -> Level:
    """From what is wanted on."""
    return Level(wanted, wanted + CLOSE, _POINTS_A_STEP)


def of_size(most: int) -> Level:
    """Up to the most, in logarithms, since a step adds a share."""
    return Level(math.log(most * (1 - CLOSE_SIZE)), math.log(most + 0.5), _GROWTH_A_STEP)


def search(
    measure: Callable[[int], float], level: Level, begin: int, known: Mapping[int, float] = _NOTHING
) -> tuple[int, int]:
    """Two qualities next to each other, or the same twice.

    Equal: there the measure is in the window. Else the window is between them, and they are the
    last quality below it and the first above it; 0 and 101 stand for there being none. ``known``
    is what was measured before; where there is any of it, ``begin`` does not count.
    """
    low, high = LOWEST - 1, HIGHEST + 1
    seen = dict(known)
    for quality, found in seen.items():
        if level.least <= found < level.most:
            return quality, quality
        if found < level.least:
            low = max(low, quality)
        else:
            high = min(high, quality)
    while high - low > 1:
        quality = _next(seen, level, low, high) if seen else begin
        seen[quality] = found = measure(quality)
        if level.least <= found < level.most:
            return quality, quality
        if found < level.least:
            low = quality
        else:
            high = quality
    return low, high


def bounded(quality: float) -> int:
    """The nearest quality that there is."""
    return max(LOWEST, min(HIGHEST, round(quality)))


def _next(seen: Mapping[int, float], level: Level, low: int, high: int) -> int:
    aim = (level.least + level.most) / 2
    between = low in seen and high in seen
    if between and len(seen) > _PATIENCE:
        guess = (low + high) / 2
    elif between:
        guess = low + (aim - seen[low]) * (high - low) / (seen[high] - seen[low])
    else:
        nearest = low if low in seen else high
        guess = nearest + (aim - seen[nearest]) / _slope(seen, level, nearest)
    return max(low + 1, min(high - 1, round(guess)))


def _slope(seen: Mapping[int, float], level: Level, nearest: int) -> float:
    """Of a step, near the end of what was seen: as it was from the one before, within reason."""
    others = sorted(seen.keys() - {nearest}, key=lambda quality: abs(quality - nearest))
    if not others:
        return level.a_step
    found = (seen[nearest] - seen[others[0]]) / (nearest - others[0])
    return max(level.a_step / 3, min(level.a_step * 3, found))
