from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imagelane.adapters.sources.natural import by_folder, by_name, by_number

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)


def test_numbers_are_in_order_of_their_value() -> None:
    names = ["img2", "img10", "img9", "img1", "img010", "img", "IMG3", "img-1", "img99999999999"]
    assert sorted(names, key=by_number) == [
        "img",
        "img-1",
        "img1",
        "img2",
        "IMG3",
        "img9",
        "img10",
        "img010",
        "img99999999999",
    ]


def test_dates_and_versions_are_in_order() -> None:
    names = ["2024-10-01", "2024-9-30", "v1.10", "v1.9"]
    assert sorted(names, key=by_number) == ["2024-9-30", "2024-10-01", "v1.9", "v1.10"]


def test_name_stands_before_longer_ones_whatever_its_ending() -> None:
    names = ["a-2.jpg", "a.png", "a 1.jpg", "a.jpg", "b", "ab.jpg"]
    assert sorted(names, key=by_name) == ["a.jpg", "a.png", "a 1.jpg", "a-2.jpg", "ab.jpg", "b"]


def test_folders_stand_before_what_is_in_them_and_their_neighbours() -> None:
    paths = ["2024 b", "2024/10", "2024/9/x", "2024", "2024/9"]
    assert sorted(paths, key=by_folder) == ["2024", "2024/9", "2024/9/x", "2024/10", "2024 b"]


def test_unicode_form_and_case_do_not_count() -> None:
    assert by_number("Caf\u00e9") == by_number("cafe\u0301") == by_number("CAFE\u0301")


@given(st.integers(0, 10**30), st.integers(0, 10**30), texts)
def test_any_two_numbers_compare_by_value(first: int, second: int, before: str) -> None:
    lead = before.rstrip("0123456789") + "x"
    keys = by_number(f"{lead}{first}"), by_number(f"{lead}{second}")
    assert (keys[0] < keys[1]) == (first < second)


@given(texts)
def test_every_text_has_a_key(text: str) -> None:
    assert isinstance(by_name(text) + by_folder(text), bytes)


def test_very_long_numbers_have_a_key() -> None:
    assert by_number("9" * 100_000) > by_number("9" * 1000)
