"""Every word of the glossary that claims a place in the code has it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"
ROWS = re.findall(
    r"^\| ([a-z ]+) \| .* \| `([\w.]+):([\w.]+)` \|$", GLOSSARY.read_text(), re.MULTILINE
)


@pytest.mark.parametrize(
    ("module", "name"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_the_code_has_the_word(module: str, name: str) -> None:
    found = importlib.import_module(module)
    first, *rest = name.split(".")
    value = getattr(found, first)
    for part in rest:
        # A field of a dataclass is no attribute of its class; a member or a method is.
        fields = getattr(value, "__dataclass_fields__", {})
        assert part in fields or hasattr(value, part), f"{module}:{name} has no {part}"
        value = getattr(value, part, None)


def test_every_row_of_the_glossary_was_read() -> None:
    written = re.findall(r"^\| .*`imagelane\..*$", GLOSSARY.read_text(), re.MULTILINE)
    assert len(ROWS) == len(written) > 40


def test_words_are_in_it_once() -> None:
    words = [row[0] for row in ROWS]
    assert len(words) == len(set(words))
