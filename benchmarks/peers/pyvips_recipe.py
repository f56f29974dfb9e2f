"""What the documentation of pyvips shows: `thumbnail()` of the file, once for every size.

python pyvips_recipe.py PHOTOS OUT [PROCESSES]
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

WIDTHS = (256, 640, 1280)
MARKED = 1600
QUALITY = 82
TEXT = "© Harbour Gazette"


def process(job: tuple[str, str]) -> None:
    import pyvips  # noqa: PLC0415 - only in the worker processes: libvips does not survive a fork

    source, stem = job
    for width in WIDTHS:
        thumbnail = pyvips.Image.thumbnail(source, width, height=10_000_000, size="down")
        thumbnail.jpegsave(f"{stem}-{width}.jpg", Q=QUALITY, keep="none")
    picture = pyvips.Image.thumbnail(source, MARKED, height=10_000_000, size="down")
    text = pyvips.Image.text(TEXT, font="sans", height=max(8, round(picture.width * 0.03)), dpi=300)
    mask = (text * 0.7).cast("uchar")
    mark = mask.new_from_image([255, 255, 255]).bandjoin(mask).copy(interpretation="srgb")
    margin = round(picture.width * 0.02)
    marked = picture.composite2(
        mark,
        "over",
        x=picture.width - mask.width - margin,
        y=picture.height - mask.height - margin,
    )
    marked.flatten().cast("uchar").jpegsave(f"{stem}-marked.jpg", Q=QUALITY, keep="none")


def main() -> None:
    photos, out = Path(sys.argv[1]), Path(sys.argv[2])
    processes = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    os.environ["VIPS_CONCURRENCY"] = "1"
    jobs = []
    for path in sorted(photos.rglob("*.jpg")):
        target = out / path.relative_to(photos).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        jobs.append((str(path), str(target)))
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for _ in pool.imap_unordered(process, jobs):
            pass


if __name__ == "__main__":
    main()
