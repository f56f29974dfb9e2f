from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image, ImageChops

from tests.conftest import Imagelane, Paint
from tests.examples.conftest import Example


@pytest.fixture
def archive(example: Callable[[str], Example], paint: Paint) -> Example:
    found = example("archive")
    for page in range(1, 5):
        colour = (page * 40, 20, 20)
        paint(found.folder / "scans" / "volume-1" / f"page-{page}.tif", (400, 560), colour=colour)
    return found


def test_masters_are_lossless_and_in_order(archive: Example, imagelane: Imagelane) -> None:
    imagelane("run", archive.pipeline, "--quiet", cwd=archive.folder)
    images = archive.manifest("volume-1", "masters")["images"]
    assert [image["name"] for image in images] == [f"page-{n}.tif" for n in range(1, 5)]
    masters = sorted((archive.folder / "masters" / "volume-1").glob("*.png"))
    scans = sorted((archive.folder / "scans" / "volume-1").glob("*.tif"))
    assert len(masters) == len(scans) == 4
    for master, scan in zip(masters, scans, strict=True):
        with Image.open(master) as made, Image.open(scan) as source:
            assert (
                ImageChops.difference(made.convert("RGB"), source.convert("RGB")).getbbox() is None
            )


def test_a_failure_halts_the_run_and_nothing_goes_live(
    archive: Example, imagelane: Imagelane
) -> None:
    torn = archive.folder / "scans" / "volume-1" / "page-2.tif"
    torn.write_bytes(torn.read_bytes()[:200])
    done = imagelane("run", archive.pipeline, "--quiet", cwd=archive.folder, code=3)
    assert "page-2.tif" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert archive.live("masters") == []
