"""The floor: a JPEG stays in its own colour space from decode to encode, and nothing else is done.

    python planar_loop.py PHOTOS OUT [PROCESSES]

libjpeg-turbo decodes to the planes of brightness and colour at a half, a quarter or an eighth,
Lanczos makes the planes smaller, libjpeg-turbo encodes them. Half the samples of RGB, and no
conversion there or back. It takes every file for upright, sRGB and YCbCr.
"""

from __future__ import annotations

import multiprocessing
import sys
from functools import cache
from pathlib import Path

import cykooz_resizer as resizer
import numpy as np
import simplejpeg
from PIL import Image, ImageDraw, ImageFont
from turbojpeg import TurboJPEG

WIDTHS = (1280, 640, 256)
MARKED = 1600
QUALITY = 82
TEXT = "© Harbour Gazette"
LANCZOS = resizer.ResizeOptions(
    resizer.ResizeAlg.convolution(resizer.FilterType.lanczos3), use_alpha=False
)
Planes = list[Image.Image]
"""Brightness; and, but for grey, two of colour at half of its width and height."""


def process(job: tuple[str, str]) -> None:
    source, stem = job
    turbo = decoder()
    data = Path(source).read_bytes()
    full, high, _, _ = turbo.decode_header(data)
    shrink = next((one for one in (8, 4, 2) if full // one >= MARKED), 1)
    light, *colour = turbo.decode_to_yuv_planes(data, scaling_factor=(1, shrink))
    # At odd sizes the decoder gives a row or a column more than there is.
    light = np.ascontiguousarray(light[: -(-high // shrink), : -(-full // shrink)])
    planes = [Image.fromarray(plane) for plane in (light, *colour)]
    largest = planes = fit(planes, min(MARKED, planes[0].width))
    for width in widths(largest[0].width):
        planes = fit(planes, min(width, planes[0].width))
        save(planes, f"{stem}-{width}.jpg")
    watermark(largest)
    save(largest, f"{stem}-marked.jpg")


def fit(planes: Planes, width: int) -> Planes:
    light = planes[0]
    height = max(1, round(light.height * width / light.width))
    half = ((width + 1) // 2, (height + 1) // 2)
    return [resized(planes[0], (width, height)), *(resized(plane, half) for plane in planes[1:])]


def resized(plane: Image.Image, size: tuple[int, int]) -> Image.Image:
    if plane.size == size:
        return plane.copy()
    made = Image.new("L", size)
    scaler().resize_pil(plane, made, LANCZOS)
    return made


def watermark(planes: Planes) -> None:
    """White where the text is: full brightness, and no colour."""
    light = planes[0]
    mask = mark(max(8, round(light.width * 0.03)))
    margin = round(light.width * 0.02)
    left, top = light.width - mask.width - margin, light.height - mask.height - margin
    light.paste(255, (left, top), mask)
    for plane in planes[1:]:
        plane.paste(128, (left // 2, top // 2), mask.reduce(2))


@cache
def mark(height: int) -> Image.Image:
    font = ImageFont.load_default(height)
    left, top, right, bottom = map(round, font.getbbox(TEXT))
    mask = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(mask).text((-left, -top), TEXT, fill=178, font=font)
    return mask


def save(planes: Planes, path: str) -> None:
    light, *colour = (np.asarray(plane) for plane in planes)
    blue, red = colour or (None, None)
    Path(path).write_bytes(simplejpeg.encode_jpeg_yuv_planes(light, blue, red, QUALITY))


@cache
def decoder() -> TurboJPEG:
    return TurboJPEG()


@cache
def scaler() -> resizer.Resizer:
    return resizer.Resizer()


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
