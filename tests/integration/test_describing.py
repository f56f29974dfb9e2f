"""Users' functions are looked at in a process of its own, one for a whole pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagelane.wiring import describing
from imagelane.wiring.describing import describing as looking

GOOD = """\
import os
from imagelane import Source, stage

print("hello from the module", os.getpid())

@stage(waits=True, version=str(os.getpid()))
def one(source: Source) -> None: ...

@stage(waits=True, version=str(os.getpid()))
def two(source: Source, *, depth: int = 3) -> None: ...
"""


def test_all_functions_are_looked_at_by_one_process(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    with looking() as look:
        one = look("good:one", {}, tmp_path)
        two = look("good:two", {"depth": 5}, tmp_path)
    assert (one.errors, two.errors) == ((), ())
    assert two.parameters == {"depth": 5}
    assert one.traits.version == two.traits.version, "it tells the process that looked"


def test_a_module_that_ends_its_process_is_told_of_and_the_next_one_is_looked_at(
    tmp_path: Path,
) -> None:
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    ending = "import os, sys\nprint('no licence found', file=sys.stderr, flush=True)\nos._exit(3)\n"
    (tmp_path / "ending.py").write_text(ending, encoding="utf-8")
    with looking() as look:
        ((_, text),) = look("ending:it", {}, tmp_path).errors
        assert text == "ending:it cannot be looked at: no licence found"
        assert look("good:one", {}, tmp_path).errors == ()


def test_a_module_that_takes_too_long_is_told_of_and_the_next_one_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(600)\n", encoding="utf-8")
    with looking() as look:
        assert look("good:one", {}, tmp_path).errors == ()
        monkeypatch.setattr(describing, "PATIENCE", 0.3)
        ((_, text),) = look("slow:it", {}, tmp_path).errors
        assert "looking at slow:it took more than 0.3 s" in text
        monkeypatch.undo()
        assert look("good:two", {}, tmp_path).errors == ()
