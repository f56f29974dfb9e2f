"""SSIMULACRA 2.1: how much of a picture an encoder has lost, as people would see it.

After Jon Sneyers' definition (cloudinary/ssimulacra2, April 2023, BSD-3-Clause): both pictures in
the XYB colour space at six scales, three maps of errors at each, two norms of each map, and a
weighted sum of all. 90 can hardly be told from the original, 70 is good, 50 is middling, 30 is
poor. Only the way of computing is this project's: the recursive blur of the definition is the nine
taps that it comes to, and a picture is gone through in strips, so that it is never in memory as a
whole in floating point.

Beyond a table nothing but sums, products, quotients and square roots is used, which every processor
rounds alike: a score is the same on every machine, and so is what is decided by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from imagelane.execute.vips import Pixels

Planes: TypeAlias = npt.NDArray[np.float32]
"""Light of three bands, or what is made of it: band x rows x columns."""
Samples: TypeAlias = npt.NDArray[Any]
"""The same, or the 8 bits that a picture is of."""
Numbers: TypeAlias = npt.NDArray[np.float64]

BYTES_A_PIXEL = 8
"""What the smaller scales of both pictures take, for each pixel of one."""

_SMALLEST = 8
"""A side in pixels below which nothing is compared any more."""
_SCALES = 6
_STRIP = 40_000
"""Pixels: what is made of a strip fits into a processor's cache."""

# Truncated cosines for sigma 1.5, after Charalampidis (2016): from the centre outwards.
_TAPS = tuple(
    np.float32(tap)
    for tap in (
        *(0.2646211054881985, 0.2129285920104222, 0.10933537277746033),
        *(0.03601111465836443, 0.009414367809653762),
    )
)
_HALO = len(_TAPS) - 1

