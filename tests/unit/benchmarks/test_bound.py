"""The bound that the reference gallery is measured against."""

from __future__ import annotations

import pytest

from benchmarks.reference_gallery import Waiting, bound, moderated, straight


def test_seven_stages_share_ten_places() -> None:
    least, why = bound(straight(0.5), 50, {"work": 10})
    assert least == pytest.approx(17.5)
    assert why == "pool work: 10"


def test_slow_moderation_sets_the_bound() -> None:
    """50 images, 5 at once, 2 s each; validation before the first, store and publish after."""
    least, why = bound(moderated(0.5, 2.0, 5), 50, {"work": 10, "io": 16})
    assert least == pytest.approx(0.5 + 20 + 1.0)
    assert why == "moderate: 5 workers"


def test_a_single_image_takes_its_longest_way() -> None:
    least, why = bound(straight(0.5), 1, {"work": 10})
    assert least == pytest.approx(3.5)
    assert why == "one image"


def test_a_last_round_that_is_not_full_counts_whole() -> None:
    least, _ = bound([Waiting("one", 1.0, workers=4)], 9, {"work": 100})
    assert least == pytest.approx(3.0)
