"""What was measured, as text: printed, and written to RESULTS.md."""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PATH = Path(__file__).parent / "RESULTS.md"
PACKAGES = (
    "imagelane",
    "pyvips",
    "pyvips-binary",
    "simplejpeg",
    "numpy",
    "apsw",
    "pillow",
    "opencv-python-headless",
    "cykooz-resizer",
    "PyTurboJPEG",
)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """What it was measured on and with."""
    versions = ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name)))
    lines = [
        (
            f"- {dt.datetime.now(dt.UTC):%d %B %Y}, {_processor()}, "
            f"{len(os.sched_getaffinity(0))} cores, "
            f"{platform.system()} {platform.release().partition('-')[0]}"
        ),
        f"- Python {platform.python_version()}, {versions}",
        f"- commit {_commit()}",
    ]
    return "\n".join(lines)


def _version(package: str) -> str:
    """Empty where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str:
    if shutil.which("git") is None:
        return "unknown"
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def write(sections: Sequence[tuple[str, str]]) -> None:
    """Write the sections that were measured; those of an earlier run that were not stay."""
    kept = _sections(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    kept |= dict(sections)
    order = [name for name in ORDER if name in kept]
    text = [
        "# Results\n",
        (
            "Written by `make bench` (`python -m benchmarks`). Contenders alternate within one run "
            "(A B C A B C …), each timed as a whole process with its start-up; medians, with the "
            "fastest and slowest beside them. Ratios are medians of those within each round. "
            "Before a round it is waited until the machine is quiet, and what others took of it "
            "meanwhile is said. The machine is shared and its speed drifts: read the ratios.\n"
        ),
    ]
    text += [f"## {name}\n\n{kept[name].strip()}\n" for name in order]
    PATH.write_text("\n".join(text), encoding="utf-8")


ORDER = (
    "Photographs",
    "What the guarantees cost",
    "Coordination",
    "The reference gallery",
    "A moderation service that fails",
    "The journal",
    "The size of the source",
    "Predictions",
)


def _sections(text: str) -> dict[str, str]:
    parts = ("\n" + text).split("\n## ")[1:]
    return {head: body for part in parts for head, _, body in [part.partition("\n")]}
