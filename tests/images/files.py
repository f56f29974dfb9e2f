"""Picture files, made by other programs' libraries than the one under test wherever possible."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.uint8]
HERE = Path(__file__).parent
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 40), (40, 50, 210), (250, 250, 250)


def quadrants(width: int = 96, height: int = 64) -> Array:
    """Red and green above blue and white: which way is up can be seen at its corners."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = RED
    pixels[: height // 2, width // 2 :] = GREEN
    pixels[height // 2 :, : width // 2] = BLUE
    pixels[height // 2 :, width // 2 :] = WHITE
    return pixels


def photo(width: int = 640, height: int = 480, seed: int = 7) -> Array:
    """Something with the statistics of a photograph: smooth areas, edges and fine grain."""
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3))
    for scale in (4, 16, 64):
        coarse = random.random((height // scale + 2, width // scale + 2, 3)).astype(np.float32)
        layers = [
            Image.fromarray(coarse[:, :, band]).resize((width, height), Image.Resampling.BICUBIC)
            for band in range(3)
        ]
        picture += np.stack([np.asarray(layer) for layer in layers], axis=-1) * scale
    picture = (picture - picture.min()) / (picture.max() - picture.min()) * 255
    down, across = np.mgrid[0:height, 0:width]
    disc = (across - width * 0.6) ** 2 + (down - height * 0.4) ** 2 < (height * 0.2) ** 2
    picture[disc] = picture[disc] * 0.3 + np.array([200, 170, 20]) * 0.7
    pixels: Array = picture.clip(0, 255).astype(np.uint8)
    return pixels


def coded(pixels: Array, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


def opened(data: bytes) -> Array:
    """A file's picture as Pillow sees it, as RGB or RGBA; not turned."""
    image = Image.open(io.BytesIO(data))
    return np.asarray(image.convert("RGBA" if "A" in image.getbands() else "RGB"))


def corners(pixels: Array) -> list[str]:
    """The colours of the four corners, clockwise from the upper left."""
    height, width = pixels.shape[:2]
    inset = max(2, min(height, width) // 8)
    places = [
        (inset, inset),
        (inset, width - 1 - inset),
        (height - 1 - inset, width - 1 - inset),
        (height - 1 - inset, inset),
    ]
    names = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}

    def nearest(place: tuple[int, int]) -> str:
        found = pixels[place][:3].astype(int)
        return min(names, key=lambda name: np.abs(found - names[name]).sum())

    return [nearest(place) for place in places]


UPRIGHT = ["red", "green", "white", "blue"]


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, *, rows: bytes | None = None, extra: bytes = b"", colour: int = 2
) -> bytes:
    """A PNG of 8 bits with chunks of one's own; without ``rows`` it is black."""
    bands = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    body = rows if rows is not None else (b"\0" + b"\0" * width * bands) * height
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)),
            extra,
            png_chunk(b"IDAT", zlib.compress(body)),
            png_chunk(b"IEND", b""),
        ]
    )
