"""What each guarantee costs: the same run with it and without it, side by side."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Contender, Sample, alternate, median
from benchmarks.photo_workload import PIPELINE, empty
from benchmarks.photographs import ROOT, SIZES, derive, described
from benchmarks.quiet import described as disturbed
from benchmarks.results import machine, table
from benchmarks.say import say
from benchmarks.targets import Target

WITHOUT: Mapping[str, Sequence[str]] = {
    "the sandbox": ("sandbox",),
    "the journal, in memory": ("journal",),
    "syncs of the journal": ("syncs-of-the-journal",),
    "reading back": ("read-back",),
    "fsync of what is stored and published": ("fsync",),
    "sandbox, journal and read-back": ("sandbox", "journal", "read-back"),
    "all of it": ("sandbox", "journal", "read-back", "fsync"),
}
TARGET_OF = "sandbox, journal and read-back"
TARGET = Target("sandbox, journal and read-back together cost", "at most", 5, "%")


def measure(
    origins: Sequence[Path], scratch: Path, *, share: float, rounds: int, patience: float
) -> str:
    """Measure at 12 megapixels and give the section's text."""
    size = SIZES[0]
    photos = scratch / "photographs-of-overhead"
    derive(size, origins, photos, max(4, round(size.count * share)))
    say(f"Overhead: {described(photos)}")
    contenders = []
    folder = scratch / "overhead"
    for name, guarantees in WITHOUT.items():
        contenders.append(_contender(f"with {name}", photos, folder, ()))
        contenders.append(_contender(f"without {name}", photos, folder, guarantees))
    samples = alternate(contenders, rounds, patience)
    about = (
        f"{described(photos)}; the gallery of the photographs above, as a whole process. Each row "
        "is of pairs, one run with everything and then one without this; the ratio is the median "
        f"of {rounds} pairs: how much more a run takes for having it. Below nothing is noise."
    )
    shares = [one.others for taken in samples.values() for one in taken]
    text = [about, "", text_of(samples), f"- {disturbed(shares)}", machine()]
    shutil.rmtree(photos)
    shutil.rmtree(folder)
    return "\n".join(text)


def _contender(name: str, photos: Path, folder: Path, guarantees: Sequence[str]) -> Contender:
    def declare() -> None:
        empty(folder)()
        (folder / "pipeline.yaml").write_text(PIPELINE.format(photos=photos), encoding="utf-8")

    command = [sys.executable, "-m", "benchmarks.without", str(folder / "pipeline.yaml")]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {"PYTHONPATH": os.pathsep.join(paths)}
    return Contender(name, [*command, *guarantees], declare, environment)


def text_of(samples: Mapping[str, Sequence[Sample]]) -> str:
    rows, verdict = [], ""
    for name in WITHOUT:
        pairs = list(zip(samples[f"with {name}"], samples[f"without {name}"], strict=True))
        cpu = [(one.cpu / other.cpu - 1) * 100 for one, other in pairs]
        wall = [(one.wall / other.wall - 1) * 100 for one, other in pairs]
        rows.append(
            [
                name,
                f"{median(cpu):+.1f} %",
                _range(cpu),
                f"{median(wall):+.1f} %",
                _range(wall),
            ]
        )
        if name == TARGET_OF:
            verdict = (
                f"- {TARGET.what} {TARGET.text}: {TARGET.verdict(median(wall))}, in processor time "
                f"{TARGET.verdict(median(cpu))}"
            )
    head = ["", "processor time", "range", "elapsed time", "range"]
    return "\n".join([table(head, rows), "", verdict])


def _range(values: Sequence[float]) -> str:
    return f"{min(values):+.1f} to {max(values):+.1f}"
