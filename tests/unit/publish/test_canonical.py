from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.publish.canonical import LARGEST, canonical

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_is_json_that_says_the_same(value: Any) -> None:
    data = canonical(value)
    assert json.loads(data) == value
    assert canonical(json.loads(data)) == data


@given(st.dictionaries(st.text(), st.integers(0, 9)))
def test_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


def test_example_of_rfc_8785() -> None:
    # Section 3.2.3: sorted by UTF-16 code units, so the emoji (D83D…) stands before U+FB33.
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    found = json.loads(canonical(dict.fromkeys(names, 0)), object_pairs_hook=list)
    assert [name for name, _ in found] == [
        "\r",
        "1",
        "\u0080",
        "\u00f6",
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]
    # Section 3.2.2.2: short escapes where they exist, lower-case hexadecimal, no escaped solidus.
    assert canonical('\u20ac$\x0f\nA\'B"\\\\"/') == b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'


@pytest.mark.parametrize("value", [0.5, 1.0, float("nan"), {1: 2}, {"a": object()}, b"bytes"])
def test_what_has_no_single_form_is_refused(value: object) -> None:
    with pytest.raises((TypeError, AttributeError)):
        canonical(value)


@pytest.mark.parametrize("value", [LARGEST + 1, -LARGEST - 1])
def test_integer_that_javascript_rounds_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="every reader keeps exact"):
        canonical(value)
