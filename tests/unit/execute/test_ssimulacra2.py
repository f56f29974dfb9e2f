"""Our SSIMULACRA 2 beside its definition's own program."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import numpy as np
import pytest

from imagelane.execute import ssimulacra2
from imagelane.execute.ssimulacra2 import score
from tests.images.files import Array, coded, opened, photo

# What the C++ program of the definition, as libjxl builds it, says of patterns that anybody can
# make: published with the tests of imazen/ssimulacra2 (src/reference_data.rs, January 2026).
SHIFTS = {
    32: {1: 97.74921430, 5: 98.80827382, 10: 96.53114090, 20: 93.79823220, 50: 85.01409588},
    64: {1: 97.98672126, 5: 91.52357693, 10: 80.24289393, 20: 56.05855584, 50: -8.75942256},
    128: {1: 96.78920738, 5: 88.54070876, 10: 77.84296299, 20: 54.27883917, 50: -9.82383315},
    256: {1: 96.15027098, 5: 89.73209436, 10: 80.29149136, 20: 59.77892918, 50: -0.39085784},
}
GRADIENT_TO_GREY, NOISE_TO_GREY = -64.56872148, -47.33572558


def grey(side: int, level: int = 128) -> Array:
    return np.full((side, side, 3), level, np.uint8)


def noise(side: int) -> Array:
    """The generator of those tests, seed 42."""
    state, samples = 42, []
    for _ in range(side * side * 3):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        samples.append(state >> 33 & 0xFF)
    return np.array(samples, np.uint8).reshape(side, side, 3)


def test_noise_and_a_gradient_as_the_reference_scores_them() -> None:
    steps = (np.arange(64) * 255 // 63).astype(np.uint8)
    gradient = np.repeat(np.tile(steps, (64, 1))[:, :, None], 3, axis=2)
    assert score(gradient, grey(64)) == pytest.approx(GRADIENT_TO_GREY, abs=0.01)
    assert score(noise(64), grey(64)) == pytest.approx(NOISE_TO_GREY, abs=0.01)


@pytest.mark.parametrize("side", SHIFTS)
def test_flat_pictures_as_the_reference_scores_them(side: int) -> None:
    """Nothing in them varies, so the rounding of the reference's recursive blur is all that its
    variances hold: up to two points of it, half a point as a rule."""
    off = [
        abs(score(grey(side), grey(side, 128 + shift)) - expected)
        for shift, expected in SHIFTS[side].items()
    ]
    assert max(off) < 2
    assert sorted(off)[len(off) // 2] < 0.8


def test_the_same_picture_has_the_highest_score() -> None:
    picture = photo(200, 150)
    assert score(picture, picture.copy()) == 100.0


@pytest.mark.parametrize("size", [(640, 480), (333, 217), (37, 500)])
def test_more_loss_is_a_lower_score(size: tuple[int, int]) -> None:
    picture = photo(*size)
    scores = [
        score(picture, opened(coded(picture, "jpeg", quality=quality, subsampling=0)))
        for quality in (30, 60, 85, 96)
    ]
    assert scores == sorted(scores)
    assert scores[0] < 67
    assert 85 < scores[-1] < 100


def test_strips_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photo(301, 203)
    lossy = opened(coded(picture, "jpeg", quality=60))
    whole = score(picture, lossy)
    monkeypatch.setattr(ssimulacra2, "_STRIP", 301 * 16)
    assert score(picture, lossy) == pytest.approx(whole, abs=1e-9)


def test_strips_of_an_odd_height_and_a_picture_of_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssimulacra2, "_STRIP", 1)
    for size in ((64, 17), (1, 1), (300, 1), (1, 300), (9, 8)):
        picture = photo(*size)
        assert score(picture, picture.copy()) == 100.0
        assert score(picture, 255 - picture) < 90


def test_the_cube_root_is_exact_to_the_last_bits() -> None:
    values = np.linspace(0.0037, 1.01, 10_001, dtype=np.float32).reshape(1, 1, -1)
    exact = np.cbrt(values.astype(np.float64))
    assert np.abs(ssimulacra2._cube_root(values) / exact - 1).max() < 4e-7


_EVERYWHERE = """
import numpy, sys
from imagelane.execute.ssimulacra2 import score
random = numpy.random.default_rng(5)
one = random.integers(0, 256, (97, 131, 3)).astype(numpy.uint8)
two = (one // 8 * 8 + random.integers(0, 8, one.shape)).astype(numpy.uint8)
print(score(one, two).hex())
"""


def test_no_processor_rounds_a_score_in_its_own_way() -> None:
    """With every instruction set of this processor that NumPy can do without, and with none."""
    core = importlib.import_module("numpy._core._multiarray_umath")
    known = [one for one in core.__cpu_dispatch__ if core.__cpu_features__.get(one)]
    assert known
    scores = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _EVERYWHERE],
            env={**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(disabled)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for disabled in ([], known)
    }
    assert len(scores) == 1
