"""A hand-written loop that knows what it does: one decode an image, sizes cascaded, two processes.

    python pyvips_fused.py PHOTOS OUT [PROCESSES]

`thumbnail(1600)` shrinks on load; every smaller size is made from the next larger one. It takes
every file for sRGB (asking for an output profile would cost untagged files four times the work).
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

WIDTHS = (1280, 640, 256)
MARKED = 1600
QUALITY = 82
TEXT = "© Harbour Gazette"


def process(job: tuple[str, str]) -> None:
    import pyvips  # noqa: PLC0415 - only in the worker processes: libvips does not survive a fork

    source, stem = job
    largest = pyvips.Image.thumbnail(
        source, MARKED, height=10_000_000, size="down", fail_on="error"
    ).copy_memory()
    picture = largest
    for width in widths(largest.width):
        if picture.width > width:
            picture = picture.thumbnail_image(width, height=10_000_000).copy_memory()
        picture.jpegsave(f"{stem}-{width}.jpg", Q=QUALITY, keep="none")
    height = max(8, round(largest.width * 0.03))
    text = pyvips.Image.text(TEXT, font="sans", height=height, dpi=300)
    mask = (text * 0.7).cast("uchar")
    margin = round(largest.width * 0.02)
    left, top = largest.width - mask.width - margin, largest.height - mask.height - margin
    mark = mask.new_from_image([255, 255, 255]).bandjoin(mask).copy(interpretation="srgb")
    area = largest.extract_area(left, top, mask.width, mask.height)
    blended = area.composite2(mark, "over").flatten().cast("uchar")
    largest.insert(blended, left, top).jpegsave(f"{stem}-marked.jpg", Q=QUALITY, keep="none")


def widths(own: int) -> list[int]:
    """Those below a picture's own, and one that gives its own: none is made twice."""
    return [*[width for width in WIDTHS if width >= own][-1:], *(w for w in WIDTHS if w < own)]


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
