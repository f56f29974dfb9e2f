"""Each test that a guarantee leans on is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "guarantees.md").read_text(encoding="utf-8")
TESTS = re.findall(r"^- `([\w/.]+)::(\w+)`$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("file", "name"), TESTS, ids=[name for _, name in TESTS])
def test_it_is_there(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^\s*def {name}\(", text, re.MULTILINE), f"{file} has no {name}"


@pytest.mark.parametrize("section", re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:])
def test_every_guarantee_leans_on_one(section: str) -> None:
    assert re.search(r"^- `[\w/.]+::\w+`$", section, re.MULTILINE), section.partition("\n")[0]
