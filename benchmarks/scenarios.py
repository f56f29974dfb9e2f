"""Pipelines from the field, with pictures made for them: what advice is tried on.

Each is a folder with a pipeline file, its user's own functions, and pictures. ``seed`` makes other
pictures of the same kinds, so that what is predicted was not measured before.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

STAGES = '''\
"""Stages that wait, for a service or for a lock."""

import sqlite3
import time
from pathlib import Path

from imagelane import Source, stage


@stage(waits=True)
def wait(source: Source, *, seconds: float) -> None:
    """Something else takes so long."""
    time.sleep(seconds)


@stage(waits=True)
def register(source: Source, *, seconds: float) -> None:
    """Write a row, and hold the database while what goes with it is found out."""
    database = sqlite3.connect(Path(__file__).with_name("ledger.db"), timeout=60)
    try:
        database.execute("BEGIN IMMEDIATE")
        database.execute("CREATE TABLE IF NOT EXISTS pictures (name, bytes)")
        time.sleep(seconds)
        database.execute("INSERT INTO pictures VALUES (?, ?)", (source.name, len(source.data)))
        database.commit()
    finally:
        database.close()
'''


@dataclass(frozen=True, slots=True)
class Scenario:
    """``text`` is the pipeline file, for waits that are ``scale`` times as long as in the field.
    ``pictures`` puts so many of them into a folder."""

    name: str
    told: str
    images: int
    text: Callable[[float], str]
    pictures: Callable[[Path, int, int], None]

    def make(self, folder: Path, images: int, *, scale: float = 1.0, seed: int = 1) -> Path:
        """Lay it out anew; gives the pipeline file."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "stages.py").write_text(STAGES, encoding="utf-8")
        self.pictures(folder / "photos", images, seed)
        file = folder / "pipeline.yaml"
        file.write_text(self.text(scale), encoding="utf-8")
        return file


def tiny(folder: Path, images: int, seed: int, a_group: int = 25) -> None:
    """PNGs of 8 × 8 px: nothing to do for a processor."""
    random = np.random.default_rng(seed)
    for number in range(images):
        target = folder / f"group-{number // a_group + 1:03}" / f"{number + 1:05}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(target)


def photographs(folder: Path, images: int, seed: int, a_group: int = 12) -> None:
    """JPEGs of 0.3 to 4 megapixels with something to see in them."""
    random = np.random.default_rng(seed)
    for number in range(images):
        target = folder / f"group-{number // a_group + 1:03}" / f"{number + 1:05}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        width = int(random.choice([640, 1024, 1600, 2048, 2400]))
        height = width * 3 // 4
        base = random.integers(0, 255, (height // 32, width // 32, 3), dtype=np.uint8)
        picture = Image.fromarray(base).resize((width, height), Image.Resampling.BICUBIC)
        noise = random.normal(0, float(random.uniform(2, 12)), (height, width, 3))
        pixels = np.clip(np.asarray(picture, np.float32) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(target, quality=88)


def _waiting(seconds: Mapping[str, float], needs: Mapping[str, str], more: str = "") -> str:
    lines = ["images: {from: photos/, group: folder}", "stages:"]
    for name, taken in seconds.items():
        lines += [
            f"  {name}:",
            "    uses: stages:wait",
            f"    needs: [{needs.get(name, '')}]",
            f"    with: {{seconds: {taken:.4f}}}",
        ]
        if name == "moderate":
            lines.append("    workers: 5")
    return "\n".join([*lines, more]) + "\n"


_NEEDS = {
    "metadata": "validate",
    "thumbnails": "metadata",
    "watermark": "thumbnails",
    "moderate": "watermark",
    "store": "moderate",
    "publish": "store",
}
_FREE = {
    "metadata": "validate",
    "thumbnails": "validate",
    "watermark": "metadata",
    "moderate": "validate",
    "store": "thumbnails, watermark, moderate",
    "publish": "store",
}
SEVEN = ("validate", *_NEEDS)


def _news(scale: float) -> str:
    seconds = dict.fromkeys(SEVEN, 0.5 * scale)
    text = _waiting(seconds, _NEEDS).replace("    workers: 5\n", "")
    return f"pipeline: news-gallery\nrun: {{pools: {{io: 10}}}}\n{text}"


def _moderated(scale: float) -> str:
    seconds = {**dict.fromkeys(SEVEN, 0.5 * scale), "moderate": 2.0 * scale}
    return "pipeline: moderated-gallery\n" + _waiting(seconds, _FREE)


def _products(scale: float) -> str:
    return f"""\
pipeline: products
images: {{from: photos/, group: folder}}
stages:
  validate:
  thumbnails:
    needs: [validate]
    with: {{widths: [320, 640]}}
  policy:
    uses: stages:wait
    needs: [validate]
    with: {{seconds: {2.0 * scale:.4f}}}
    workers: 16
  store:
    needs: [thumbnails, policy]
    with: {{to: public/}}
  publish:
    scope: group
    needs: [store]
"""


def _avatars(_: float) -> str:
    return """\
pipeline: avatars
images: {from: photos/, group: none}
stages:
  validate:
  crop:
    with: {aspect: "1:1"}
  encode:
    with: {formats: [jpeg], widths: [64, 256]}
  store:
    with: {to: public/}
  publish:
    scope: group
"""


def _archive(_: float) -> str:
    return """\
pipeline: archive
images: {from: photos/, group: folder}
run: {model: sequential}
stages:
  validate:
  metadata:
  thumbnails:
    with: {widths: [480, 1080]}
  store:
    with: {to: public/}
  contact-sheet:
    scope: group
  publish:
    scope: group
"""


def _ledger(scale: float) -> str:
    return f"""\
pipeline: ledger
images: {{from: photos/, group: folder}}
stages:
  validate:
  register:
    uses: stages:register
    needs: [validate]
    with: {{seconds: {0.5 * scale:.4f}}}
"""


SCENARIOS = {
    one.name: one
    for one in (
        Scenario("news", "50 images, seven stages of 0.5 s", 50, _news, tiny),
        Scenario("moderated", "the same, moderation 2 s with 5 at once", 50, _moderated, tiny),
        Scenario(
            "products", "10,000 products, a policy check of 2 s", 10_000, _products, photographs
        ),
        Scenario("avatars", "a burst of 1,000 avatars", 1_000, _avatars, photographs),
        Scenario("archive", "an archive, in order", 500, _archive, photographs),
        Scenario("ledger", "every picture is written under a lock", 200, _ledger, tiny),
    )
}
