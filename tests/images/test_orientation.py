"""Whatever way a camera was held, what comes out is upright, and says nothing of turning."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.images.bench import Bench
from tests.images.files import HERE, UPRIGHT, coded, corners, opened, quadrants

EIGHT = range(1, 9)
_STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned(orientation: int, form: str, size: tuple[int, int] = (96, 64)) -> bytes:
    """A file whose samples lie as the orientation says, so that it is upright when it is obeyed."""
    image = Image.fromarray(quadrants(*size))
    how = _STORED_AS[orientation]
    if how is not None:
        image = image.transpose(how)
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    options = {"jpeg": {"quality": 95}, "webp": {"quality": 95}}.get(form, {})
    image.save(out, form, exif=exif, **options)
    return out.getvalue()


@pytest.mark.parametrize("orientation", EIGHT)
def test_the_fixtures_are_what_another_reader_takes_them_for(orientation: int) -> None:
    image = Image.open(io.BytesIO(turned(orientation, "jpeg")))
    assert corners(np.asarray(ImageOps.exif_transpose(image))) == UPRIGHT


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", EIGHT)
def test_all_eight_come_out_upright(
    bench: Bench, tmp_path: Path, orientation: int, form: str
) -> None:
    path = tmp_path / f"picture.{form}"
    path.write_bytes(turned(orientation, form))
    bench.stage("validate").stage("metadata").stage("encode", formats=["jpeg", "webp", "png"])
    checked, said, made = bench.all(path)

    assert (checked.facts["width"], checked.facts["height"]) == (96, 64)
    assert said.facts["orientation"] == orientation
    for rendition in made.renditions:
        data = bench.bytes_of(rendition)
        assert corners(opened(data)) == UPRIGHT
        assert (rendition.width, rendition.height) == (96, 64)
        assert Image.open(io.BytesIO(data)).getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("orientation", EIGHT)
def test_they_do_where_the_decode_shrinks(bench: Bench, tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(turned(orientation, "jpeg", (960, 640)))
    bench.stage("thumbnails", widths=[100])
    (small,) = bench.one(path).renditions
    assert (small.width, small.height) == (100, 67)
    assert corners(opened(bench.bytes_of(small))) == UPRIGHT


@pytest.mark.parametrize("said", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_counts_as_upright(
    bench: Bench, tmp_path: Path, said: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = said
    path = tmp_path / "picture.jpg"
    path.write_bytes(coded(quadrants(), "jpeg", exif=exif, quality=95))
    bench.stage("encode", formats=["png"])
    (rendition,) = bench.one(path).renditions
    assert corners(opened(bench.bytes_of(rendition))) == UPRIGHT


def test_a_heic_is_turned_once(bench: Bench) -> None:
    # Its file says so twice: in its own box, which libheif obeys, and in EXIF.
    path = HERE / "fixtures" / "quadrants-turned.heic"
    bench.stage("validate").stage("encode", formats=["png"])
    checked, made = bench.all(path)
    assert (checked.facts["width"], checked.facts["height"]) == (48, 64)
    (rendition,) = made.renditions
    assert corners(opened(bench.bytes_of(rendition))) == ["blue", "red", "green", "white"]
