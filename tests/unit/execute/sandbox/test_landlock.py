from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from imagelane.execute.sandbox import landlock
from imagelane.execute.sandbox.landlock import lacking

SRC = Path(landlock.__file__).parents[3]


@pytest.mark.parametrize(
    ("abi", "files", "tcp", "signals"),
    [(7, True, True, True), (4, True, True, False), (2, True, False, False), (1, *[False] * 3)],
)
def test_layers_by_the_kernels_abi(
    monkeypatch: pytest.MonkeyPatch, abi: int, files: bool, tcp: bool, signals: bool
) -> None:
    monkeypatch.setattr(landlock, "call", lambda *_: abi)
    assert [not lacking(layer) for layer in ("files", "tcp", "signals")] == [files, tcp, signals]
    assert files or "ABI 1" in lacking("files")


def test_kernels_without_landlock_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EOPNOTSUPP, "landlock_create_ruleset")

    monkeypatch.setattr(landlock, "call", refuse)
    assert "no Landlock (Operation not supported)" in lacking("files")


def _run(code: str, *arguments: Path) -> str:
    if lack := lacking("files"):
        pytest.skip(lack)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_was_open_stays_readable_and_nothing_else_is(tmp_path: Path) -> None:
    for name in ("own", "other"):
        (tmp_path / name).write_text(name)
    code = """
import sys
from imagelane.execute.sandbox.landlock import READ, apply
own = open(sys.argv[1])
apply([("/nowhere/at/all", READ)])
print(own.read())
for path in sys.argv[1:]:
    try:
        print(open(path).read())
    except PermissionError:
        print("refused")
"""
    assert _run(code, tmp_path / "own", tmp_path / "other").split() == ["own", "refused", "refused"]


def test_a_process_with_several_threads_is_not_half_bound() -> None:
    code = """
import threading
from imagelane.execute.sandbox.landlock import apply
threading.Thread(target=threading.Event().wait, daemon=True).start()
try:
    apply([])
except OSError as error:
    print(error)
open("/etc/passwd").close()
"""
    assert "found 2 threads" in _run(code)
