"""The coordinator's memory: for 100,000 images as for 1,000."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import run, say
from benchmarks.photographs import make_tiny
from benchmarks.results import machine, table

PIPELINE = """\
pipeline: memory
images:
  from: photos/
  group: folder
stages:
  validate:
"""


def measure(scratch: Path, counts: Sequence[int]) -> str:
    """Run each count once and give the section's text."""
    rows, peaks = [], []
    for count in counts:
        folder = scratch / f"memory-{count}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
        make_tiny(folder / "photos", count)
        sample = run(
            [sys.executable, "-m", "imagelane", "run", str(folder / "pipeline.yaml"), "--quiet"]
        )
        say(f"  {count:>7,} images  {sample.peak / 2**20:7.1f} MiB  {sample.wall:7.1f} s")
        peaks.append(sample.peak)
        rows.append(
            [
                f"{count:,}",
                f"{sample.peak / 2**20:.1f}",
                f"{sample.wall:.1f}",
                f"{count / sample.wall:.0f}",
            ]
        )
        shutil.rmtree(folder)
    head = ["images", "peak resident MiB of the coordinator", "seconds", "images/s"]
    return "\n".join(
        [
            "PNGs of 8 × 8 px in groups of 1,000, each validated by a worker and recorded durably.",
            "",
            table(head, rows),
            "",
            f"- {counts[-1]:,} images take {peaks[-1] / peaks[0]:.2f} × what {counts[0]:,} take",
            machine(),
        ]
    )
