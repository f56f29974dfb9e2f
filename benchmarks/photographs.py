"""Pictures to measure with: a folder of the caller's or photographs that packages bring, and from
them three sets, each of one size."""

from __future__ import annotations

import importlib.util
import io
import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.say import say

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus" / "photos"
"""A set of photographs that may stand beside the checkout; nothing needs it."""
PACKAGED = {
    "skimage": ("data/astronaut.png", "data/chelsea.png", "data/coffee.png", "data/rocket.jpg"),
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
}
A_GALLERY = 24
ORIENTATION = 0x0112
_TRANSPOSED = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_180,
)
_SHIFT = 16
"""Pixels that each further copy of a photograph lacks at the left and at the top, so that no two
files are the same: what is stored under its digest is stored once."""


@dataclass(frozen=True, slots=True)
class Size:
    """One size of photographs: ``count`` of them, each of ``megapixels`` or, where ``bytes_`` is
    given, shrunk to about so many. What lies within ``taken`` megapixels is taken as it is."""

    name: str
    count: int
    megapixels: float
    taken: tuple[float, float] = (0.0, 0.0)
    bytes_: int = 0


SIZES = (
    Size("12 megapixels", 96, 12.0, taken=(10.0, 14.0)),
    Size("1 to 2 megapixels", 300, 1.6, taken=(1.0, 2.1)),
    Size("100 kB", 600, 0.4, bytes_=100_000),
)


@dataclass(frozen=True, slots=True)
class Copy:
    """The ``number``-th picture of a set, to be made of ``origin``, and so often before."""

    origin: Path
    target: Path
    size: Size
    turn: int


def originals(asked: Path | None, scratch: Path) -> tuple[list[Path], str]:
    """Photographs, and a phrase that says where they come from.

    In this order: what was asked for, what IMAGELANE_PHOTOS names, the corpus beside the checkout,
    what packages bring, and else pictures of noise (as hard to decode as a camera's).
    """
    named = asked or (Path(value) if (value := os.environ.get("IMAGELANE_PHOTOS")) else None)
    if named is None and CORPUS.is_dir():
        named = CORPUS
    if named is not None:
        found = sorted(named.rglob("*.jpg"))
        if not found:
            raise SystemExit(f"{named} holds no .jpg: name a folder of photographs with --photos")
        return found, f"of {len(found)} photographs"
    found = [
        path
        for package, files in PACKAGED.items()
        if (spec := importlib.util.find_spec(package)) and spec.origin
        for name in files
        if (path := Path(spec.origin).parent / name).is_file()
    ]
    if found:
        return (
            found,
            f"of {len(found)} photographs of {' and '.join(PACKAGED)}, most of them enlarged",
        )
    folder = scratch / "noise"
    make(folder, 6)
    return sorted(folder.rglob("*.jpg")), "of noise, generated"


def derive(size: Size, origins: Sequence[Path], folder: Path, count: int) -> None:
    """``count`` different pictures of a size in galleries of `A_GALLERY`: originals that have it,
    and else what is made of them, mirrored, turned and cut so that no two are the same."""
    fitting = [path for path in origins if _fits(path, size)] or list(origins)
    copies = []
    for number in range(count):
        turn, index = divmod(number, len(fitting))
        gallery = folder / f"gallery-{number // A_GALLERY + 1:02}"
        gallery.mkdir(parents=True, exist_ok=True)
        copies.append(Copy(fitting[index], gallery / f"picture-{number + 1:04}.jpg", size, turn))
    say(f"  makes {count} pictures of {size.name}")
    with multiprocessing.get_context("spawn").Pool() as pool:
        pool.map(copy, copies, chunksize=4)


def _fits(path: Path, size: Size) -> bool:
    least, most = size.taken
    return path.suffix == ".jpg" and least <= _megapixels(path) <= most


def _megapixels(path: Path) -> float:
    with Image.open(path) as picture:
        return picture.width * picture.height / 1e6


