"""Time and memory against the size of the source: from a thousand images to a million."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.coordination import NOTHING
from benchmarks.measure import Sample, run
from benchmarks.photographs import make_tiny
from benchmarks.plot import Panel, svg
from benchmarks.quiet import described as disturbed
from benchmarks.quiet import wait_until_quiet
from benchmarks.results import machine, table
from benchmarks.say import say
from benchmarks.targets import Target

PLOT = Path(__file__).parent / "source-size.svg"
MOST = Target("as much memory for the most images as for the fewest", "at most", 1.3, "×")
# The cheapest stage there is: at a million images it is minutes, not half an hour, and the
# coordinator has the same to remember.
PIPELINE = """\
pipeline: memory
images: {from: photos/, group: folder}
stages:
  nothing: {uses: "nothing:wait"}
"""


@dataclass(frozen=True, slots=True)
class Measured:
    images: int
    sample: Sample


def sizes(most: int) -> list[int]:
    """Powers of ten from a thousand on, and the most."""
    found = [10**power for power in range(3, 10) if 10**power < most]
    return [*found, most]


def measure(scratch: Path, most: int, *, patience: float, plot: Path | None = PLOT) -> str:
    """Run each size once, draw the plot, and give the section's text."""
    found = []
    for count in sizes(most):
        folder = scratch / f"memory-{count}"
        folder.mkdir(parents=True)
        (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
        (folder / "nothing.py").write_text(NOTHING, encoding="utf-8")
        make_tiny(folder / "photos", count)
        wait_until_quiet(patience)
        sample = run(
            [sys.executable, "-m", "imagelane", "run", str(folder / "pipeline.yaml"), "--quiet"]
        )
        say(f"  {count:>9,} images  {sample.peak / 2**20:7.1f} MiB  {sample.wall:7.1f} s")
        found.append(Measured(count, sample))
        shutil.rmtree(folder)
    if plot is not None:
        plot.write_text(drawn(found), encoding="utf-8")
    return text(found)


def drawn(found: Sequence[Measured]) -> str:
    """The plot of time and memory, as SVG."""
    return svg(
        [
            Panel(
                "Elapsed time",
                [(one.images, one.sample.wall) for one in found],
                lambda seconds: f"{seconds:,.1f} s",
                log=True,
            ),
            Panel(
                "Peak memory of the coordinator",
                [(one.images, one.sample.peak / 2**20) for one in found],
                lambda size: f"{size:.0f} MiB",
            ),
        ],
        "images in the source",
    )


def text(found: Sequence[Measured]) -> str:
    """The section."""
    rows = [
        [
            f"{one.images:,}",
            f"{one.sample.peak / 2**20:.1f}",
            f"{one.sample.worker / 2**20:.1f}",
            f"{one.sample.wall:.1f}",
            f"{one.images / one.sample.wall:,.0f}",
        ]
        for one in found
    ]
    head = ["images", "peak MiB of the coordinator", "of the largest worker", "s", "images/s"]
    growth = found[-1].sample.peak / found[0].sample.peak
    about = (
        "PNGs of 8 × 8 px in groups of 1,000, each read, handed to a stage that does nothing, "
        "recorded durably and published."
    )
    held = (
        f"- {MOST.what}, {MOST.text}: {MOST.verdict(growth)} "
        f"({found[-1].images:,} against {found[0].images:,})"
    )
    shown = f"![Time and the coordinator's memory by the number of images]({PLOT.name})"
    quiet = f"- {disturbed([one.sample.others for one in found])}"
    return "\n".join([about, "", shown, "", table(head, rows), "", held, quiet, machine()])