_C2 = np.float32(0.0009)
_BIAS = np.float32(0.0037930732552754493)
_ROOT_OF_BIAS = np.float32(0.1559542025327239)
_CONES = np.array(
    [
        [0.30, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
    ],
    np.float32,
)
"""How much of red, green and blue light the three kinds of cones of the eye see."""
_LINEAR = np.array(
    [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in np.arange(256) / 255],
    np.float32,
)
"""sRGB (IEC 61966-2-1) of 8 bits as light."""

# For each band and scale, for the 1-norm and then the 4-norm: the weights of the maps of structure,
# of what was put in (ringing, blocks), and of what was lost (blur).
_TABLE = """
    0 0.0007376606707406586 0 0 0.0007793481682867309 0
    0 0.0004371155730107379 0 1.1041726426657346 0.00066284834129271 0.00015231632783718752
    0 0.0016406437456599754 0 1.8422455520539298 11.441172603757666 0
    0.0007989109436015163 0.000176816438078653 0 1.8787594979546387 10.94906990605142 0
    0.0007289346991508072 0.9677937080626833 0
        0.00014003424285435884 0.9981766977854967 0.00031949755934435053
    0.0004550992113792063 0 0 0.0013648766163243398 0 0
    0 0 0 7.466890328078848 0 17.445833984131262
    0.0006235601634041466 0 0 6.683678146179332 0.00037724407979611296 1.027889937768264
    225.20515300849274 0 0 19.213238186143016 0.0011401524586618361 0.001237755635509985
    176.39317598450694 0 0 24.43300999870476 0.28520802612117757 0.0004485436923833408
    0 0 0 34.77906344483772 44.835625328877896 0
    0 0 0 0 0 0
    0 0.0008680556573291698 0 0 0 0
    0 0.0005313191874358747 0 0.00016533814161379112 0 0
    0 0 0 0.0004179171803251336 0.0017290828234722833 0
    0.0020827005846636437 0 0 8.826982764996862 23.19243343998926 0
    95.1080498811086 0.9863978034400682 0.9834382792465353
        0.0012286405048278493 171.2667255897307 0.9807858872435379
    0 0 0 0.0005130064588990679 0 0.00010854057858411537
"""
_WEIGHTS = np.array(_TABLE.split(), np.float64)


def score(original: Pixels, other: Pixels) -> float:
    """How like the original the other is: 100 at most, and there is no least.

    Both are height x width x 3 samples of sRGB, of one size. A side below 8 pixels is made longer
    by repeating its last row or column.
    """
    first, second = _bands(original), _bands(other)
    norms = [_norms(first, second)]
    while len(norms) < _SCALES and min(first.shape[1:]) >= _SMALLEST:
        first, second = _halved(first), _halved(second)
        norms.append(_norms(first, second))
    return _weighed(norms)


def _weighed(norms: list[Numbers]) -> float:
    # Bands vary slowest, then scales: a small picture has fewer of those, and its weights are the
    # first of the table without a gap, whatever band they are called after.
    found = np.stack(norms, axis=1).ravel()
    error = math.fsum(_WEIGHTS[: found.size] * found) * 0.9562382616834844
    error = (
        2.326765642916932 * error
        - 0.020884521182843837 * error**2
        + 6.248496625763138e-05 * error**3
    )
    return 100.0 - 10.0 * error**0.6276336467831387 if error > 0 else 100.0


def _norms(first: Samples, second: Samples) -> Numbers:
    """The two norms of the three maps of each band: band x norm x map."""
    _, height, width = first.shape
    sums = np.zeros((3, 2, 3))
    rows = max(_SMALLEST, _STRIP // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        pair = _xyb(first, top, bottom), _xyb(second, top, bottom)
        for place, error in enumerate(_errors(*pair)):
            sums[:, 0, place] += error.sum(axis=(1, 2), dtype=np.float64)
            error *= error  # noqa: PLW2901 - in place
            error *= error  # noqa: PLW2901
            sums[:, 1, place] += error.sum(axis=(1, 2), dtype=np.float64)
    sums /= height * width
    sums[:, 1] = np.sqrt(np.sqrt(sums[:, 1]))
    return sums


def _errors(one: Planes, two: Planes) -> Iterator[Planes]:
    """The three maps of a strip that has a halo."""
    inner = np.s_[:, _HALO:-_HALO, _HALO:-_HALO]
    mean_1, mean_2 = _blurred(one), _blurred(two)
    across = mean_1 * mean_2
    covariance = _blurred(one * two) - across
    deviation = mean_1 - mean_2
    deviation *= deviation
    # The sum of both variances: the square of the difference is what the products leave over.
    spread = _blurred(one * one + two * two)
    spread -= across + across + deviation
    structure = (1 - deviation) * (covariance + covariance + _C2)
    structure /= spread + _C2
    yield np.maximum(1 - structure, 0)
    edges = (1 + np.abs(two[inner] - mean_2)) / (1 + np.abs(one[inner] - mean_1)) - 1
    yield np.maximum(edges, 0)
    yield np.maximum(-edges, 0)


def _blurred(planes: Planes) -> Planes:
    """Without the halo."""
    return _blurred_along(_blurred_along(planes, 2), 1)


def _blurred_along(planes: Planes, axis: int) -> Planes:
    length = planes.shape[axis] - 2 * _HALO

    def at(offset: int) -> Planes:
        start = _HALO + offset
        return (
            planes[:, :, start : start + length] if axis == 2 else planes[:, start : start + length]
        )

    blurred = at(0) * _TAPS[0]
    for offset, tap in enumerate(_TAPS[1:], 1):
        pair = at(-offset) + at(offset)
        pair *= tap
        blurred += pair
    return blurred


def _xyb(picture: Samples, top: int, bottom: int) -> Planes:
    """Rows of a picture in XYB, all bands from 0 to 1, with a halo: zeros beyond the picture."""
    _, height, width = picture.shape
    above, below = max(0, top - _HALO), min(height, bottom + _HALO)
    strip = np.zeros((3, bottom - top + 2 * _HALO, width + 2 * _HALO), np.float32)
    begin = above - top + _HALO
    inside = strip[:, begin : begin + below - above, _HALO:-_HALO]
    red, green, blue = _light(picture, above, below)
    long, middle, short = (
        _cube_root(red * of_red + green * of_green + blue * of_blue + _BIAS) - _ROOT_OF_BIAS
        for of_red, of_green, of_blue in _CONES
    )
    luma = (long + middle) * np.float32(0.5)
    inside[0] = (long - middle) * np.float32(7) + np.float32(0.42)
    inside[1] = luma + np.float32(0.01)
    inside[2] = short - luma + np.float32(0.55)
    return strip


def _cube_root(values: Planes) -> Planes:
    """Of positive numbers, to the last bit but one: a guess from the exponent, made better twice
    by Halley's rule. Processors do not agree on the last bit of `numpy.cbrt`."""
    root: Planes = (values.view(np.int32) // 3 + 709_921_077).view(np.float32)
    for _ in range(2):
        cube = root * root * root
        root *= (cube + values + values) / (cube + cube + values)
    return root


def _light(picture: Samples, top: int, bottom: int) -> Planes:
    rows = picture[:, top:bottom]
    return _LINEAR.take(rows) if rows.dtype == np.uint8 else rows


def _halved(picture: Samples) -> Planes:
    """Half the size, by means of 2 x 2; the last row or column of an odd size counts twice."""
    _, height, width = picture.shape
    half = np.empty((3, -(-height // 2), -(-width // 2)), np.float32)
    rows = 2 * max(1, _STRIP // (2 * width))
    for top in range(0, height, rows):
        light = _light(picture, top, min(top + rows, height))
        light = np.pad(light, ((0, 0), (0, light.shape[1] % 2), (0, width % 2)), "edge")
        part = light[:, ::2, ::2] + light[:, ::2, 1::2] + light[:, 1::2, ::2] + light[:, 1::2, 1::2]
        half[:, top // 2 : top // 2 + part.shape[1]] = part * np.float32(0.25)
    return half


def _bands(pixels: Pixels) -> Samples:
    """The bands of a picture one by one, large enough to be compared."""
    height, width, _ = pixels.shape
    lacking = max(0, _SMALLEST - height), max(0, _SMALLEST - width)
    if any(lacking):
        pixels = np.pad(pixels, ((0, lacking[0]), (0, lacking[1]), (0, 0)), "edge")
    return np.moveaxis(pixels, 2, 0)
