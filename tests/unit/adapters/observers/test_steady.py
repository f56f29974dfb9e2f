from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from imagelane.adapters.observers.steady import Steady

PLAYED = """
import sys
from imagelane.adapters.observers.{module} import {name}
from tests.unit.report.made_up import Recipe
from tests.unit.report.playing import play
state = play(Recipe({{f"g{{n}}": 30 for n in range(20)}}), {name}(sys.{stream}))
assert state.received == 600
open(sys.argv[1], "w").write("survived")
"""
ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("module", "name", "stream"),
    [("console", "Console", "stderr"), ("jsonlines", "JsonLines", "stdout")],
)
def test_a_closed_pipe_never_ends_a_run(
    module: str, name: str, stream: str, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    script = PLAYED.format(module=module, name=name, stream=stream)
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "witness")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        **{stream: writing},  # type: ignore[call-overload]
    )
    os.close(writing)
    assert os.read(reading, 10)
    os.close(reading)
    assert process.wait(timeout=120) == 0
    assert (tmp_path / "witness").read_text() == "survived"


def test_a_full_disk_behind_a_redirection_is_no_error() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123 -- a device
        steady = Steady(full)
        steady.line("x" * 100_000)
        assert steady.broken
        steady.line("and on it goes")


def test_what_the_encoding_lacks_is_replaced() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Steady(stream).line("━━ harbour ␛")
    assert raw.getvalue() == b"?? harbour ?\n"


def test_a_stream_that_was_closed_is_silent() -> None:
    stream = io.StringIO()
    stream.close()
    steady = Steady(stream)
    steady.line("hello")
    assert steady.broken
    assert not steady.isatty()