def copy(made: Copy) -> None:
    """Write one picture; upright, because some peers do not look."""
    with Image.open(made.origin) as opened:
        opened.load()
        upright = opened.getexif().get(ORIENTATION, 1) == 1
        if made.turn == 0 and upright and _fits(made.origin, made.size):
            made.target.write_bytes(made.origin.read_bytes())
            return
        exif = opened.getexif()
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    exif.pop(ORIENTATION, None)
    cut = made.turn // len(_TRANSPOSED) * _SHIFT
    picture = picture.crop((cut, cut, picture.width, picture.height))
    turned = _TRANSPOSED[made.turn % len(_TRANSPOSED)]
    picture = picture if turned is None else picture.transpose(turned)
    if made.size.bytes_:
        made.target.write_bytes(_of_bytes(picture, made.size.bytes_, exif))
    else:
        if not _fits(made.origin, made.size):
            picture = _resized(picture, made.size.megapixels)
        made.target.write_bytes(_encoded(picture, 90, exif))


def _of_bytes(picture: Image.Image, wanted: int, exif: Image.Exif) -> bytes:
    """The largest of a few tries that comes near to so many bytes."""
    megapixels = 0.4
    data = b""
    for _ in range(4):
        data = _encoded(_resized(picture, megapixels), 85, exif)
        if abs(len(data) / wanted - 1) < 0.1:
            break
        megapixels *= wanted / len(data)
    return data


def _resized(picture: Image.Image, megapixels: float) -> Image.Image:
    scale = (megapixels * 1e6 / (picture.width * picture.height)) ** 0.5
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _encoded(picture: Image.Image, quality: int, exif: Image.Exif) -> bytes:
    file = io.BytesIO()
    picture.save(file, "jpeg", quality=quality, subsampling="4:2:0", exif=exif)
    return file.getvalue()


def described(folder: Path) -> str:
    """E.g. ``83 JPEGs, 0.4 to 17.9 megapixels (376 in all), 61 MB``."""
    paths = sorted(folder.rglob("*.jpg"))
    sizes = [_megapixels(path) for path in paths]
    total = sum(path.stat().st_size for path in paths)
    return (
        f"{len(sizes)} JPEGs, {min(sizes):.1f} to {max(sizes):.1f} megapixels "
        f"({sum(sizes):.0f} in all), {total / 1e6:.0f} MB"
    )


def make(folder: Path, count: int, width: int = 4000, height: int = 3000) -> None:
    """Cloud-like noise at several scales, quality 90, 4:2:0."""
    random = np.random.default_rng(20261123)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        total = np.zeros((height, width, 3), np.float32)
        for scale, weight in ((8, 90), (64, 50), (512, 12), (1500, 6)):
            noise = random.random((scale * 3 // 4, scale, 3), np.float32) * 255
            layer = Image.fromarray(noise.astype(np.uint8)).resize(
                (width, height), Image.Resampling.BICUBIC
            )
            total += (np.asarray(layer, np.float32) - 127) * (weight / 127)
        picture = Image.fromarray(np.clip(total + 127, 0, 255).astype(np.uint8))
        target = folder / f"picture-{number + 1:03}.jpg"
        picture.save(target, quality=90, subsampling="4:2:0")


def make_tiny(folder: Path, count: int, a_group: int = 1000) -> None:
    """``count`` PNGs of 8 x 8 px: 64 different ones, hard-linked, in groups of ``a_group``."""
    tiles = folder.parent / f"{folder.name}-originals"
    tiles.mkdir(parents=True, exist_ok=True)
    for number in range(64):
        colour = (number * 4, 255 - number * 4, number * 3)
        Image.new("RGB", (8, 8), colour).save(tiles / f"{number}.png")
    for number in range(count):
        group = folder / f"group-{number // a_group + 1:04}"
        if number % a_group == 0:
            group.mkdir(parents=True, exist_ok=True)
        os.link(tiles / f"{number % 64}.png", group / f"{number + 1:06}.png")
