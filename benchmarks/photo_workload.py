"""Thumbnails and a watermark: imagelane with everything on, against loops written by hand."""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.measure import Contender, Sample, alternate, median, say, spread
from benchmarks.results import machine, table

PEERS = Path(__file__).parent / "peers"
WIDTHS = (256, 640, 1280)
MARKED = 1600
QUALITY = 82

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


def measure(photos: Path, described: str, scratch: Path, rounds: int) -> str:
    """Run all contenders and give the section's text."""
    say(f"Photographs: {described}")
    contenders = _contenders(photos, scratch)
    count = len(list(photos.rglob("*.jpg")))
    samples = alternate(contenders, rounds)
    checked = _compare_outputs(scratch, count)
    return _text(described, count, rounds, samples, checked)


def _contenders(photos: Path, scratch: Path) -> list[Contender]:
    ours = scratch / "imagelane"

    def declare() -> None:
        _empty(ours)()
        (ours / "pipeline.yaml").write_text(PIPELINE.format(photos=photos), encoding="utf-8")

    def peer(name: str, script: str, *command: str) -> Contender:
        out = scratch / script.partition(".")[0]
        argv = [*command, str(PEERS / script), str(photos), str(out)]
        return Contender(name, argv, _empty(out), {})

    run = [sys.executable, "-m", "imagelane", "run", str(ours / "pipeline.yaml"), "--quiet"]
    found = [
        Contender("imagelane", run, declare, {}),
        peer("pyvips, fused by hand", "pyvips_fused.py", sys.executable),
        peer("pyvips, its shrink chosen too", "pyvips_shrink.py", sys.executable),
        peer("pyvips, the documented recipe", "pyvips_recipe.py", sys.executable),
    ]
    if shutil.which("vipsthumbnail"):
        found.append(peer("vipsthumbnail, xargs -P2", "vipsthumbnail.sh", "bash"))
    else:
        say("  vipsthumbnail is not installed (Debian: libvips-tools): left out")
    return found


def _empty(folder: Path) -> Callable[[], None]:
    def empty() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    return empty


def _compare_outputs(scratch: Path, count: int) -> list[str]:
    """Both sides made the same pictures: as many, of the same sizes, and alike to the eye."""
    ours = {
        str(path.relative_to(scratch / "imagelane" / "public")): path
        for path in (scratch / "imagelane" / "public").glob("[!.]*/*.jpg")
    }
    theirs = {
        str(path.relative_to(scratch / "pyvips_fused")): path
        for path in (scratch / "pyvips_fused").rglob("*.jpg")
    }
    by_name = {Path(name).name: path for name, path in ours.items()}
    alike, ratios = [], []
    for name, path in theirs.items():
        mine = by_name.get(Path(name).name)
        if mine is None:
            raise SystemExit(f"imagelane made no {name}")
        with Image.open(mine) as a, Image.open(path) as b:
            if abs(a.width - b.width) > 1 or abs(a.height - b.height) > 1:
                raise SystemExit(f"{name}: {a.size} against {b.size} of the peer")
            if name.endswith("-1280.jpg") and a.size == b.size:
                alike.append(_psnr(np.asarray(a.convert("RGB")), np.asarray(b.convert("RGB"))))
        ratios.append(mine.stat().st_size / path.stat().st_size)
    return [
        f"{len(theirs)} pictures each ({count} × {len(WIDTHS) + 1}), all of the same size",
        f"bytes of a picture against the fused loop's: {statistics.median(ratios):.2f} ×",
        f"PSNR between both at {WIDTHS[-1]} px: {statistics.median(alike):.1f} dB (median)",
    ]


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2)
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def _text(
    described: str,
    count: int,
    rounds: int,
    samples: dict[str, list[Sample]],
    checked: list[str],
) -> str:
    ours = [sample.wall for sample in samples["imagelane"]]
    rows = []
    for name, taken in samples.items():
        walls = [sample.wall for sample in taken]
        # Ratios within a round: what drifts between rounds falls out.
        ratio = median([theirs / mine for mine, theirs in zip(ours, walls, strict=True)])
        cpu = median([sample.cpu for sample in taken]) / count * 1000
        rows.append(
            [
                name,
                f"{median(walls):.2f}",
                spread(walls),
                f"{count / median(walls):.1f}",
                f"{cpu:.0f}",
                "1" if name == "imagelane" else f"{ratio:.2f}",
            ]
        )
    head = ["", "seconds", "range", "images/s", "CPU ms/image", "imagelane is faster by ×"]
    lines = [
        (
            f"{described} → JPEG quality {QUALITY} at {', '.join(map(str, WIDTHS))} px and one of "
            f"{MARKED} px with a watermark. {rounds} rounds."
        ),
        "",
        (
            "imagelane validates, records every step durably, verifies what it stored and "
            "publishes atomically; the loops write files. vipsthumbnail makes the same four "
            "sizes and no watermark."
        ),
        "",
        table(head, rows),
        "",
        *(f"- {line}" for line in checked),
        machine(),
    ]
    return "\n".join(lines)
