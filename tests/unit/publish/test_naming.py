from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagelane.publish.naming import MOST_BYTES, distinct, folded, safe, shown, slug, stem

anything = st.text(st.characters(codec=None, exclude_categories=())) | st.text("./\\-~ \n\u202ea")


@given(anything)
@example("con" + "x" * 200)
@example("\u0301\u200b" * 80)
def test_safe_name_is_one_that_every_file_system_takes(text: str) -> None:
    name = safe(text, "image")
    assert 0 < len(name.encode()) <= MOST_BYTES
    assert not set(name) & set('/\\<>:"|?*\0')
    assert not name.startswith((".", "-", "~", " "))
    assert not name.endswith((".", " "))
    assert name.isprintable() or {"\u200c", "\u200d"} & set(name) or _private(name)
    assert unicodedata.is_normalized("NFC", name)
    assert safe(name, "image") == name


def _private(name: str) -> bool:
    return any(unicodedata.category(one) in {"Co", "Cn"} for one in name)


@given(anything)
def test_slug_has_no_blanks(text: str) -> None:
    assert re.fullmatch(r"\S+", slug(text))
    assert slug(slug(text)) == slug(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("harbour.jpg", "harbour"),
        ("IMG 1 (2).JPG", "IMG 1 (2)"),
        ("Cafe\u0301 am See.heic", "Café am See"),
        ("../../etc/passwd", "image"),
        ("..", "image"),
        ("", "image"),
        (".jpg", "jpg"),
        ("no ending", "no ending"),
        ("-rf.jpg", "rf"),
        ("CON.jpg", "_CON"),
        ("lpt1.tar.gz", "_lpt1.tar"),
        ("line\nbreak.jpg", "line break"),
        ("gpj.\u202egnp.exe", "gpj.gnp"),
        ("undecodable \udcff.jpg", "undecodable _"),
        ("日本.png", "日本"),
    ],
)
def test_stems_are_those_that_a_person_would_choose(name: str, expected: str) -> None:
    assert stem(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("harbour", "harbour"),
        ("2024/Harbour Day", "2024-Harbour-Day"),
        ("SKU100", "SKU100"),
        ("  ", "group"),
        ("../..", "group"),
        (".versions", "versions"),
        ("Index.JSON", "_Index.JSON"),
    ],
)
def test_slugs_are_those_that_a_person_would_choose(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(st.lists(st.sampled_from(["a", "A", "a-2", "a-3", "e\u0301", "é", "ß", "ss", "x" * 100])))
def test_distinct_names_are_distinct_on_every_file_system(names: list[str]) -> None:
    used: dict[str, int] = {}
    given_out = [distinct(unicodedata.normalize("NFC", name), used) for name in names]
    assert len({folded(name) for name in given_out}) == len(names)
    assert all(len(name.encode()) <= MOST_BYTES for name in given_out)


def test_numbering_many_equal_names_takes_no_search() -> None:
    used: dict[str, int] = {}
    names = [distinct("main", used) for _ in range(20_000)]
    assert names[0] == "main"
    assert names[1] == "main-2"
    assert names[-1] == "main-20000"


def test_shown_text_can_be_encoded() -> None:
    assert shown("a\udcff\ud800b\u202e") == "a\ufffd\ufffdb\u202e"
