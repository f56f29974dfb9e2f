"""The Python programs in the documentation run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SRC, Paint

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "python.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_program(number: int, tmp_path: Path, paint: Paint) -> None:
    program = PROGRAMS[number]
    paint(tmp_path / "photos" / "quay" / "boat.jpg")
    if "run(" not in program:
        program = f"{program}\nfrom imagelane import run\nrun(gallery)\n"
    # Worker processes are spawned, which starts a script's file again: hence the guard.
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SRC)},
        check=True,
        timeout=120,
    )
    assert (tmp_path / "public" / "quay" / "boat-480.jpg").exists() or (
        tmp_path / "public" / "quay" / "boat-large-480.jpg"
    ).exists()
