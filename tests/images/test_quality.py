"""How good the pictures are, against exact resizing of a full decode by another library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.images.bench import Bench
from tests.images.files import coded, opened, photo
from tests.images.likeness import psnr


@pytest.fixture(scope="module")
def large() -> bytes:
    return coded(photo(2400, 1800), "jpeg", quality=92)


def test_a_cascade_over_a_shrunk_decode_is_as_good_as_exact(
    bench: Bench, tmp_path: Path, large: bytes
) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(large)
    bench.stage("thumbnails", widths=[256, 640, 1100], format="png", linear=False)
    for rendition in bench.one(path).renditions:
        size = (rendition.width, rendition.height)
        exact = Image.fromarray(opened(large)).resize(size, Image.Resampling.LANCZOS)
        assert psnr(opened(bench.bytes_of(rendition)), np.asarray(exact)) > 36


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_quality_is_what_is_asked_for(bench: Bench, tmp_path: Path, form: str) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(coded(photo(), "png"))
    bench.stage("low", "encode", formats=[form], quality=30)
    bench.stage("usual", "encode", formats=[form])
    bench.stage("high", "encode", formats=[form], quality=92)
    files = [outcome.renditions[0] for outcome in bench.all(path)]
    sizes = [one.bytes for one in files]
    quality = [psnr(opened(bench.bytes_of(one)), photo()) for one in files]
    assert sizes == sorted(sizes)
    assert quality == sorted(quality)
    assert quality[1] > 33


@pytest.mark.parametrize(("quality", "factors"), [(89, (2, 2)), (90, (1, 1))])
def test_chroma_is_halved_below_quality_90(
    bench: Bench, tmp_path: Path, quality: int, factors: tuple[int, int]
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(coded(photo(64, 64), "png"))
    bench.stage("encode", formats=["jpeg"], quality=quality)
    data = bench.bytes_of(bench.one(path).renditions[0])
    at = data.index(b"\xff\xc0")
    sampling = data[at + 11]
    assert (sampling >> 4, sampling & 15) == factors


def test_linear_light_keeps_the_brightness_of_fine_detail(bench: Bench, tmp_path: Path) -> None:
    # Black and white pixels by turns shine like a grey of 188 (after Brasseur's test), not of 128.
    board = np.indices((600, 600)).sum(axis=0) % 2 * 255
    path = tmp_path / "board.png"
    path.write_bytes(coded(np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8), "png"))
    bench.stage("thumbnails", widths=[100, 400], format="png")
    small, large = (opened(bench.bytes_of(one)) for one in bench.one(path).renditions)
    bench.stages.clear()
    bench.stage("thumbnails", widths=[100], format="png", linear=False)
    (plain,) = (opened(bench.bytes_of(one)) for one in bench.one(path).renditions)
    bench.stages.clear()
    bench.stage("thumbnails", widths=[100], format="png", linear=True)
    (bright,) = (opened(bench.bytes_of(one)) for one in bench.one(path).renditions)
    assert abs(float(plain.mean()) - 128) < 3
    assert abs(float(bright.mean()) - 188) < 3
    # By itself it does so for small widths only, here from a larger one that did not.
    assert float(large.mean()) < 135
    assert float(small.mean()) < 190


@pytest.mark.parametrize("linear", [True, False])
def test_a_flat_colour_stays_what_it_is(bench: Bench, tmp_path: Path, *, linear: bool) -> None:
    flat = np.full((300, 400, 3), (37, 120, 201), np.uint8)
    path = tmp_path / "flat.png"
    path.write_bytes(coded(flat, "png"))
    bench.stage("thumbnails", widths=[50, 133], format="png", linear=linear)
    for rendition in bench.one(path).renditions:
        found = opened(bench.bytes_of(rendition)).astype(int)
        assert np.abs(found - (37, 120, 201)).max() <= 1
