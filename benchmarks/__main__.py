"""``python -m benchmarks``: measure, print, and write RESULTS.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import memory, moderation, photo_workload, prediction, reference_gallery
from benchmarks.measure import BenchmarkError
from benchmarks.photographs import photographs
from benchmarks.results import PATH, write

PARTS = ("photographs", "gallery", "moderation", "memory", "prediction")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--photos", type=Path, help="a folder of JPEGs (else: IMAGELANE_PHOTOS)")
    parser.add_argument("--rounds", type=int, default=5, help="of the photographs (default 5)")
    parser.add_argument("--scale", type=float, default=1.0, help="0.1: waits of 50 ms, not 500")
    parser.add_argument("--images", type=int, default=100_000, help="of the memory test")
    parser.add_argument("--scratch", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--dry", action="store_true", help="print, but leave RESULTS.md alone")
    asked = parser.parse_args()
    parts = asked.parts or PARTS
    with tempfile.TemporaryDirectory(dir=asked.scratch, prefix="imagelane-bench-") as folder:
        scratch = Path(folder)
        sections = []
        if "photographs" in parts:
            photos, described = photographs(asked.photos, scratch)
            text = photo_workload.measure(photos, described, scratch, asked.rounds)
            sections.append(("Photographs", text))
        if "gallery" in parts:
            text = reference_gallery.measure(scratch, asked.scale)
            sections.append(("The reference gallery", text))
        if "moderation" in parts:
            text = moderation.measure(scratch, asked.scale)
            sections.append(("A moderation service that fails", text))
        if "memory" in parts:
            sections.append(("Memory", memory.measure(scratch, (1_000, asked.images))))
        if "prediction" in parts:
            sections.append(("Predictions", prediction.measure(scratch)))
    for name, text in sections:
        print(f"\n{name}\n\n{text}")
    if not asked.dry:
        write(sections)
        print(f"\nWritten to {PATH}")


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(str(error))
