"""``python -m benchmarks``: measure, print, and write RESULTS.md.

Parts: photographs, overhead, coordination, gallery, moderation, journal, size, prediction; and,
only where it is asked for, profile, which writes no results.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import (
    coordination,
    memory,
    moderation,
    overhead,
    photo_workload,
    prediction,
    profiling,
    recording,
    reference_gallery,
)
from benchmarks.measure import BenchmarkError
from benchmarks.photographs import originals
from benchmarks.results import PATH, write
from benchmarks.say import say

SECTIONS: Mapping[str, str] = {
    "photographs": "Photographs",
    "overhead": "What the guarantees cost",
    "coordination": "Coordination",
    "gallery": "The reference gallery",
    "moderation": "A moderation service that fails",
    "journal": "The journal",
    "size": "The size of the source",
    "prediction": "Predictions",
}
PROFILE = "profile"


def main() -> None:
    asked = _asked()
    with tempfile.TemporaryDirectory(dir=asked.scratch, prefix="imagelane-bench-") as folder:
        scratch = Path(folder)
        if PROFILE in asked.parts:
            origins, _ = originals(asked.photos, scratch)
            print(profiling.profile(origins, scratch, share=asked.share))
        failed = []
        for part in [part for part in asked.parts or SECTIONS if part != PROFILE]:
            try:
                text = _parts(asked, scratch)[part]()
            except BenchmarkError as error:
                failed.append(part)
                print(f"\n{part} could not be measured: {error}")
                continue
            print(f"\n{SECTIONS[part]}\n\n{text}", flush=True)
            # At once: the next part may fail, and this one took long.
            if not asked.dry:
                write([(SECTIONS[part], text)])
                print(f"\nWritten to {PATH}")
    if failed:
        sys.exit(f"could not be measured: {', '.join(failed)}")


def _asked() -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=form
    )
    parser.add_argument("parts", nargs="*", choices=[*SECTIONS, PROFILE, []], help="default: all")
    parser.add_argument("--photos", type=Path, help="a folder of JPEGs (else: IMAGELANE_PHOTOS)")
    parser.add_argument("--rounds", type=int, default=5, help="of what alternates (default 5)")
    parser.add_argument(
        "--share", type=float, default=1.0, help="of pictures and tasks; 0.1: a try"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="0.1: waits of 50 ms, not 500")
    parser.add_argument(
        "--images", type=int, default=100_000, help="most of the size part; 1000000 takes long"
    )
    parser.add_argument(
        "--patience", type=float, default=120.0, help="seconds to wait for a quiet machine"
    )
    parser.add_argument("--scratch", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--dry", action="store_true", help="print, but leave RESULTS.md alone")
    return parser.parse_args()


def _parts(asked: argparse.Namespace, scratch: Path) -> Mapping[str, Callable[[], str]]:
    usual = {"share": asked.share, "rounds": asked.rounds, "patience": asked.patience}

    def photographs(measure: Callable[..., str]) -> Callable[[], str]:
        def measured() -> str:
            origins, described = originals(asked.photos, scratch)
            say(f"Photographs {described}")
            return f"Made {described}. {measure(origins, scratch, **usual)}"

        return measured

    return {
        "photographs": photographs(photo_workload.measure),
        "overhead": photographs(overhead.measure),
        "coordination": lambda: coordination.measure(scratch, **usual),
        "gallery": lambda: reference_gallery.measure(scratch, asked.scale, asked.patience),
        "moderation": lambda: moderation.measure(scratch, asked.scale, asked.patience),
        "journal": lambda: recording.measure(scratch, **usual),
        "size": lambda: memory.measure(
            scratch,
            asked.images,
            patience=asked.patience,
            plot=None if asked.dry else memory.PLOT,
        ),
        "prediction": lambda: prediction.measure(scratch),
    }


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(str(error))
