"""Python code in a process of its own, which a test may kill."""

from __future__ import annotations

import os
import subprocess
import sys


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process that executes the code, its output to be read while it runs."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The same, waited for."""
    with start(code, *arguments) as process:
        try:
            out, err = process.communicate(timeout=120)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
