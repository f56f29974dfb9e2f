from __future__ import annotations

import pytest

from imagelane.report import wording


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0, "0.0 ms"),
        (0.00081, "0.8 ms"),
        (0.0421, "42 ms"),
        (0.9996, "1.00 s"),
        (3.214, "3.21 s"),
        (9.996, "10.0 s"),
        (59.96, "1 min 00 s"),
        (125.2, "2 min 05 s"),
        (3599.9, "1 h 00 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_seconds(value: float, says: str) -> None:
    assert wording.seconds(value) == says


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (2_131_000, "2.1 MB"),
        (7.5e9, "7.5 GB"),
        (3.2e15, "3,200.0 TB"),
    ],
)
def test_sizes(value: float, says: str) -> None:
    assert wording.size(value) == says


@pytest.mark.parametrize(
    ("value", "says"),
    [(0, "0 %"), (0.001, "< 1 %"), (0.5, "50 %"), (0.999, "> 99 %"), (1, "100 %")],
)
def test_a_part_never_reads_as_nothing_or_as_the_whole(value: float, says: str) -> None:
    assert wording.share(value) == says


@pytest.mark.parametrize(
    ("value", "says"), [(0, "-"), (0.2, "12.0/min"), (6.21, "6.2/s"), (1234, "1,234/s")]
)
def test_rates(value: float, says: str) -> None:
    assert wording.rate(value) == says


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (3, "a few seconds"),
        (42, "about 40 s"),
        (100, "about 2 min"),
        (8000, "about 2 h 15 min"),
        (90_000, "about 25 h"),
    ],
)
def test_estimates_are_no_more_exact_than_they_can_be(value: float, says: str) -> None:
    assert wording.about(value) == says


def test_counts_agree_with_their_noun() -> None:
    assert wording.count(1, "gallery", "galleries") == "1 gallery"
    assert wording.count(0, "image") == "0 images"
    assert wording.count(12_345, "gallery", "galleries") == "12,345 galleries"


def test_a_stopwatch_counts_up() -> None:
    assert [wording.stopwatch(one) for one in (0, 7.9, 760, 10_931)] == [
        "0:00",
        "0:07",
        "12:40",
        "3:02:11",
    ]
