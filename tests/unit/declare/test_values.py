"""Sizes, durations, shares and colours as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from imagelane.declare import values


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("500ms", 0.5), ("10m", 600), ("1h", 3600), ("1.5 h", 5400), (2, 2), (0.1, 0.1)],
)
def test_durations(text: Any, seconds: float) -> None:
    assert values.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("200MB", 200_000_000),
        ("2GiB", 2**31),
        ("1.5 kB", 1500),
        ("10B", 10),
        ("1KiB", 1024),
        (7, 7),
    ],
)
def test_sizes(text: Any, count: int) -> None:
    assert values.byte_count(text) == count


@pytest.mark.parametrize(
    ("text", "share"), [("90%", 0.9), ("12.5 %", 0.125), (0, 0), (1, 1), (0.3, 0.3), ("7%", 0.07)]
)
def test_shares(text: Any, share: float) -> None:
    assert values.fraction(text) == share


@pytest.mark.parametrize(
    ("text", "colour"), [("#FFF", "#ffffff"), ("#a0B1c2", "#a0b1c2"), ("#012", "#001122")]
)
def test_colours(text: str, colour: str) -> None:
    assert values.hex_colour(text) == colour


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (
            values.seconds,
            ["", "10", "10 sec", "-1s", "0s", 0, -1, True, None, [], "1e3s", "9" * 30],
        ),
        (values.byte_count, ["", "10", "10 MBit", "-1B", 0, 1.5, True, None, "9" * 30 + "B"]),
        (values.fraction, ["", "90", "101%", "-1%", 1.1, -0.1, True, None, float("nan")]),
        (values.hex_colour, ["", "fff", "#ffff", "#ggg", "white", None, 0xFFFFFF, "#fff\n"]),
        (values.template_text, ["", "{", "a {}", None, 1, {"copyright": None}, "x" * 10_001]),
    ],
)
def test_what_they_are_not(read: Any, wrong: list[Any]) -> None:
    for value in wrong:
        with pytest.raises(PydanticCustomError):
            read(value)


@settings(deadline=None)
@given(st.text(max_size=30) | st.integers() | st.floats() | st.booleans() | st.none())
def test_any_value_is_read_or_refused(value: Any) -> None:
    for read in (values.seconds, values.byte_count, values.fraction, values.hex_colour):
        try:
            result = read(value)
        except PydanticCustomError:
            continue
        assert result or value in {0, "0%"} or read is values.fraction
