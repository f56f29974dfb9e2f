from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.report.clean import clip, fit, left, right, visible, width

EVERYTHING = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("harbour.jpg", "harbour.jpg"),
        ("\x1b[2J\x1b]0;x\x07", "␛[2J␛]0;x␇"),
        ("a\x00b", "a␀b"),
        ("\x7f\x9b31m", "␡[U+009B]31m"),
        ("gpj.\u202eexe", "gpj.[U+202E]exe"),
        ("\u2066\u200f\ufeff\u00ad", "[U+2066][U+200F][U+FEFF][U+00AD]"),
        ("two\nlines\ttab\r", "two␊lines␉tab␍"),
        ("caf\udce9.jpg", "caf[U+DCE9].jpg"),
        ("\ue000\U000e0041\uffff", "[U+E000][U+E0041][U+FFFF]"),
        ("Zürich 東京 👩\u200d🚀 क्\u200dष", "Zürich 東京 👩\u200d🚀 क्\u200dष"),
    ],
)
def test_control_characters_are_shown_instead_of_obeyed(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines_are_kept_where_they_are_asked_for() -> None:
    assert visible("a\r\n\tb\x1b", lines=True) == "a\n    b␛"


@given(EVERYTHING)
def test_nothing_shown_can_move_a_cursor_hide_or_turn_the_line_round(text: str) -> None:
    shown = visible(text)
    joiners = {"\u200c", "\u200d"}
    categories = {unicodedata.category(one) for one in shown if one not in joiners}
    assert not categories & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    shown.encode()


@given(EVERYTHING)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(EVERYTHING, st.integers(0, 60))
def test_text_fits_and_fills_its_columns(text: str, columns: int) -> None:
    text = visible(text)
    assert width(fit(text, columns)) <= columns
    assert width(left(text, columns)) == width(right(text, columns)) == columns


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    assert fit("a-very-long-series-of-names-0042.jpg", 17) == "a-very-l…0042.jpg"
    assert fit("東京タワーの夜景写真集", 9) == "東京…真集"


def test_a_long_sentence_keeps_its_beginning() -> None:
    assert clip("this is a Photoshop document: expected jpeg", 20) == "this is a Photoshop…"
    assert clip("short", 5) == "short"
    assert clip("anything", 0) == ""
