"""Colours are compared with those that littleCMS, through Pillow, makes of the same file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms

from imagelane.execute import color
from imagelane.execute.vips import from_pixels
from tests.images.bench import Bench
from tests.images.files import Array, coded, opened, photo, png_chunk, quadrants

P3 = color.built_in("p3")
CMYK = color.built_in("cmyk")


def swatches() -> Array:
    """Saturated colours, in which a wrong conversion shows most."""
    steps = np.array([0, 64, 128, 192, 255], np.uint8)
    cells = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(25, 5, 3)
    return np.kron(cells, np.ones((8, 8, 1), np.uint8)).astype(np.uint8)


def reference(image: Image.Image, icc: bytes) -> Array:
    """littleCMS: relative colorimetric, to sRGB."""
    converted = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert converted is not None
    return np.asarray(converted)


def decoded(bench: Bench, path: Path, **parameters: Any) -> Array:
    """What comes out as a PNG, so that no encoder adds to the difference."""
    bench.stage("encode", formats=["png"], **parameters)
    (rendition,) = bench.one(path, "encode").renditions
    return opened(bench.bytes_of(rendition))


def off(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> tuple[float, int]:
    difference = np.abs(one[:, :, :3].astype(int) - other[:, :, :3].astype(int))
    return float(difference.mean()), int(difference.max())


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "tiff"])
def test_display_p3_becomes_srgb(bench: Bench, tmp_path: Path, form: str) -> None:
    known: dict[str, dict[str, Any]] = {
        "jpeg": {"quality": 100, "subsampling": 0},
        "webp": {"lossless": True},
    }
    options = known.get(form, {})
    data = coded(swatches(), form, icc_profile=P3, **options)
    path = write(tmp_path, f"p3.{form}", data)
    mean, most = off(decoded(bench, path), reference(Image.open(path).convert("RGB"), P3))
    assert mean < 1
    assert most <= 4
    # The test can fail: left as they are, the samples are far away.
    assert off(opened(data), reference(Image.open(path).convert("RGB"), P3))[1] > 20


def test_a_shrunk_jpeg_is_converted_too(bench: Bench, tmp_path: Path) -> None:
    data = coded(photo(), "jpeg", icc_profile=P3, quality=95)
    path = write(tmp_path, "p3.jpg", data)
    bench.stage("thumbnails", widths=[160], format="png", linear=False)
    (small,) = bench.one(path).renditions
    expected = Image.fromarray(reference(Image.open(path), P3)).resize(
        (160, 120), Image.Resampling.LANCZOS
    )
    mean, _ = off(opened(bench.bytes_of(small)), np.asarray(expected))
    assert mean < 1.5


def test_a_jpeg_in_rgb_is_not_taken_for_ycc(bench: Bench, tmp_path: Path) -> None:
    data = coded(swatches(), "jpeg", quality=100, keep_rgb=True)
    path = write(tmp_path, "rgb.jpg", data)
    assert off(decoded(bench, path), opened(data))[1] <= 1


def test_a_grey_jpeg(bench: Bench, tmp_path: Path) -> None:
    grey = np.asarray(Image.fromarray(quadrants()).convert("L"))
    path = write(tmp_path, "grey.jpg", coded(grey, "jpeg", quality=100))
    found = decoded(bench, path)
    assert off(found, np.repeat(grey[:, :, None], 3, axis=2))[1] <= 2


@pytest.mark.parametrize("profile", [CMYK, None])
def test_cmyk_becomes_srgb_and_is_not_inverted(
    bench: Bench, tmp_path: Path, profile: bytes | None
) -> None:
    inks = Image.fromarray(swatches()).convert("CMYK")
    out = io.BytesIO()
    # Pillow writes inverted samples and Adobe's marker, as Photoshop does.
    inks.save(out, "jpeg", quality=100, subsampling=0, icc_profile=profile)
    assert b"Adobe" in out.getvalue()
    path = write(tmp_path, "cmyk.jpg", out.getvalue())
    mean, most = off(decoded(bench, path), reference(Image.open(path), CMYK))
    assert mean < 1.5
    assert most <= 8


def test_cmyk_without_adobes_marker_is_taken_as_it_stands(bench: Bench, tmp_path: Path) -> None:
    image = from_pixels(quadrants()).icc_transform("cmyk", input_profile="srgb")
    path = write(tmp_path, "cmyk.tif", bytes(image.tiffsave_buffer(keep="none")))
    mean, _ = off(decoded(bench, path), quadrants())
    assert mean < 40  # ink cannot show everything that a screen can; inverted it would be 120 off


def test_16_bits_become_8(bench: Bench, tmp_path: Path) -> None:
    wide = quadrants().astype(np.uint16) * 257
    image = from_pixels(quadrants()).cast("ushort") * 257
    data = bytes(image.cast("ushort").copy(interpretation="rgb16").pngsave_buffer(keep="none"))
    path = write(tmp_path, "deep.png", data)
    assert off(decoded(bench, path), quadrants())[1] <= 1
    assert wide.max() > 60_000


def test_16_bits_in_display_p3_become_8_in_srgb(bench: Bench, tmp_path: Path) -> None:
    image = (from_pixels(swatches()).cast("ushort") * 257).cast("ushort")
    image = image.copy(interpretation="rgb16")
    profile = tmp_path / "p3.icc"
    profile.write_bytes(P3)
    data = bytes(image.pngsave_buffer(keep="icc", profile=str(profile)))
    path = write(tmp_path, "deep-p3.png", data)
    mean, most = off(decoded(bench, path), reference(Image.fromarray(swatches()), P3))
    assert mean < 1
    assert most <= 4


@pytest.mark.parametrize(
    ("mode", "bands"), [("L", 3), ("LA", 4), ("P", 3), ("RGBA", 4), ("1", 3), ("I;16", 3)]
)
def test_every_kind_of_png_becomes_rgb_or_rgba(
    bench: Bench, tmp_path: Path, mode: str, bands: int
) -> None:
    grey = Image.fromarray(quadrants()).convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
        expected = np.asarray(grey.convert("RGB"))
    else:
        image = Image.fromarray(quadrants()).convert(mode)
        expected = np.asarray(image.convert("RGB"))
    out = io.BytesIO()
    image.save(out, "png")
    found = decoded(bench, write(tmp_path, "picture.png", out.getvalue()))
    assert found.shape[2] == bands
    assert off(found, expected)[1] <= 1


def test_a_grey_profile_is_obeyed(bench: Bench, tmp_path: Path) -> None:
    # Twice as dark in the middle as sRGB has it: a grey profile of gamma 3.6.
    icc = grey_profile(3.6)
    ramp = np.tile(np.arange(256, dtype=np.uint8), (8, 1))
    out = io.BytesIO()
    Image.fromarray(ramp).save(out, "png", icc_profile=icc)
    found = decoded(bench, write(tmp_path, "grey.png", out.getvalue()))
    assert found[4, 128, 0] < 100
    assert (found[4, :, 0] == found[4, :, 1]).all()


def grey_profile(gamma: float) -> bytes:
    """A minimal ICC version 2 profile for grey."""
    white = b"XYZ \0\0\0\0" + bytes.fromhex("0000f6d6 00010000 0000d32d".replace(" ", ""))
    curve = b"curv\0\0\0\0\0\0\0\1" + int(gamma * 256).to_bytes(2, "big") + b"\0\0"
    tags = [(b"wtpt", white), (b"kTRC", curve)]
    table, body = len(tags).to_bytes(4, "big"), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags:
        table += name + (start + len(body)).to_bytes(4, "big") + len(value).to_bytes(4, "big")
        body += value
    head = bytearray(128)
    head[0:4] = (start + len(body)).to_bytes(4, "big")
    head[8:12] = bytes.fromhex("02100000")
    head[12:24] = b"mntrGRAYXYZ "
    head[36:40] = b"acsp"
    head[68:80] = bytes.fromhex("0000f6d6000100000000d32d")
    return bytes(head) + table + body


def test_lab_becomes_srgb(bench: Bench, tmp_path: Path) -> None:
    data = bytes(from_pixels(quadrants()).colourspace("lab").tiffsave_buffer())
    assert off(decoded(bench, write(tmp_path, "lab.tif", data)), quadrants())[1] <= 3


def test_a_profile_that_is_none_is_passed_over(bench: Bench, tmp_path: Path) -> None:
    data = coded(quadrants(), "png", icc_profile=b"this is no profile" * 20)
    assert off(decoded(bench, write(tmp_path, "odd.png", data)), quadrants())[1] == 0


def test_a_profile_of_another_kind_is_passed_over(bench: Bench, tmp_path: Path) -> None:
    data = coded(quadrants(), "png", icc_profile=CMYK)
    assert off(decoded(bench, write(tmp_path, "odd.png", data)), quadrants())[1] == 0


def test_srgb_under_another_name_is_not_touched() -> None:
    assert color.is_srgb(color.built_in("srgb"))
    assert color.is_srgb(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert not color.is_srgb(P3)


def test_display_p3_that_is_only_declared_is_converted(bench: Bench, tmp_path: Path) -> None:
    plain = coded(swatches(), "png")
    declared = plain[:33] + png_chunk(b"cICP", bytes((12, 13, 0, 1))) + plain[33:]
    path = write(tmp_path, "declared.png", declared)
    mean, most = off(decoded(bench, path), reference(Image.fromarray(swatches()), P3))
    assert mean < 1
    assert most <= 4


def test_normalize_keeps_a_wide_space_that_srgb_would_have_cut_off(
    bench: Bench, tmp_path: Path
) -> None:
    data = coded(swatches(), "png", icc_profile=P3)
    path = write(tmp_path, "p3.png", data)
    bench.stage("normalize", space="keep")
    bench.stage("encode", formats=["png", "jpeg"], picture="normalize", needs=["normalize"])
    png, jpeg = sorted(bench.all(path)[1].renditions, key=lambda one: one.format != "png")
    kept = Image.open(io.BytesIO(bench.bytes_of(png)))
    assert kept.info["icc_profile"] == P3
    assert (np.asarray(kept) == swatches()).all()
    assert Image.open(io.BytesIO(bench.bytes_of(jpeg))).info["icc_profile"] == P3


def test_a_profile_is_never_dropped_before_its_picture_is_converted(
    bench: Bench, tmp_path: Path
) -> None:
    path = write(tmp_path, "p3.png", coded(swatches(), "png", icc_profile=P3))
    bench.stage("normalize", space="keep")
    bench.stage("encode", formats=["png"], keep=[], picture="normalize", needs=["normalize"])
    (rendition,) = bench.all(path)[1].renditions
    found = Image.open(io.BytesIO(bench.bytes_of(rendition)))
    assert "icc_profile" not in found.info
    assert off(np.asarray(found), reference(Image.fromarray(swatches()), P3))[1] <= 4


def test_normalize_makes_display_p3(bench: Bench, tmp_path: Path) -> None:
    path = write(tmp_path, "plain.png", coded(swatches(), "png"))
    bench.stage("normalize", space="display-p3")
    bench.stage("encode", formats=["png"], picture="normalize", needs=["normalize"])
    (rendition,) = bench.all(path)[1].renditions
    found = Image.open(io.BytesIO(bench.bytes_of(rendition)))
    assert off(reference(found.convert("RGB"), found.info["icc_profile"]), swatches())[1] <= 5


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif", "png"])
def test_what_is_transparent_becomes_white_in_jpeg_and_stays_transparent_elsewhere(
    bench: Bench, tmp_path: Path, form: str
) -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, 32:] = (200, 40, 40, 255)
    path = write(tmp_path, "logo.png", coded(pixels, "png"))
    bench.stage("encode", formats=[form])
    (rendition,) = bench.one(path).renditions
    found = opened(bench.bytes_of(rendition))
    if form == "jpeg":
        assert np.abs(found[:, :24].astype(int) - 255).max() <= 4
    else:
        assert found.shape[2] == 4
        assert found[:, :24, 3].max() <= 4
    assert np.abs(found[32, 56, :3].astype(int) - (200, 40, 40)).max() <= 12


def test_a_resized_transparent_edge_has_no_dark_fringe(bench: Bench, tmp_path: Path) -> None:
    # Black that cannot be seen, beside white that can: straight alpha would mix them to grey.
    pixels = np.zeros((256, 256, 4), np.uint8)
    pixels[:, 128:] = 255
    path = write(tmp_path, "edge.png", coded(pixels, "png"))
    bench.stage("thumbnails", widths=[63], format="png", linear=False)
    (small,) = bench.one(path).renditions
    found = opened(bench.bytes_of(small))
    seen = found[found[:, :, 3] > 16]
    assert seen[:, :3].min() >= 250
