"""Thumbnails and a watermark: imagelane with everything on, against loops written by hand."""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.contenders import Peer, peers
from benchmarks.measure import (
    BenchmarkError,
    Contender,
    Rate,
    Sample,
    alternate,
    figure,
    median,
    rate,
    ratio,
    spread,
)
from benchmarks.photographs import SIZES, Size, derive, described
from benchmarks.quiet import described as disturbed
from benchmarks.results import machine, table
from benchmarks.say import say
from benchmarks.targets import Target

WIDTHS = (256, 640, 1280)
MARKED = 1600
QUALITY = 82
FEW = 2
"""Photographs of the runs that show what starting up costs."""
COMPARED = 24
"""Photographs of which every output is compared with those of the peers."""
OURS = "imagelane"

# What a gallery needs: the peers neither validate, nor keep a record, nor publish atomically.
# `linear: false` because none of the peers works in linear light.
PIPELINE = f"""\
pipeline: photo-workload
images:
  from: {{photos}}
  group: folder
stages:
  validate:
  thumbnails:
    needs: [validate]
    with: {{{{widths: {list(WIDTHS)}, format: jpeg, quality: {QUALITY}, linear: false}}}}
  watermark:
    needs: [validate]
    with: {{{{text: "© Harbour Gazette", width: {MARKED}, format: jpeg, quality: {QUALITY}}}}}
  store:
    needs: [thumbnails, watermark]
    with: {{{{to: public/}}}}
  publish:
    scope: group
    needs: [store]
"""

TARGETS: Mapping[str, Mapping[str, float]] = {
    "12 megapixels": {
        "tuned": 1.25,
        "fused": 1.5,
        "sharp": 2.7,
        "recipe": 3.0,
        "vipsthumbnail": 7.0,
        "planar": 0.9,
    },
    "1 to 2 megapixels": {"fused": 2.0},
    "100 kB": {"planar": 0.8},
}
"""How many times as fast as a peer, by size and the peer's folder."""
MEMORY = (
    Target("the coordinator", "at most", 120, "MB"),
    Target("the largest worker", "at most", 200, "MB"),
)


@dataclass(frozen=True, slots=True)
class Workload:
    """Pictures of one size; ``few`` is a folder with `FEW` of them."""

    size: Size
    photos: Path
    few: Path
    count: int


def measure(
    origins: Sequence[Path], scratch: Path, *, share: float, rounds: int, patience: float
) -> str:
    """Measure all sizes and give the section's text. ``share`` of the usual counts is worked on."""
    texts = []
    for size in SIZES:
        folder = scratch / "photographs" / size.name.replace(" ", "-")
        count = max(2 * FEW, round(size.count * share))
        derive(size, origins, folder / "all", count)
        derive(size, origins, folder / "few", FEW)
        workload = Workload(size, folder / "all", folder / "few", count)
        texts.append(_measured(workload, scratch / "made", rounds, patience))
        shutil.rmtree(folder)
        shutil.rmtree(scratch / "made")
    about = (
        f"Each photograph → JPEG quality {QUALITY} at {', '.join(map(str, WIDTHS))} px and one of "
        f"{MARKED} px with a watermark, never enlarged; two processes each. imagelane validates, "
        "records every step durably, verifies what it stored and publishes atomically; the loops "
        "write files. vipsthumbnail puts no watermark; it and the recipe do not look how large a "
        "picture is, and make its own size more than once where others do not. Every contender "
        f"runs whole as a process; a run of {FEW} photographs beside each says what is start-up, "
        "which is then taken out."
    )
    return "\n\n".join([about, *texts, machine()])


def _measured(workload: Workload, made: Path, rounds: int, patience: float) -> str:
    say(f"{workload.size.name}: {described(workload.photos)}")
    found, skipped = available()
    contenders = [ours(workload.photos, made / "ours"), ours(workload.few, made / "few", few=True)]
    for peer, command in found:
        contenders.append(_theirs(peer, command, workload.photos, made / peer.folder))
        contenders.append(_theirs(peer, command, workload.few, made / "few", few=True))
    samples = alternate(contenders, rounds, patience)
    checked = [_compared(workload, made, peer) for peer, _ in found]
    return text(workload, samples, [peer for peer, _ in found], skipped, checked)


def available() -> tuple[list[tuple[Peer, Sequence[str]]], dict[str, str]]:
    """Peers with their commands; and by folder, why the others are left out."""
    found: list[tuple[Peer, Sequence[str]]] = []
    skipped = {}
    for peer in peers():
        ready = peer.ready()
        if isinstance(ready, str):
            skipped[peer.folder] = ready
            say(f"  {peer.name} is left out: {ready}")
        else:
            found.append((peer, ready))
    return found, skipped


def ours(photos: Path, folder: Path, *, few: bool = False) -> Contender:
    def declare() -> None:
        empty(folder)()
        (folder / "pipeline.yaml").write_text(PIPELINE.format(photos=photos), encoding="utf-8")

    run = [sys.executable, "-m", "imagelane", "run", str(folder / "pipeline.yaml"), "--quiet"]
    return Contender(_name(OURS, few=few), run, declare)


