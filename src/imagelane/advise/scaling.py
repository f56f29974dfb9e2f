"""Laws of scaling: fitted to measurements, and what they allow at most.

The Universal Scalability Law: N. J. Gunther, *Guerrilla Capacity Planning*, 2007, chapter 4. With
contention only, it is Amdahl's law (AFIPS 1967).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from imagelane.model.profile import Level, Scaling

MOST = 4096
"""Beyond so many at once nobody looks for the best."""
SURE = 2.0
"""Standard errors from which a slowdown is told from noise ..."""
LEAST = 0.03
"""... and the slowdown of the largest level below which it is none in any case."""


def fit(levels: Sequence[Level], errors: Sequence[float] = ()) -> Scaling:
    """The law that fits times at several levels best.

    ``ratio`` of the levels may be in any unit: what one takes alone is fitted, too. ``errors`` are
    the standard errors of the ratios, which weigh them; without any, all weigh by their counts.
    Where no slowdown can be told from the noise there is none.
    """
    known = [level for level in levels if level.count and level.ratio > 0]
    if not known:
        return Scaling()
    spread = [error for level, error in zip(levels, errors, strict=False) if level in known]
    weights = [1 / max(error, 1e-4) ** 2 for error in spread] or [
        float(level.count) for level in known
    ]
    most = max(level.at_once for level in known)
    if most - min(level.at_once for level in known) < 0.25:
        return Scaling(levels=_relative(known, 1.0))
    alone, contention, coherency = _least_squares(known, weights)
    found = Scaling(contention, coherency)
    error = _error(known, weights, found, alone, measured=bool(spread))
    slowdown = found.slowdown(most) - 1
    if slowdown < LEAST or slowdown < SURE * error * (most - 1):
        mean = sum(w * one.ratio for w, one in zip(weights, known, strict=True)) / sum(weights)
        return Scaling(error=error, levels=_relative(known, mean))
    return Scaling(contention, coherency, error, _relative(known, alone))


def _relative(levels: Sequence[Level], alone: float) -> tuple[Level, ...]:
    return tuple(Level(one.at_once, one.ratio / alone, one.count) for one in levels)


def _least_squares(levels: Sequence[Level], weights: Sequence[float]) -> tuple[float, float, float]:
    """(alone, contention, coherency), none of them negative, with contention at most 1.

    The law is linear in alone, alone × contention and alone × coherency. Every choice of those that
    are 0, or of a contention that is 1, is tried; where two fit alike, the one that says less of
    what was not measured.
    """
    one = [1.0] * len(levels)
    more = [level.at_once - 1 for level in levels]
    each = [level.at_once * (level.at_once - 1) for level in levels]
    together = [level.at_once for level in levels]
    values = [level.ratio for level in levels]
    best, found = math.inf, (values[0], 0.0, 0.0)
    for columns, law in (
        ([one], lambda a: (a, 0.0, 0.0)),
        ([one, more], lambda a, s: (a, s / a, 0.0)),
        ([together, each], lambda a, k: (a, 1.0, k / a)),
        ([one, each], lambda a, k: (a, 0.0, k / a)),
        ([one, more, each], lambda a, s, k: (a, s / a, k / a)),
    ):
        solved = _solve(list(zip(*columns, strict=True)), values, weights)
        if solved is None or solved[0] <= 0 or min(solved) < 0:
            continue
        alone, contention, coherency = law(*solved)
        if contention > 1:
            continue
        law_says = Scaling(contention, coherency)
        away = sum(
            weight * (level.ratio - alone * law_says.slowdown(level.at_once)) ** 2
            for level, weight in zip(levels, weights, strict=True)
        )
        if away < best * 0.999 - 1e-12:
            best, found = away, (alone, contention, coherency)
    return found


def _error(
    levels: Sequence[Level],
    weights: Sequence[float],
    found: Scaling,
    alone: float,
    *,
    measured: bool,
) -> float:
    """The standard error of the slope in ``at_once``, relative to what one takes alone."""
    total = sum(weights)
    mean = sum(w * one.at_once for w, one in zip(weights, levels, strict=True)) / total
    spread = sum(w * (one.at_once - mean) ** 2 for w, one in zip(weights, levels, strict=True))
    if spread <= 0:
        return math.inf
    if measured:
        return 1 / math.sqrt(spread) / alone
    away = sum(
        weight * (one.ratio - alone * found.slowdown(one.at_once)) ** 2
        for weight, one in zip(weights, levels, strict=True)
    )
    return math.sqrt(away / max(1, len(levels) - 2) / spread) / alone


def _solve(
    rows: Sequence[Sequence[float]], values: Sequence[float], weights: Sequence[float]
) -> list[float] | None:
    """Weighted least squares by the normal equations; None where they have no one answer."""
    size = len(rows[0])
    system = [
        [
            *(
                sum(w * row[i] * row[j] for row, w in zip(rows, weights, strict=True))
                for j in range(size)
            ),
            sum(w * row[i] * v for row, v, w in zip(rows, values, weights, strict=True)),
        ]
        for i in range(size)
    ]
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(system[k][i]))
        if abs(system[pivot][i]) < 1e-12 * max(1.0, abs(system[0][0])):
            return None
        system[i], system[pivot] = system[pivot], system[i]
        for k in range(size):
            if k != i:
                share = system[k][i] / system[i][i]
                system[k] = [a - share * b for a, b in zip(system[k], system[i], strict=True)]
    return [system[i][size] / system[i][i] for i in range(size)]


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(at 0, slope) of the least-squares line through points, neither of them negative."""
    if not points:
        return 0.0, 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
    slope = min(max(0.0, slope), mean_y / mean_x if mean_x > 0 else 0.0)
    return mean_y - slope * mean_x, slope


def speed_up(scaling: Scaling, at_once: int) -> float:
    """How many times as much gets done with so many at once as with one."""
    return at_once / scaling.slowdown(at_once)


def best_at_once(scaling: Scaling, most: int = MOST) -> int:
    """With how many at once most gets done: past that, more of it is slower."""
    if scaling.coherency > 0:
        peak = math.sqrt(max(0.0, 1 - scaling.contention) / scaling.coherency)
        near = (max(1, math.floor(peak)), max(1, math.ceil(peak)))
        return min(most, max(near, key=lambda n: speed_up(scaling, n)))
    return 1 if scaling.contention >= 1 else most


def amdahl(serial: float, at_once: float = math.inf) -> float:
    """The largest speed-up where a share ``serial`` of the work is done one after the other."""
    if not 0 <= serial <= 1:
        raise ValueError(f"found a share of {serial}; expected one from 0 to 1")
    parallel = 0.0 if math.isinf(at_once) else (1 - serial) / at_once
    return math.inf if serial + parallel == 0 else 1 / (serial + parallel)
