"""Fifty images, seven stages that only wait: how near the coordinator comes to what is possible."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.journal import makespan
from benchmarks.measure import run
from benchmarks.photographs import make_tiny
from benchmarks.quiet import described as disturbed
from benchmarks.quiet import wait_until_quiet
from benchmarks.results import machine, table
from benchmarks.say import say

IMAGES = 50
WAITING = """\
import time

from imagelane import Source, stage


@stage(waits=True)
def wait(source: Source, *, seconds: float) -> None:
    time.sleep(seconds)
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One stage that waits. ``pool`` names what it shares places with."""

    name: str
    seconds: float
    needs: tuple[str, ...] = ()
    pool: str = "work"
    workers: int | None = None


def straight(seconds: float) -> list[Waiting]:
    """Seven stages in a line."""
    names = ["validate", "metadata", "thumbnails", "watermark", "moderate", "store", "publish"]
    before: list[tuple[str, ...]] = [(), *((name,) for name in names)]
    return [Waiting(name, seconds, needs) for name, needs in zip(names, before, strict=False)]


def moderated(seconds: float, moderation: float, workers: int) -> list[Waiting]:
    """The same seven, of which moderation needs only validation and is slow and scarce."""
    return [
        Waiting("validate", seconds),
        Waiting("metadata", seconds, ("validate",)),
        Waiting("thumbnails", seconds, ("validate",)),
        Waiting("watermark", seconds, ("metadata",)),
        Waiting("moderate", moderation, ("validate",), "io", workers),
        Waiting("store", seconds, ("thumbnails", "watermark", "moderate")),
        Waiting("publish", seconds, ("store",)),
    ]


def bound(stages: Sequence[Waiting], images: int, pools: Mapping[str, int]) -> tuple[float, str]:
    """The least time in seconds that the limits allow, and which of them asks for it.

    A limit of k places needs at least the sum of what passes through it, over k. Before its first
    task comes the shortest way there, and after its last the longest way on from the stage in it
    that is nearest to the end.
    """
    by_name = {stage.name: stage for stage in stages}

    def head(name: str) -> float:
        return max(
            (head(need) + by_name[need].seconds for need in by_name[name].needs), default=0.0
        )

    def tail(name: str) -> float:
        after = [stage for stage in stages if name in stage.needs]
        return max((tail(stage.name) + stage.seconds for stage in after), default=0.0)

    found = [(max(head(one.name) + one.seconds + tail(one.name) for one in stages), "one image")]
    for pool, places in pools.items():
        within = [stage for stage in stages if stage.pool == pool]
        if within:
            work = images * sum(stage.seconds for stage in within) / places
            edges = min(head(one.name) for one in within) + min(tail(one.name) for one in within)
            found.append((work + edges, f"pool {pool}: {places}"))
    for stage in stages:
        if stage.workers:
            rounds = math.ceil(images / stage.workers)
            time = head(stage.name) + rounds * stage.seconds + tail(stage.name)
            found.append((time, f"{stage.name}: {stage.workers} workers"))
    return max(found)


def measure(scratch: Path, scale: float, patience: float) -> str:
    """Run the three galleries once and give the section's text."""
    seconds = 0.5 * scale
    cases = (
        ("sequential", straight(seconds), "sequential"),
        ("parallel, 10 workers", straight(seconds), "parallel"),
        (
            "parallel, 10 workers, moderation 4 × as slow with 5 at once",
            moderated(seconds, 2.0 * scale, 5),
            "parallel",
        ),
    )
    rows, shares = [], []
    for title, stages, model in cases:
        pools = {"work": 10}
        if model == "sequential":
            least, why = IMAGES * sum(stage.seconds for stage in stages), "one at a time"
        else:
            least, why = bound(stages, IMAGES, pools)
        folder = scratch / "reference-gallery"
        _declare(folder, stages, pools, model)
        wait_until_quiet(patience)
        taken = run(
            [sys.executable, "-m", "imagelane", "run", str(folder / "pipeline.yaml"), "--quiet"]
        )
        span = makespan(folder / ".imagelane")
        say(
            f"  {title}: bound {least:.2f} s ({why}), tasks took {span:.2f} s, all {taken.wall:.2f}"
        )
        shares.append(taken.others)
        rows.append(
            [
                title,
                f"{least:.2f} ({why})",
                f"{span:.2f}",
                f"{span / least:.3f}",
                f"{taken.wall:.2f}",
            ]
        )
    head = [
        "",
        "bound, s",
        "first task to last, s",
        "of the bound",
        "whole process with start-up, s",
    ]
    text = (
        f"{IMAGES} images, seven stages of {seconds:g} s waiting each. The bound is the least that "
        "the limits allow, and beside it is the limit that sets it. Times from the journal's own "
        "clock."
    )
    return "\n".join([text, "", table(head, rows), "", f"- {disturbed(shares)}", machine()])


def _declare(folder: Path, stages: Sequence[Waiting], pools: Mapping[str, int], model: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "waiting.py").write_text(WAITING, encoding="utf-8")
    make_tiny(folder / "photos", IMAGES)
    text = [
        "pipeline: reference-gallery",
        "images: {from: photos/, group: folder}",
        f"run: {{model: {model}, pools: {{{', '.join(f'{k}: {v}' for k, v in pools.items())}}}}}",
        "stages:",
    ]
    for stage in stages:
        text += [
            f"  {stage.name}:",
            "    uses: waiting:wait",
            f"    needs: [{', '.join(stage.needs)}]",
            f"    with: {{seconds: {stage.seconds}}}",
            f"    pool: {stage.pool}",
        ]
        if stage.workers:
            text.append(f"    workers: {stage.workers}")
    (folder / "pipeline.yaml").write_text("\n".join(text) + "\n", encoding="utf-8")
