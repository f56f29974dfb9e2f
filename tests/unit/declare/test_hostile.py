"""faults.md 29: whatever stands in a pipeline file, one error says what is wrong with it."""

from __future__ import annotations

import contextlib
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelane.declare.load import parse
from imagelane.declare.problems import DeclarationError
from imagelane.declare.stages import CATALOGUE

from .conftest import GALLERY, describe


def ask(text: str) -> None:
    """Nothing but a well-formed `DeclarationError` may come out."""
    try:
        parse(text, "x.yaml", Path("/"), describe)
    except DeclarationError as error:
        caught = error
    else:
        return
    message = str(caught)
    seen = {unicodedata.category(c) for c in message if c != "\n"}
    assert not seen & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(message) < 100_000
    assert caught.problems
    for problem in caught.problems:
        assert problem.found
        assert problem.location is not None


WORDS = [
    *["pipeline", "images", "stages", "run", "from", "group", "order", "primary", "pattern"],
    *["column", "needs", "takes", "uses", "with", "scope", "gate", "retry", "timeout", "pool"],
    *["workers", "on_failure"],
    *CATALOGUE,
    "<<",
    "&a",
    "*a",
    "!!int",
    "!x",
    "---",
    "? ",
    "- ",
    ": ",
    ", ",
    "{",
    "}",
    "[",
    "]",
    "#",
    "|",
    ">",
    "'",
    '"',
    "\\",
    "%",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    "1",
    "-1",
    "0x1",
    "1e999",
    ".nan",
    "~",
    "{copyright}",
    "\x00",
    "\u2028",
    "\ufeff",
    "\U0001f4f7",
]


@settings(deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    ask(text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map("".join))
def test_any_yaml(text: str) -> None:
    ask(text)


@settings(deadline=None)
@given(st.integers(0, len(GALLERY)), st.integers(0, 30), st.text(max_size=5))
def test_a_good_file_with_something_else_in_it(start: int, length: int, text: str) -> None:
    ask(GALLERY[:start] + text + GALLERY[start + length :])


@settings(deadline=None)
@given(st.integers(0, len(GALLERY)))
def test_a_file_cut_off(end: int) -> None:
    ask(GALLERY[:end])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON, JSON, JSON, JSON)
def test_any_values_in_the_right_places(images: Any, stage: Any, given: Any, run: Any) -> None:
    for kind in CATALOGUE:
        stages = {kind: stage, "b": {"uses": kind, "with": given, "needs": kind}}
        value = {"pipeline": "p", "images": images, "stages": stages, "run": run}
        with contextlib.suppress(UnicodeEncodeError):
            ask(json.dumps(value))


HEAD = "pipeline: p\nimages: {from: a}\nstages:\n"


def _stages(count: int, needs: Callable[[int], list[str]]) -> str:
    lines = [f"  s{n}: {{uses: metadata, needs: [{', '.join(needs(n))}]}}" for n in range(count)]
    return HEAD + "\n".join(lines)


LARGE = {
    "needs of nothing": _stages(480, lambda n: [f"x{n}y{m}" for m in range(35)]),
    "a dense graph": _stages(480, lambda n: [f"s{m}" for m in range(max(0, n - 35), n)]),
    "dense circles": _stages(480, lambda n: [f"s{(n * 7 + m * 13) % 480}" for m in range(35)]),
    "unknown keys": HEAD + "  thumbnails: {" + ", ".join(f"k{n}: 1" for n in range(19_000)) + "}",
    "a long list": HEAD + f"  thumbnails: {{with: {{widths: [{'aa, ' * 19_000}]}}}}",
    "no stages at all": HEAD + "\n".join(f"  s{n}: 1" for n in range(10_000)),
    "one long line of fields": HEAD
    + f"  watermark: {{with: {{text: '{''.join(f'{{a{n}}}' for n in range(1600))}'}}}}",
    "a deep pattern": f"pipeline: p\nimages: {{from: a, group: {{pattern: '{'(' * 9000}'}}}}\n",
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.timeout(60)
def test_large_files_are_answered_soon(name: str) -> None:
    """Each took minutes where a check was quadratic, or worse."""
    ask(LARGE[name])
