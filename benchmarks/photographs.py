"""Pictures to measure with: a folder of the caller's, or made here."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus" / "photos"
"""A set of photographs that may stand beside the checkout; nothing needs it."""


def photographs(asked: Path | None, scratch: Path) -> tuple[Path, str]:
    """A folder of JPEGs and a phrase that says what they are.

    In this order: what was asked for, what IMAGELANE_PHOTOS names, the corpus beside the checkout,
    and else 24 pictures of 12 megapixels made of noise (as hard to decode as a camera's).
    """
    named = asked or (Path(value) if (value := os.environ.get("IMAGELANE_PHOTOS")) else None)
    if named is None and CORPUS.is_dir():
        named = CORPUS
    if named is not None:
        return named.resolve(), described(named)
    folder = scratch / "photographs"
    make(folder, 24)
    return folder, f"{described(folder)}, generated"


def described(folder: Path) -> str:
    """E.g. ``83 JPEGs, 0.4 to 17.9 megapixels, 61 MB``."""
    sizes, total = [], 0
    for path in sorted(folder.rglob("*.jpg")):
        with Image.open(path) as picture:
            sizes.append(picture.width * picture.height / 1e6)
        total += path.stat().st_size
    if not sizes:
        raise SystemExit(f"{folder} holds no .jpg: name a folder of photographs with --photos")
    return (
        f"{len(sizes)} JPEGs, {min(sizes):.1f} to {max(sizes):.1f} megapixels "
        f"({sum(sizes):.0f} in all), {total / 1e6:.0f} MB"
    )


def make(folder: Path, count: int, width: int = 4000, height: int = 3000) -> None:
    """Cloud-like noise at several scales, quality 90, 4:2:0, in two galleries."""
    random = np.random.default_rng(20261123)
    for number in range(count):
        target = folder / f"gallery-{number % 2 + 1}" / f"picture-{number + 1:03}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            continue
        total = np.zeros((height, width, 3), np.float32)
        for scale, weight in ((8, 90), (64, 50), (512, 12), (1500, 6)):
            noise = random.random((scale * 3 // 4, scale, 3), np.float32) * 255
            layer = Image.fromarray(noise.astype(np.uint8)).resize(
                (width, height), Image.Resampling.BICUBIC
            )
            total += (np.asarray(layer, np.float32) - 127) * (weight / 127)
        picture = Image.fromarray(np.clip(total + 127, 0, 255).astype(np.uint8))
        picture.save(target, quality=90, subsampling="4:2:0")


def make_tiny(folder: Path, count: int, a_group: int = 1000) -> None:
    """``count`` PNGs of 8 x 8 px: 64 different ones, hard-linked, in groups of ``a_group``."""
    originals = folder.parent / f"{folder.name}-originals"
    originals.mkdir(parents=True, exist_ok=True)
    for number in range(64):
        colour = (number * 4, 255 - number * 4, number * 3)
        Image.new("RGB", (8, 8), colour).save(originals / f"{number}.png")
    for number in range(count):
        group = folder / f"group-{number // a_group + 1:04}"
        if number % a_group == 0:
            group.mkdir(parents=True, exist_ok=True)
        os.link(originals / f"{number % 64}.png", group / f"{number + 1:06}.png")
