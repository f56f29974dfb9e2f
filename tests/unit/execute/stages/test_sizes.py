"""thumbnails, encode, resize, crop: which sizes come out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imagelane.model.outcome import Rendition
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench, source_of
from tests.images.files import Array, coded, opened, photo


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(coded(photo(600, 400), "jpeg", quality=92))
    return path


def sizes(renditions: tuple[Rendition, ...]) -> list[tuple[str, str, int, int]]:
    return [(one.name, one.format, one.width, one.height) for one in renditions]


def test_thumbnails_are_named_after_their_widths(bench: Bench, picture: Path) -> None:
    bench.stage("thumbnails", widths=[480, 160])
    assert sizes(bench.one(picture).renditions) == [
        ("160", "jpeg", 160, 107),
        ("480", "jpeg", 480, 320),
    ]


def test_none_is_larger_than_the_picture_and_its_own_size_comes_once(
    bench: Bench, picture: Path
) -> None:
    bench.stage("thumbnails", widths=[300, 800, 1200, 5000])
    assert sizes(bench.one(picture).renditions) == [
        ("300", "jpeg", 300, 200),
        ("800", "jpeg", 600, 400),
    ]


def test_a_picture_of_one_pixel(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    path.write_bytes(coded(np.full((1, 1, 3), 90, np.uint8), "png"))
    bench.stage("validate").stage("metadata").stage("thumbnails", widths=[1, 160])
    bench.stage("watermark", text="© Gazette").stage(
        "encode", formats=["jpeg", "webp", "avif", "png"]
    )
    outcomes = bench.all(path)
    assert sizes(outcomes[2].renditions) == [("1", "jpeg", 1, 1)]
    assert len(outcomes[4].renditions) == 4


@pytest.mark.parametrize("size", [(3000, 2), (2, 3000)])
def test_a_line(bench: Bench, tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "line.jpg"
    path.write_bytes(coded(photo(*size), "jpeg"))
    bench.stage("validate").stage("metadata").stage("thumbnails", widths=[1, 100])
    bench.stage("crop", aspect="1:1", at="attention")
    for outcome in bench.all(path):
        assert all(one.width >= 1 <= one.height for one in outcome.renditions)


def test_encode_makes_every_format_in_every_width(bench: Bench, picture: Path) -> None:
    bench.stage("encode", formats=["avif", "webp", "jpeg"], widths=[400, 200])
    assert sizes(bench.one(picture).renditions) == [
        ("200", "avif", 200, 133),
        ("200", "webp", 200, 133),
        ("200", "jpeg", 200, 133),
        ("400", "avif", 400, 267),
        ("400", "webp", 400, 267),
        ("400", "jpeg", 400, 267),
    ]


def test_encode_without_widths_takes_the_pictures_own(bench: Bench, picture: Path) -> None:
    bench.stage("encode", formats=["jpeg"])
    assert sizes(bench.one(picture).renditions) == [("600", "jpeg", 600, 400)]


def test_each_format_has_its_own_quality(bench: Bench, picture: Path) -> None:
    bench.stage("usual", "encode", formats=["webp", "jpeg"])
    bench.stage("other", "encode", formats=["webp", "jpeg"], quality={"webp": 20})
    usual, other = (outcome.renditions for outcome in bench.all(picture))
    assert other[0].bytes < usual[0].bytes
    assert other[1] == usual[1]


def made(bench: Bench, picture: Path, kind: str, **parameters: Any) -> Array:
    """The picture that a stage makes, as a PNG of it shows it."""
    bench.stage(kind, **parameters)
    bench.stage("encode", formats=["png"], needs=[kind], picture=kind)
    (rendition,) = bench.one(picture).renditions
    return opened(bench.bytes_of(rendition))


@pytest.mark.parametrize(
    ("parameters", "size"),
    [
        ({"width": 300}, (300, 200)),
        ({"height": 100}, (150, 100)),
        ({"width": 300, "height": 100}, (150, 100)),
        ({"width": 300, "height": 300, "fit": "cover"}, (450, 300)),
        ({"width": 300, "height": 300, "fit": "fill"}, (300, 300)),
        ({"width": 1200}, (600, 400)),
        ({"width": 1200, "upscale": True}, (1200, 800)),
        ({"width": 300, "height": 900, "fit": "fill"}, (300, 400)),
        ({"width": 300, "height": 900, "fit": "fill", "upscale": True}, (300, 900)),
        ({"width": 700, "height": 100, "fit": "cover"}, (600, 400)),
    ],
)
def test_resize(
    bench: Bench, picture: Path, parameters: dict[str, Any], size: tuple[int, int]
) -> None:
    found = made(bench, picture, "resize", **parameters)
    assert (found.shape[1], found.shape[0]) == size


@pytest.mark.parametrize(
    ("parameters", "size"),
    [
        ({"width": 200, "height": 200}, (200, 200)),
        ({"aspect": "1:1"}, (400, 400)),
        ({"aspect": "3:1"}, (600, 200)),
        ({"aspect": "1:2", "at": "attention"}, (200, 400)),
        ({"width": 800, "height": 400}, (600, 300)),
        ({"width": 100, "height": 300, "at": "entropy"}, (100, 300)),
    ],
)
def test_crop(
    bench: Bench, picture: Path, parameters: dict[str, Any], size: tuple[int, int]
) -> None:
    found = made(bench, picture, "crop", **parameters)
    assert (found.shape[1], found.shape[0]) == size


def dot(tmp_path: Path, across: float, down: float) -> Path:
    """A grey picture with a red dot at a place given in shares."""
    pixels = np.full((400, 600, 3), 128, np.uint8)
    x, y = int(across * 600), int(down * 400)
    pixels[max(0, y - 20) : y + 20, max(0, x - 20) : x + 20] = (230, 20, 20)
    path = tmp_path / "dot.png"
    path.write_bytes(coded(pixels, "png"))
    return path


def middle_of_dot(pixels: Array) -> tuple[float, float]:
    rows, columns = np.nonzero(pixels[:, :, 0].astype(int) - pixels[:, :, 1] > 60)
    assert len(rows)
    return float(columns.mean()) / pixels.shape[1], float(rows.mean()) / pixels.shape[0]


@pytest.mark.parametrize(
    ("focal", "expected"),
    [([0.3, 0.5], 0.5), ([0.7, 0.5], 0.5), ([0.95, 0.5], 0.85), ([0.05, 0.5], 0.15)],
)
def test_a_focal_point_is_brought_to_the_middle_as_far_as_the_edges_allow(
    bench: Bench, tmp_path: Path, focal: list[float], expected: float
) -> None:
    path = dot(tmp_path, *focal)
    found = made(bench, path, "crop", width=100, height=200, focal=focal, at="entropy")
    assert abs(middle_of_dot(found)[0] - expected) < 0.06


def test_a_focal_point_from_a_manifest(bench: Bench, tmp_path: Path) -> None:
    path = dot(tmp_path, 0.2, 0.5)
    file = replace(source_of(path), columns={"focal": "0.2, 0.5"})
    bench.stage("crop", width=100, height=200, focal="{focal}")
    bench.stage("encode", formats=["png"], needs=["crop"], picture="crop")
    (rendition,) = bench.one(file).renditions
    assert abs(middle_of_dot(opened(bench.bytes_of(rendition)))[0] - 0.5) < 0.06


@pytest.mark.parametrize("said", ["left", "0.5", "0.5, 1.5", "nan, 0.5"])
def test_a_focal_point_that_is_none(bench: Bench, tmp_path: Path, said: str) -> None:
    file = replace(source_of(dot(tmp_path, 0.5, 0.5)), columns={"focal": said})
    failure = bench.stage("crop", width=100, height=200, focal="{focal}").fails(file)
    assert failure.error is ErrorClass.INVALID
    assert "focal point" in failure.message


def test_attention_keeps_what_draws_the_eye(bench: Bench, tmp_path: Path) -> None:
    path = dot(tmp_path, 0.85, 0.5)
    found = made(bench, path, "crop", width=150, height=200, at="attention")
    assert 0 < middle_of_dot(found)[0] < 1


def test_a_chain_of_pictures(bench: Bench, picture: Path) -> None:
    bench.stage("crop", aspect="1:1")
    bench.stage("resize", width=100, needs=["crop"], picture="crop")
    bench.stage("thumbnails", widths=[50, 160], needs=["resize"], picture="resize")
    assert sizes(bench.one(picture).renditions) == [
        ("50", "jpeg", 50, 50),
        ("160", "jpeg", 100, 100),
    ]


def test_a_side_that_a_format_cannot_have_is_said(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    path.write_bytes(coded(np.zeros((4, 17_000, 3), np.uint8), "png"))
    failure = bench.stage("encode", formats=["webp"]).fails(path)
    assert "16,383" in failure.message
