"""Where the time of the photograph run goes: ``make bench ARGS=profile``.

py-spy looks at all its processes a hundred times a second, at C and Rust as well. A flame graph is
written, and the functions that took most are printed. Without the sandbox, which would keep py-spy
out; what that costs stands in RESULTS.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.measure import BenchmarkError
from benchmarks.photo_workload import PIPELINE, empty
from benchmarks.photographs import ROOT, SIZES, derive
from benchmarks.results import table

INTO = ROOT / "build"
SHOWN = 25


def profile(origins: Sequence[Path], scratch: Path, *, share: float) -> str:
    """Profile a run at 12 megapixels; gives the table and names the flame graph.

    Raises:
        BenchmarkError: there is no py-spy, or it may not look.
    """
    spy = shutil.which(
        "py-spy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if spy is None:
        raise BenchmarkError("found no py-spy: `make bench ARGS=profile` installs it")
    size = SIZES[0]
    photos, folder = scratch / "photographs", scratch / "profiled"
    derive(size, origins, photos, max(4, round(size.count * share)))
    INTO.mkdir(exist_ok=True)
    said: dict[str, Path] = {"raw": scratch / "profile.txt", "flamegraph": INTO / "profile.svg"}
    for form, path in said.items():
        empty(folder)()
        (folder / "pipeline.yaml").write_text(PIPELINE.format(photos=photos), encoding="utf-8")
        run = [sys.executable, "-m", "imagelane", "run", str(folder / "pipeline.yaml")]
        run += ["--quiet", "--sandbox", "off"]
        record = [spy, "record", "--subprocesses", "--native", "--format", form]
        done = subprocess.run(
            [*record, "--output", str(path), "--", *run],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not path.exists():
            raise BenchmarkError(f"py-spy did not record: {done.stderr.strip()[-500:]}")
    stacks = said["raw"].read_text(encoding="utf-8", errors="replace").splitlines()
    return f"{hottest(stacks, SHOWN)}\n\nFlame graph: {said['flamegraph']}"


def hottest(stacks: Iterable[str], shown: int) -> str:
    """A table of where most samples were taken, from lines such as ``main;work;resize 12``: the
    innermost function, and the innermost of ours that it was called for."""
    found: Counter[tuple[str, str]] = Counter()
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        calls = frames.split(";")
        ours = next((one for one in reversed(calls) if "imagelane/" in one), "")
        found[_named(calls[-1]), _named(ours)] += int(count)
    total = found.total()
    rows = [
        [inner, f"{count / total * 100:.1f} %", whose]
        for (inner, whose), count in found.most_common(shown)
    ]
    return table(["in", "of the samples", "for"], rows)


def _named(frame: str) -> str:
    """``fit (imagelane/execute/boxes.py:12)`` as ``execute/boxes.py fit``; of what has no symbols,
    such as ``0x7f46 (libc.so.6)``, the library."""
    name, _, place = frame.rstrip(")").partition(" (")
    file = place.rpartition("imagelane/")[2].partition(":")[0]
    return file if name.startswith("0x") else f"{file} {name}".strip()
