"""Either resampler gives what exact resizing of a full decode gives, to the eye; and the plan's is
the one that is taken."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from imagelane.execute import lanczos, resample
from imagelane.execute.picture import Picture
from imagelane.model.spec import Resampler
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.images.files import Array, coded, opened, photo
from tests.images.likeness import colour_difference, exact, exact_samples, psnr, ssim

WIDTHS = [160, 333, 640, 1100]


def detail(width: int, height: int) -> Array:
    """A zone plate in colour beside hard edges: what shows a shift of half a pixel, and aliases."""
    down, across = np.mgrid[0:height, 0:width].astype(float)
    radius = (across - width / 2) ** 2 + (down - height / 2) ** 2
    waves = np.stack([np.cos(radius / (350 + 60 * band)) for band in range(3)], axis=-1)
    pixels = np.rint(127.5 + 100 * waves)
    pixels[height // 3 : height // 2, width // 5 : width // 3] = (200, 30, 40)
    return pixels.clip(0, 255).astype(np.uint8)


CONTENTS = {
    "a photograph": photo(2400, 1800),
    "another one, upright": photo(1201, 1603, seed=3),
    "detail": detail(2401, 1599),
}


def made(bench: Bench, path: Path, by: Resampler) -> list[Array]:
    bench.resampler = by
    return [opened(bench.bytes_of(one)) for one in bench.one(path).renditions]


@pytest.mark.parametrize("content", CONTENTS)
def test_both_are_as_near_to_exact_and_alike(bench: Bench, tmp_path: Path, content: str) -> None:
    # Coded with its chroma halved: what comes first is the decode, and its shrink.
    data = coded(CONTENTS[content], "jpeg", quality=92, subsampling=2)
    path = tmp_path / "large.jpg"
    path.write_bytes(data)
    bench.stage("thumbnails", widths=WIDTHS, format="png", linear=False)
    fast, usual = (made(bench, path, by) for by in reversed(Resampler))
    whole = opened(data)
    for one, other in zip(fast, usual, strict=True):
        reference = exact(whole, one.shape[1], one.shape[0])
        assert psnr(one, reference) > psnr(other, reference) - 0.2
        assert ssim(one, reference) > ssim(other, reference) - 0.002
        assert colour_difference(one, other) < (1 if content == "detail" else 0.5)


@pytest.mark.parametrize("by", Resampler)
@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((641, 479), (320, 239)),
        ((641, 479), (77, 400)),
        ((1, 500), (1, 120)),
        ((500, 1), (33, 1)),
        ((3, 2), (1, 1)),
        ((1, 1), (40, 30)),
        ((50, 40), (171, 133)),
    ],
)
def test_any_size_is_made_of_any_other(
    by: Resampler, size: tuple[int, int], target: tuple[int, int]
) -> None:
    picture = Picture.of(np.ascontiguousarray(photo(700, 700)[: size[1], : size[0]]))
    small = resample.resized(picture, *target, by)
    assert (small.width, small.height, small.full) == (*target, target)
    difference = np.abs(small.pixels.astype(int) - exact(picture.pixels, *target))
    assert difference.mean() < 2


@pytest.mark.parametrize("by", Resampler)
@pytest.mark.parametrize("size", [(640, 480), (641, 479)])
def test_a_mirrored_picture_gives_a_mirrored_one(by: Resampler, size: tuple[int, int]) -> None:
    # Where samples are said to stand is the same at both ends, so nothing moves to one side.
    pixels = detail(*size)
    straight = resample.resized(Picture.of(pixels), 231, 171, by).pixels
    turned = np.ascontiguousarray(pixels[::-1, ::-1])
    back = resample.resized(Picture.of(turned), 231, 171, by).pixels[::-1, ::-1]
    assert np.abs(straight.astype(int) - back).max() <= 1


@pytest.mark.parametrize("by", Resampler)
@pytest.mark.parametrize("content", CONTENTS)
def test_linear_light_is_mixed_as_light(by: Resampler, content: str) -> None:
    code = CONTENTS[content] / 255.0
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    height, width = round(150 * code.shape[0] / code.shape[1]), 150
    mixed = exact_samples(light, width, height).clip(0, 1)
    shown = np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055)
    expected = np.rint(shown * 255).astype(np.uint8)
    small = resample.resized(Picture.of(CONTENTS[content]), width, height, by, linear=True)
    assert psnr(small.pixels, expected) > 45
    assert colour_difference(small.pixels, expected) < (1 if content == "detail" else 0.5)


def test_every_sample_comes_back_from_light_as_it_was() -> None:
    steps = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    assert (lanczos.resized_in_linear_light(steps, 1, 256) == steps).all()


def test_the_code_for_each_processor_gives_the_same_bytes() -> None:
    package = pytest.importorskip("cykooz_resizer")
    resizer = package.Resizer()
    options = package.ResizeOptions(
        package.ResizeAlg.convolution(package.FilterType.lanczos3), use_alpha=False
    )
    pixels = detail(801, 603)
    expected = [lanczos.resized(pixels, *size) for size in ((333, 251), (801, 77), (1000, 700))]
    for kind in ("none", "sse4_1", "avx2"):
        resizer.cpu_extensions = package.CpuExtensions[kind]
        for one in expected:
            height, width, _ = one.shape
            before = package.ImageData(801, 603, package.PixelType.U8x3, pixels.tobytes())
            after = package.ImageData(width, height, package.PixelType.U8x3)
            resizer.resize(before, after, options)
            assert after.get_buffer() == one.tobytes(), kind


def test_what_is_transparent_or_large_is_resized_by_libvips(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solid = Picture.of(photo(90, 60))
    clear = Picture.of(np.dstack([photo(90, 60), np.full((60, 90), 128, np.uint8)]))

    def alike(picture: Picture, *, linear: bool) -> bool:
        both = [
            resample.resized(picture, 31, 21, by, linear=linear).pixels.tobytes()
            for by in Resampler
        ]
        return both[0] == both[1]

    for linear in (True, False):
        assert alike(clear, linear=linear)
        assert not alike(solid, linear=linear)
    monkeypatch.setattr(lanczos, "LARGEST", solid.size)
    assert [alike(solid, linear=linear) for linear in (True, False)] == [True, False]
    monkeypatch.setattr(lanczos, "LARGEST", solid.size - 1)
    assert [alike(solid, linear=linear) for linear in (True, False)] == [True, True]


def test_a_worker_without_the_plans_resampler_says_what_to_do(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one that the machine has would make other bytes than the plan is recorded with.
    path = tmp_path / "picture.png"
    path.write_bytes(coded(photo(90, 60), "png"))
    bench.stage("thumbnails", widths=[40], linear=False)
    monkeypatch.setitem(sys.modules, "cykooz_resizer", None)
    lanczos._binding.cache_clear()
    failure = bench.fails(path, "thumbnails")
    lanczos._binding.cache_clear()
    assert failure.error is ErrorClass.BUG
    assert "pip install cykooz-resizer, or begin a new run" in failure.message


def test_nothing_is_held_of_a_picture_that_is_gone() -> None:
    pixels = photo(90, 60)
    before = len(lanczos._held)
    small = lanczos.resized(pixels, 40, 30)
    smaller = lanczos.resized(small, 20, 15)
    assert len(lanczos._held) == before + 3
    del pixels, small
    assert len(lanczos._held) == before + 1
    del smaller
    assert len(lanczos._held) == before


def test_a_cascade_is_the_same_whether_a_picture_was_resized_before_or_not() -> None:
    picture = Picture.of(photo(400, 300))
    by = Resampler.FAST_IMAGE_RESIZE
    steps = [one.pixels for _, one in resample.cascade(picture, [350, 200], by, linear=False)]
    # As from another segment: the same samples in memory of their own.
    again = Picture.load(Picture.of(steps[0]).dump())
    assert resample.resized(again, 200, 150, by).pixels.tobytes() == steps[1].tobytes()
