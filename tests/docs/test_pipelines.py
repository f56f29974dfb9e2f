"""Whole pipeline files in the documentation are accepted as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagelane.cli import failures
from imagelane.declare.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
FILES = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for number, text in enumerate(
        re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    )
    if re.search(r"^pipeline:", text, re.MULTILINE)
]


@pytest.mark.parametrize("text", FILES)
def test_it_is_accepted(text: str, tmp_path: Path) -> None:
    (tmp_path / "gallery.yaml").write_text(text, encoding="utf-8")
    assert Pipeline.from_file(tmp_path / "gallery.yaml").name


def test_there_are_some() -> None:
    assert len(FILES) >= 3


def test_every_exit_code_is_described() -> None:
    page = (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    described = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert described == {
        value for name, value in vars(failures).items() if name.isupper() and type(value) is int
    }