def _theirs(
    peer: Peer, command: Sequence[str], photos: Path, out: Path, *, few: bool = False
) -> Contender:
    return Contender(_name(peer.name, few=few), [*command, str(photos), str(out)], empty(out))


def _name(name: str, *, few: bool) -> str:
    return f"{name} ({FEW} only)" if few else name


def empty(folder: Path) -> Callable[[], None]:
    def clear() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    return clear


def _compared(workload: Workload, made: Path, peer: Peer) -> list[str]:
    """Both sides made the same pictures: of the same sizes, and alike to the eye. Gives a row that
    says how alike.

    Raises:
        BenchmarkError: they did not.
    """
    theirs = {path.name: path for path in (made / peer.folder).rglob("*.jpg")}
    mine = sorted((made / "ours" / "public").glob("[!.]*/*.jpg"))
    if len(mine) < workload.count * 2:
        raise BenchmarkError(f"imagelane made {len(mine)} pictures of {workload.count}")
    alike, ratios = [], []
    for path in mine[: COMPARED * (len(WIDTHS) + 1)]:
        name = path.name if peer.marks else path.name.replace("-marked.", f"-{MARKED}.")
        if name not in theirs:
            raise BenchmarkError(f"{peer.name} made no {name}, and imagelane did")
        with Image.open(path) as a, Image.open(theirs[name]) as b:
            if abs(a.width - b.width) > 1 or abs(a.height - b.height) > 1:
                raise BenchmarkError(f"{name}: {a.size}, of {peer.name} {b.size}")
            if name.endswith(f"-{WIDTHS[1]}.jpg") and a.size == b.size:
                alike.append(_psnr(np.asarray(a.convert("RGB")), np.asarray(b.convert("RGB"))))
        ratios.append(path.stat().st_size / theirs[name].stat().st_size)
    psnr = median(alike) if alike else None
    return [peer.name, str(len(theirs)), f"{statistics.median(ratios):.2f}", figure(psnr)]


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2)
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def text(
    workload: Workload,
    samples: Mapping[str, Sequence[Sample]],
    found: Sequence[Peer],
    skipped: Mapping[str, str],
    checked: Sequence[Sequence[str]],
) -> str:
    """The part of the section about one size."""
    names = [OURS, *(peer.name for peer in found)]
    rates = {
        name: rate(samples[name], samples[_name(name, few=True)], workload.count, FEW)
        for name in names
    }
    rows = [_row(name, samples[name], rates[name], rates[OURS]) for name in names]
    head = ["", "s", "range", "images/s", "× as fast", "start-up, s", "images/s started"]
    head += ["× as fast started", "CPU ms/image", "peak MiB, first process", "largest worker"]
    by_folder = {peer.folder: rates[peer.name] for peer in found}
    shares = [one.others for taken in samples.values() for one in taken]
    alike = f"PSNR at {WIDTHS[1]} px, dB (medians)"
    lines = [
        f"### {workload.size.name}",
        "",
        f"{described(workload.photos)}. {len(samples[OURS])} rounds.",
        "",
        table(head, rows),
        "",
        *_targets(workload.size, samples[OURS], rates[OURS], by_folder, skipped),
        table(["compared with ours", "pictures", "our bytes ×", alike], checked),
        "",
        *(f"- left out: {reason}" for reason in skipped.values()),
        f"- {disturbed(shares)}",
    ]
    return "\n".join(lines)


def _row(name: str, taken: Sequence[Sample], theirs: Rate, mine: Rate) -> list[str]:
    walls = [one.wall for one in taken]
    same = name == OURS
    return [
        name,
        f"{median(walls):.2f}",
        spread(walls),
        f"{median(theirs.whole):.1f}",
        "1" if same else figure(ratio(mine.whole, theirs.whole), ".2f"),
        f"{theirs.startup:.2f}",
        figure(theirs.speed),
        "1" if same else figure(ratio(mine.started, theirs.started), ".2f"),
        figure(None if theirs.cpu is None else theirs.cpu * 1000),
        f"{max(one.peak for one in taken) / 2**20:.0f}",
        f"{max(one.worker for one in taken) / 2**20:.0f}",
    ]


def _targets(
    size: Size,
    taken: Sequence[Sample],
    mine: Rate,
    theirs: Mapping[str, Rate],
    skipped: Mapping[str, str],
) -> list[str]:
    names = {peer.folder: peer.name for peer in peers()}
    rows = []
    for folder, least in TARGETS[size.name].items():
        target = Target(names[folder], "at least", least, "×")
        if folder in skipped:
            rows.append([target.what, target.text, "not measured", "not measured"])
        else:
            other = theirs[folder]
            rows.append(
                [
                    target.what,
                    target.text,
                    target.verdict(ratio(mine.whole, other.whole)),
                    target.verdict(ratio(mine.started, other.started)),
                ]
            )
    lines = [table(["as fast as", "target", "whole process", "started"], rows), ""]
    if size is SIZES[0]:
        peaks = (max(one.peak for one in taken), max(one.worker for one in taken))
        memory = [
            [target.what, target.text, target.verdict(peak / 1e6)]
            for target, peak in zip(MEMORY, peaks, strict=True)
        ]
        lines += [table(["peak memory of", "target", "measured"], memory), ""]
    return lines
