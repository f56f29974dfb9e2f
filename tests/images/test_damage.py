"""A damaged picture is `invalid`, with a reason, and never half a picture."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imagelane.execute import vips
from imagelane.model.outcome import Failure, Success
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.images.files import HERE, coded, photo

PHOTO = coded(photo(800, 600), "jpeg", quality=90)


def check(bench: Bench, tmp_path: Path, data: bytes, **extra: Any) -> Failure | None:
    path = tmp_path / "picture"
    path.write_bytes(data)
    if "validate" not in bench.stages:
        bench.stage("validate", **extra).stage("thumbnails", widths=[200], needs=["validate"])
    report = bench.order(path)[0]
    return report.outcome if isinstance(report.outcome, Failure) else None


def must_be_invalid(failure: Failure | None) -> None:
    assert failure is not None
    assert failure.error is ErrorClass.INVALID
    assert failure.message
    assert "\n" not in failure.message
    assert failure.detail == ""


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "gif", "tiff", "avif"])
def test_cut_off(bench: Bench, tmp_path: Path, form: str, share: float) -> None:
    known: dict[str, dict[str, Any]] = {
        "jpeg": {"quality": 90},
        "tiff": {"compression": "tiff_lzw"},
    }
    options = known.get(form, {})
    whole = coded(photo(200, 150), form, **options)
    must_be_invalid(check(bench, tmp_path, whole[: int(len(whole) * share)]))


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "gif", "tiff", "avif"])
def test_whole(bench: Bench, tmp_path: Path, form: str) -> None:
    assert check(bench, tmp_path, coded(photo(200, 150), form)) is None


def test_a_cut_off_heic(bench: Bench, tmp_path: Path) -> None:
    whole = (HERE / "fixtures" / "gradient.heic").read_bytes()
    assert check(bench, tmp_path, whole) is None
    for length in range(0, len(whole), 31):
        must_be_invalid(check(bench, tmp_path, whole[:length]))


def test_a_small_jpeg_at_every_length(bench: Bench, tmp_path: Path) -> None:
    whole = coded(photo(32, 24), "jpeg")
    for length in range(0, len(whole) - 1, 5):
        must_be_invalid(check(bench, tmp_path, whole[:length]))


def test_bytes_taken_out_of_a_photograph(bench: Bench, tmp_path: Path) -> None:
    for place in (0.3, 0.5, 0.8):
        at = int(len(PHOTO) * place)
        must_be_invalid(check(bench, tmp_path, PHOTO[:at] + PHOTO[at + 4096 :]))


def test_noise_in_a_photograph(bench: Bench, tmp_path: Path) -> None:
    noise = random.Random(5)
    found = 0
    for _ in range(8):
        at = noise.randrange(4000, len(PHOTO) - 2000)
        bad = PHOTO[:at] + noise.randbytes(512) + PHOTO[at + 512 :]
        found += check(bench, tmp_path, bad) is not None
    assert found >= 7


DAMAGE: dict[str, tuple[Callable[[bytes, random.Random], bytes], int]] = {
    "a tenth cut off": (lambda data, _: data[: len(data) * 9 // 10], 20),
    "the last kilobyte cut off": (lambda data, _: data[:-1024], 20),
    "no end of image": (lambda data, _: data[:-2], 20),
    "4 kB taken out": (lambda data, chance: _without(data, chance, 4096), 20),
    "512 bytes of noise": (lambda data, chance: _over(data, chance, chance.randbytes(512)), 20),
    # A run of zeros can be a picture's own: what no decoder can tell, none is asked to.
    "64 bytes of zeros": (lambda data, chance: _over(data, chance, bytes(64)), 10),
}
"""What is done to twenty photographs, and how many of them must be found bad at the least. The
shrinking load of libvips finds none with 4 kB taken out, and none with zeros."""


def _without(data: bytes, chance: random.Random, count: int) -> bytes:
    at = chance.randrange(2000, len(data) - count - 100)
    return data[:at] + data[at + count :]


def _over(data: bytes, chance: random.Random, noise: bytes) -> bytes:
    at = chance.randrange(2000, len(data) - len(noise) - 100)
    return data[:at] + noise + data[at + len(noise) :]


@pytest.fixture(scope="module")
def photographs() -> list[bytes]:
    return [coded(photo(400, 300, seed), "jpeg", quality=90) for seed in range(20)]


@pytest.mark.parametrize("widths", [[90], [400]], ids=["shrunk", "full"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_whether_the_decode_shrinks_or_not(
    bench: Bench, tmp_path: Path, photographs: list[bytes], damage: str, widths: list[int]
) -> None:
    spoil, least = DAMAGE[damage]
    bench.stage("validate").stage("thumbnails", widths=widths, needs=["validate"])
    chance = random.Random(11)
    spoiled = [spoil(whole, chance) for whole in photographs]
    assert sum(check(bench, tmp_path, data) is not None for data in spoiled) >= least


def test_the_end_of_image_is_missing(bench: Bench, tmp_path: Path) -> None:
    failure = check(bench, tmp_path, PHOTO[:-2])
    must_be_invalid(failure)
    assert failure is not None
    assert "premature end" in failure.message.lower()


def test_damage_in_a_later_frame_of_an_animation(bench: Bench, tmp_path: Path) -> None:
    frames = [Image.fromarray(photo(120, 90, seed)) for seed in range(4)]
    out = io.BytesIO()
    frames[0].save(out, "gif", save_all=True, append_images=frames[1:])
    assert check(bench, tmp_path, out.getvalue()) is None
    must_be_invalid(check(bench, tmp_path, out.getvalue()[: len(out.getvalue()) * 3 // 4]))


def test_stray_bytes_among_the_metadata_are_no_damage(bench: Bench, tmp_path: Path) -> None:
    first = PHOTO.index(b"\xff\xdb")
    stray = PHOTO[:first] + b"sixteen bytes, 1" + PHOTO[first:]
    path = tmp_path / "stray.jpg"
    path.write_bytes(stray)
    bench.stage("encode", formats=["png"])
    (odd,) = bench.one(path).renditions
    path.write_bytes(PHOTO)
    (plain,) = bench.one(path).renditions
    assert odd.digest == plain.digest


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"\0" * 4000, "no picture"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "a PostScript document"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"BM\0\0\0\0", "a BMP picture"),
        (b"push graphic-context\nviewbox 0 0 640 480", "no picture"),
    ],
)
def test_what_is_no_picture_is_named(bench: Bench, tmp_path: Path, data: bytes, said: str) -> None:
    failure = check(bench, tmp_path, data)
    must_be_invalid(failure)
    assert failure is not None
    assert said in failure.message


@pytest.mark.parametrize(
    ("loader", "data"),
    [
        ("svgload_buffer", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"),
        ("pdfload_buffer", b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>"),
        ("magickload_buffer", b"push graphic-context\nviewbox 0 0 9 9\npop graphic-context"),
    ],
)
def test_loaders_of_drawings_and_documents_are_off_even_where_they_are_there(
    loader: str, data: bytes
) -> None:
    with pytest.raises(vips.VipsError):
        vips.VipsImage.new_from_buffer(data, "")
    if vips.has_operation(loader):
        # By its name as well, which goes past the choice of a loader.
        with pytest.raises(vips.VipsError, match="blocked"):
            getattr(vips.VipsImage, loader)(data)


def test_a_wrong_ending_does_not_matter(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(coded(photo(40, 30), "png"))
    assert bench.stage("validate").one(path).facts["format"] == "png"


def test_a_format_that_is_not_allowed(bench: Bench, tmp_path: Path) -> None:
    failure = check(bench, tmp_path, coded(photo(40, 30), "png"), formats=["jpeg", "webp"])
    must_be_invalid(failure)
    assert failure is not None
    assert failure.message == "this is a png: expected one of jpeg, webp"


def test_random_changes_never_do_worse_than_invalid(bench: Bench, tmp_path: Path) -> None:
    change = random.Random(11)
    seeds = [coded(photo(48, 36), form) for form in ("jpeg", "png", "webp", "gif", "tiff", "avif")]
    seeds.append((HERE / "fixtures" / "quadrants-turned.heic").read_bytes())
    for seed in seeds:
        for _ in range(12):
            data = bytearray(seed)
            for _ in range(change.randrange(1, 6)):
                data[change.randrange(len(data))] = change.randrange(256)
            failure = check(bench, tmp_path, bytes(data))
            assert failure is None or failure.error is ErrorClass.INVALID


def test_an_order_goes_on_with_what_does_not_need_the_stage_that_failed(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "plain.jpg"
    path.write_bytes(coded(photo(64, 48), "jpeg"))
    bench.stage("validate").stage("watermark", text="{nobody}", needs=["validate"])
    bench.stage("after", "encode", formats=["jpeg"], picture="watermark", needs=["watermark"])
    bench.stage("thumbnails", widths=[32], needs=["validate"])
    reports = bench.order(path)
    assert [report.stage for report in reports] == ["validate", "watermark", "thumbnails"]
    assert isinstance(reports[1].outcome, Failure)
    assert reports[1].outcome.error is ErrorClass.INVALID
    assert "nobody" in reports[1].outcome.message
    assert isinstance(reports[2].outcome, Success)
    assert len(reports[2].outcome.renditions) == 1
    assert np.isfinite([report.cpu for report in reports]).all()
    assert all(report.started <= report.finished for report in reports)
