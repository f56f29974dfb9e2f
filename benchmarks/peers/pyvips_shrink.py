"""The loop of `pyvips_fused.py`, tuned further: it chooses the shrink on load itself.

    python pyvips_shrink.py PHOTOS OUT [PROCESSES]

`thumbnail()` keeps a margin of two before it shrinks on load, and so decodes 12 megapixels nearly
in full for 1600 px. Here the decode shrinks by the largest power of two that leaves 1600 px, as
ours does; then Lanczos, each size from the one before it.
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
    header = pyvips.Image.jpegload(source, autorotate=True)
    shrink = next((by for by in (8, 4, 2) if -(-header.width // by) >= MARKED), 1)
    whole = pyvips.Image.jpegload(source, shrink=shrink, autorotate=True, fail_on="error")
    picture = whole = whole.copy_memory()
    if whole.width > MARKED:
        whole = whole.resize(MARKED / whole.width, kernel="lanczos3")
    picture = whole = whole.copy_memory()
    for width in WIDTHS:
        if picture.width > width:
            picture = picture.resize(width / picture.width, kernel="lanczos3").copy_memory()
        picture.jpegsave(f"{stem}-{width}.jpg", Q=QUALITY, keep="none")
    height = max(8, round(whole.width * 0.03))
    text = pyvips.Image.text(TEXT, font="sans", height=height, dpi=300)
    mask = (text * 0.7).cast("uchar")
    margin = round(whole.width * 0.02)
    left, top = whole.width - mask.width - margin, whole.height - mask.height - margin
    mark = mask.new_from_image([255, 255, 255]).bandjoin(mask).copy(interpretation="srgb")
    area = whole.extract_area(left, top, mask.width, mask.height)
    blended = area.composite2(mark, "over").flatten().cast("uchar")
    whole.insert(blended, left, top).jpegsave(f"{stem}-marked.jpg", Q=QUALITY, keep="none")


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
