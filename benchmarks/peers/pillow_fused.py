"""Pillow as somebody uses it who has read its manual: `draft` before the decode, sizes cascaded.

python pillow_fused.py PHOTOS OUT [PROCESSES]
"""

from __future__ import annotations

import multiprocessing
import sys
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

WIDTHS = (1280, 640, 256)
MARKED = 1600
QUALITY = 82
TEXT = "© Harbour Gazette"


def process(job: tuple[str, str]) -> None:
    source, stem = job
    with Image.open(source) as opened:
        opened.draft("RGB", (MARKED, round(MARKED * opened.height / opened.width)))
        largest = picture = fit(ImageOps.exif_transpose(opened).convert("RGB"), MARKED)
    for width in widths(largest.width):
        picture = fit(picture, width)
        picture.save(f"{stem}-{width}.jpg", quality=QUALITY)
    mask = mark(max(8, round(largest.width * 0.03)))
    margin = round(largest.width * 0.02)
    place = (largest.width - mask.width - margin, largest.height - mask.height - margin)
    largest.paste((255, 255, 255), place, mask)
    largest.save(f"{stem}-marked.jpg", quality=QUALITY)


def fit(picture: Image.Image, width: int) -> Image.Image:
    if picture.width <= width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


@cache
def mark(height: int) -> Image.Image:
    font = ImageFont.load_default(height)
    left, top, right, bottom = map(round, font.getbbox(TEXT))
    mask = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(mask).text((-left, -top), TEXT, fill=178, font=font)
    return mask


def widths(own: int) -> list[int]:
    """Those below a picture's own, and one that gives its own: none is made twice."""
    return [*[width for width in WIDTHS if width >= own][-1:], *(w for w in WIDTHS if w < own)]


def main() -> None:
    photos, out = Path(sys.argv[1]), Path(sys.argv[2])
    processes = int(sys.argv[3]) if len(sys.argv) > 3 else 2
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
