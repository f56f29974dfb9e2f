"""``python -m benchmarks.encoders``: what each preset costs and saves, at one quality.

Photographs of 1280 px are encoded by each preset until SSIMULACRA 2 gives them the same score, and
then measured: bytes, and processor time, which says something on a busy machine as well.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.photographs import originals
from benchmarks.results import machine, table
from imagelane.execute import presets, probing, search
from imagelane.execute.allowance import Allowance
from imagelane.execute.encoders import Encoding, encode
from imagelane.execute.picture import Picture
from imagelane.execute.vips import VipsImage, to_pixels

WIDTH = 1280
TIMES = 3
"""How often each file is written to be timed; the median counts."""
LOSSY = ("jpeg", "webp", "avif")


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one photograph by one encoder. Milliseconds of processor time; no bytes where the score
    is never reached."""

    quality: int
    bytes: float | None
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoders", description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder of JPEGs (else: IMAGELANE_PHOTOS)")
    parser.add_argument("--count", type=int, default=12, help="photographs (default 12)")
    parser.add_argument("--score", type=float, default=75.0, help="SSIMULACRA 2 (default 75)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imagelane-bench-") as scratch:
        files, _ = originals(asked.photos, Path(scratch))
        pictures = list(_pictures(files, asked.count))
    print(machine(), f"- {len(pictures)} photographs of {WIDTH} px", sep="\n")
    contenders = list(_contenders())
    found: dict[Encoding, list[Measured]] = {how: [] for how in contenders}
    for picture in pictures:  # all encoders side by side: the machine's speed drifts
        for how in contenders:
            found[how].append(_measured(picture, how, asked.score))
    print(f"\nAt SSIMULACRA 2 = {asked.score:g}\n\n{_compared(found)}")
    print(f"\nPNG, which loses nothing\n\n{_lossless(pictures)}")
    print(f"\nFinding the quality: target {{ssimulacra2: {asked.score:g}}}\n")
    print(_searched(pictures, asked.score))


def _pictures(files: Iterable[Path], count: int) -> Iterator[Picture]:
    """As many as asked for, evenly out of all that are large enough."""
    paths = [path for path in files if _width(path) >= 2 * WIDTH]
    step = max(1, len(paths) // count)
    for path in paths[::step][:count]:
        image = VipsImage.thumbnail(str(path), WIDTH, height=10 * WIDTH).colourspace("srgb")
        yield Picture.of(to_pixels(image)[:, :, :3])


def _width(path: Path) -> int:
    return int(VipsImage.new_from_file(str(path)).width)


def _contenders() -> Iterator[Encoding]:
    for form in LOSSY:
        for preset in presets.EFFORT:
            yield Encoding(form, preset=preset)
    yield Encoding("webp", effort=0)
    yield Encoding("avif", effort=1)
    yield Encoding("avif", effort=3)


def _measured(picture: Picture, how: Encoding, wanted: float) -> Measured:
    """The size at just the score that is wanted, between the two qualities next to it."""
    tries = probing.Tries(picture, how)
    exactly = replace(search.of_score(wanted), most=wanted)
    low, high = search.search(tries.score, exactly, search.HIGHEST * 3 // 4)
    if high > search.HIGHEST:
        return Measured(low, None, _cpu(picture, replace(how, quality=low)))
    size = float(len(tries.file(high)))
    if low >= search.LOWEST:
        scores, sizes = zip(
            *((tries.score(each), math.log(len(tries.file(each)))) for each in (low, high)),
            strict=True,
        )
        size = math.exp(float(np.interp(wanted, scores, sizes)))
    return Measured(high, size, _cpu(picture, replace(how, quality=high)))


def _cpu(picture: Picture, how: Encoding) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.process_time()
        encode(picture, how)
        taken.append(time.process_time() - began)
    return statistics.median(taken) * 1000


def _compared(found: Mapping[Encoding, list[Measured]]) -> str:
    everywhere = [
        place
        for place in range(len(next(iter(found.values()))))
        if all(of[place].bytes is not None for of in found.values())
    ]
    rows = []
    for how, of in found.items():
        kept = [of[place] for place in everywhere]
        size = _mean(one.bytes or 0 for one in kept)
        jpeg = _mean(
            found[Encoding("jpeg", preset="fast")][place].bytes or 0 for place in everywhere
        )
        qualities = [one.quality for one in kept]
        rows.append(
            (
                f"{how.format} {_label(how)}",
                f"{_mean(one.cpu for one in kept):.1f}",
                f"{size / 1000:.1f}",
                f"{size / jpeg - 1:+.0%}".replace("-", "−") if size != jpeg else "",
                f"{min(qualities)} to {max(qualities)}",
                f"{len(of) - sum(one.bytes is not None for one in of)}",
            )
        )
    head = ("encoder", "CPU, ms", "kB", "against JPEG fast", "quality", "never reach it")
    return (
        f"{table(head, rows)}\n\nMeans of the {len(everywhere)} that all encoders can bring there."
    )


def _label(how: Encoding) -> str:
    if how.effort is not None:
        return f"`effort: {how.effort}`"
    return f"`{how.preset}`"


def _lossless(pictures: list[Picture]) -> str:
    rows = []
    for preset in presets.EFFORT:
        how = Encoding("png", preset=preset)
        sizes = [len(encode(picture, how)) for picture in pictures]
        cpu = _mean(_cpu(picture, how) for picture in pictures)
        rows.append((f"`{preset}`", f"{cpu:.0f}", f"{_mean(sizes) / 1000:.0f}"))
    return table(("preset", "CPU, ms", "kB"), rows)


def _searched(pictures: list[Picture], wanted: float) -> str:
    rows = []
    for form in LOSSY:
        how = Encoding(form)
        allowance = Allowance(1 << 40, lambda _: None)
        began = time.process_time()
        found = [
            probing.find(picture, how, {"ssimulacra2": wanted, "max_bytes": None}, allowance)
            for picture in pictures
        ]
        cpu = (time.process_time() - began) / len(pictures) * 1000
        tries = [one.tries for one in found]
        within = sum(0 <= one.score - wanted < search.CLOSE for one in found)
        rows.append(
            (
                form,
                f"{statistics.median(tries):g} ({min(tries)} to {max(tries)})",
                f"{cpu:.0f}",
                f"{within} of {len(found)}",
                f"{sum(one.limit is not None for one in found)}",
            )
        )
    head = ("format", "files written", "CPU, ms", "less than a point above", "not reached")
    return table(head, rows)


def _mean(values: Iterable[float]) -> float:
    return statistics.fmean(values)


if __name__ == "__main__":
    main()
