"""libjpeg-turbo through simplejpeg, and OpenCV between decode and encode: fast, and not as sharp.

    python opencv_fused.py PHOTOS OUT [PROCESSES]

INTER_AREA is what OpenCV's manual recommends for shrinking; it is softer than Lanczos. It takes
every file for upright and sRGB.
"""

from __future__ import annotations

import multiprocessing
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from PIL import Image, ImageDraw, ImageFont

WIDTHS = (1280, 640, 256)
MARKED = 1600
QUALITY = 82
TEXT = "© Harbour Gazette"


def process(job: tuple[str, str]) -> None:
    source, stem = job
    data = Path(source).read_bytes()
    # The least of the decoder's scales that is still as wide as the largest picture.
    picture = largest = fit(simplejpeg.decode_jpeg(data, "BGR", min_width=MARKED), MARKED)
    for width in widths(largest.shape[1]):
        picture = fit(picture, width)
        save(picture, f"{stem}-{width}.jpg")
    mask = mark(max(8, round(largest.shape[1] * 0.03)))
    margin = round(largest.shape[1] * 0.02)
    bottom, right = largest.shape[0] - margin, largest.shape[1] - margin
    area = largest[bottom - mask.shape[0] : bottom, right - mask.shape[1] : right]
    area[:] = (area * (1 - mask) + 255 * mask + 0.5).astype(np.uint8)
    save(largest, f"{stem}-marked.jpg")


def fit(picture: np.ndarray, width: int) -> np.ndarray:
    if picture.shape[1] <= width:
        return picture.copy()
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


def save(picture: np.ndarray, path: str) -> None:
    data = simplejpeg.encode_jpeg(picture, QUALITY, "BGR", "420")
    Path(path).write_bytes(data)


@cache
def mark(height: int) -> np.ndarray:
    """How much of white, from 0 to 1; OpenCV's own letters have no ©."""
    font = ImageFont.load_default(height)
    left, top, right, bottom = map(round, font.getbbox(TEXT))
    mask = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(mask).text((-left, -top), TEXT, fill=178, font=font)
    return np.asarray(mask, np.float32)[:, :, None] / 255


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
    with multiprocessing.get_context("spawn").Pool(processes, cv2.setNumThreads, (1,)) as pool:
        for _ in pool.imap_unordered(process, jobs):
            pass


if __name__ == "__main__":
    main()
