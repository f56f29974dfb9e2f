from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.advise.scaling import amdahl, best_at_once, fit, line, speed_up
from imagelane.model.profile import Level, Scaling


def curve(scaling: Scaling, alone: float, at_once: list[int]) -> list[Level]:
    return [Level(n, alone * scaling.slowdown(n), 50) for n in at_once]


@given(
    contention=st.floats(0.05, 0.95),
    coherency=st.floats(0.001, 0.1),
    alone=st.floats(1e-3, 1e3),
)
def test_a_law_is_found_again_from_points_on_it(
    contention: float, coherency: float, alone: float
) -> None:
    found = fit(curve(Scaling(contention, coherency), alone, [1, 2, 4, 8]))
    assert found.contention == pytest.approx(contention, abs=1e-4)
    assert found.coherency == pytest.approx(coherency, abs=1e-4)


def test_levels_are_told_as_multiples_of_what_one_takes_alone() -> None:
    found = fit(curve(Scaling(0.5, 0.0), 0.2, [1, 2, 4]))
    assert [level.ratio for level in found.levels] == pytest.approx([1.0, 1.5, 2.5])


def test_a_queue_is_contention_and_no_more() -> None:
    found = fit(curve(Scaling(1.0, 0.0), 1.0, [1, 2]))
    assert (found.contention, found.coherency) == pytest.approx((1.0, 0.0), abs=1e-6)


def test_a_queue_whose_handing_over_costs_is_worse_than_a_queue() -> None:
    """Two at once take 2.4 times as long each: from then on it gets slower, by a little."""
    found = fit([Level(1, 1.0, 50), Level(2, 2.4, 50)])
    assert found.contention == 1.0
    assert found.coherency == pytest.approx(0.2)
    assert best_at_once(found) == 1


def test_noise_is_no_slowdown() -> None:
    draw = random.Random(7)
    for _ in range(200):
        levels = [Level(n, 1 + draw.gauss(0, 0.02), 50) for n in (1, 2, 4)]
        found = fit(levels, [0.02, 0.02, 0.02])
        assert found.slowdown(4) < 1.25
    found = fit([Level(1, 1.0, 50), Level(2, 1.02, 50)], [0.01, 0.01])
    assert found.slowdown(16) == 1


def test_what_was_never_in_company_says_nothing_of_it() -> None:
    found = fit([Level(1.0, 1.0, 50), Level(1.1, 3.0, 50)])
    assert found.slowdown(8) == 1


def test_the_best_number_is_where_the_law_has_its_peak() -> None:
    scaling = Scaling(0.03, 0.0004)
    best = best_at_once(scaling)
    assert best == round(math.sqrt((1 - 0.03) / 0.0004)) or best == math.floor(
        math.sqrt((1 - 0.03) / 0.0004)
    )
    assert speed_up(scaling, best) >= max(speed_up(scaling, n) for n in range(1, 200))


def test_without_contention_more_is_always_better() -> None:
    assert best_at_once(Scaling(), most=64) == 64
    assert speed_up(Scaling(), 64) == 64


def test_amdahl() -> None:
    assert amdahl(0.1) == pytest.approx(10)
    assert amdahl(0.5, 2) == pytest.approx(1 / 0.75)
    assert amdahl(0.0) == math.inf
    with pytest.raises(ValueError, match="expected one from 0 to 1"):
        amdahl(1.5)


def test_the_law_with_contention_alone_is_amdahls() -> None:
    for n in (1, 2, 7, 100):
        assert speed_up(Scaling(0.2), n) == pytest.approx(amdahl(0.2, n))


def test_a_line_through_points() -> None:
    assert line([(1.0, 3.0), (2.0, 5.0), (3.0, 7.0)]) == pytest.approx((1.0, 2.0))
    assert line([(1.0, 3.0), (2.0, 2.0)]) == pytest.approx((2.5, 0.0))
    assert line([(5.0, 3.0)]) == pytest.approx((3.0, 0.0))
    at_zero, slope = line([(1.0, 0.1), (10.0, 10.0)])
    assert at_zero >= 0
    assert slope > 0
