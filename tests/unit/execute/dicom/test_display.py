"""Stored values to 8 bits, held against the formulas of PS3.3 C.11 written out anew, and against
pydicom's own functions on the pixels of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence

from imagelane.execute.dicom.display import Shown, Window
from imagelane.execute.dicom.reading import describe, show
from imagelane.execute.errors import InvalidError
from tests.unit.execute.dicom.made import data_set, opened, ramp, shipped, written

Array = npt.NDArray[Any]


def seen(found: Dataset | bytes, frame: int = 0, window: Window | None = None) -> Shown:
    data = found if isinstance(found, bytes) else written(found)
    return show(describe(data, 1 << 30), frame, window)


def grey(found: Dataset | bytes, frame: int = 0, window: Window | None = None) -> Array:
    pixels = seen(found, frame, window).pixels
    assert (pixels[:, :, :1] == pixels).all(), "a grey picture has three equal bands"
    return pixels[:, :, 0]


def eight(share: Array) -> Array:
    return np.floor(np.clip(share, 0, 1) * 255 + 0.5).astype(np.uint8)


def linear(values: Array, center: float, width: float) -> Array:
    """PS3.3 C.11.2.1.2.1, with the smallest output 0 and the largest 1."""
    share = (values - (center - 0.5)) / (width - 1) + 0.5
    share = np.where(values <= center - 0.5 - (width - 1) / 2, 0.0, share)
    return eight(np.where(values > center - 0.5 + (width - 1) / 2, 1.0, share))


@pytest.mark.parametrize(
    ("dtype", "stored", "low", "high"),
    [
        ("u1", 8, 0, 255),
        ("u2", 12, 0, 4095),
        ("u2", 16, 0, 65535),
        ("i2", 12, -2048, 2047),
        ("i2", 16, -32768, 32767),
    ],
)
def test_a_window_over_a_rescale(dtype: str, stored: int, low: int, high: int) -> None:
    values = ramp(dtype, low, high)
    center, width = 1.5 * (low + high) / 2 + 40, (high - low) / 3
    found = data_set(
        values, stored, RescaleSlope=1.5, RescaleIntercept=-10, WindowCenter=center,
        WindowWidth=width,
    )  # fmt: skip
    expected = linear(values.astype(float) * 1.5 - 10, center, width)
    assert 0.02 < (expected > 0).mean() < 1
    assert (grey(found) == expected).all()


@pytest.mark.parametrize(
    "name", ["MR_small", "examples_overlay", "J2K_pixelrep_mismatch", "693_J2KI", "MR_small_RLE"]
)
def test_files_of_scanners_as_pydicom_windows_their_pixels(name: str) -> None:
    found = opened(shipped(name))
    values = apply_voi_lut(apply_modality_lut(found.pixel_array, found), found).astype(float)
    slope, intercept = found.get("RescaleSlope", 1), found.get("RescaleIntercept", 0)
    low = -(2 ** (found.BitsStored - 1)) if found.PixelRepresentation else 0
    high = low + 2**found.BitsStored - 1
    low, high = low * slope + intercept, high * slope + intercept
    assert (grey(shipped(name)) == eight((values - low) / (high - low))).all()


def test_monochrome1_is_the_same_with_black_for_white() -> None:
    values = ramp("u2", 0, 4095)
    how = {"WindowCenter": 2000, "WindowWidth": 1000}
    two = grey(data_set(values, 12, **how))
    one = grey(data_set(values, 12, PhotometricInterpretation="MONOCHROME1", **how))
    assert (one == 255 - two).all()
    assert one[0, 0] == 255


def test_without_a_window_the_whole_range_is_shown_and_nothing_is_stretched() -> None:
    values = ramp("u2", 1000, 1100)
    shown = seen(data_set(values, 12))
    assert shown.by == "full range"
    assert (shown.pixels[:, :, 0] == eight(values / 4095)).all()
    assert shown.pixels.max() < 70


def test_a_pixel_s_tone_does_not_depend_on_the_others() -> None:
    dark, bright = ramp("i2", -500, 0), ramp("i2", -500, 30000)
    dark[0, 0] = bright[0, 0] = -123
    assert grey(data_set(dark))[0, 0] == grey(data_set(bright))[0, 0]


def test_windows_of_the_file_and_of_the_pipeline() -> None:
    values = ramp("i2", -1024, 2000)
    found = data_set(values, 16, RescaleSlope=1, RescaleIntercept=0)
    found.WindowCenter, found.WindowWidth = [40, -600], [400, 1500]
    assert (grey(found) == linear(values, 40, 400)).all()
    second = seen(found, window=Window("file", index=1))
    assert (second.pixels[:, :, 0] == linear(values, -600, 1500)).all()
    assert (second.by, second.center, second.width) == ("window", -600, 1500)
    own = seen(found, window=Window("declared", center=300, width=1500))
    assert (own.pixels[:, :, 0] == linear(values, 300, 1500)).all()
    assert own.by == "declared window"
    assert (grey(found, window=Window("full")) == eight((values + 32768.0) / 65535)).all()
    with pytest.raises(InvalidError, match="declares 2 windows: it has none with the number 3"):
        seen(found, window=Window("file", index=2))


@pytest.mark.parametrize(
    ("function", "formula"),
    [
        ("LINEAR_EXACT", lambda x, c, w: eight((x - c) / w + 0.5)),
        ("SIGMOID", lambda x, c, w: eight(1 / (1 + np.exp(-4 * (x - c) / w)))),
    ],
)
def test_other_functions_of_windows(function: str, formula: Any) -> None:
    values = ramp("u2", 0, 4095)
    found = data_set(values, 12, WindowCenter=1800, WindowWidth=900, VOILUTFunction=function)
    assert (grey(found) == formula(values.astype(float), 1800, 900)).all()


def test_tables_instead_of_windows() -> None:
    """A modality LUT makes 16 values of 4096, a VOI LUT turns them round."""
    values = ramp("u2", 0, 4095)
    modality, voi = Dataset(), Dataset()
    modality.LUTDescriptor, modality.ModalityLUTType = [4096, 0, 16], "US"
    modality.LUTData = (np.arange(4096, dtype="<u2") // 256).tobytes()
    voi.LUTDescriptor = [16, 0, 8]
    voi.LUTData = (255 - 17 * np.arange(16, dtype="<u2")).astype("<u2").tobytes()
    found = data_set(values, 12, VOILUTSequence=Sequence([voi]))
    found.ModalityLUTSequence = Sequence([modality])
    shown = seen(found)
    assert shown.by == "table"
    assert (shown.pixels[:, :, 0] == 255 - 17 * (values // 256)).all()


def test_bits_that_do_not_count_change_nothing() -> None:
    """Old files keep drawings, and names, in the bits above those of the picture."""
    values = ramp("u2", 0, 4095)
    drawn = values | np.uint16(0xF000)
    assert (grey(data_set(drawn, 12)) == grey(data_set(values, 12))).all()
    signed = ramp("i2", -2048, 2047)
    marked = (signed & 0x0FFF) | 0x5000
    assert (grey(data_set(marked, 12)) == grey(data_set(signed, 12))).all()


def test_each_frame_of_an_enhanced_file_has_its_own_window() -> None:
    values = np.stack([ramp("u2", 0, 4095), ramp("u2", 0, 4095)])
    found = data_set(values, 12, NumberOfFrames=2)
    each = []
    for center in (1000, 3000):
        voi, real, item = Dataset(), Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = center, 800
        real.RescaleSlope, real.RescaleIntercept, real.RescaleType = 2, 0, "US"
        item.FrameVOILUTSequence = Sequence([voi])
        item.PixelValueTransformationSequence = Sequence([real])
        each.append(item)
    found.PerFrameFunctionalGroupsSequence = Sequence(each)
    for frame, center in enumerate((1000, 3000)):
        expected = linear(values[frame].astype(float) * 2, center, 800)
        assert (grey(found, frame) == expected).all()


def test_colours_are_rgb_whatever_they_are_stored_as() -> None:
    plain = opened(shipped("SC_rgb_small_odd")).pixel_array
    assert (seen(shipped("SC_rgb_small_odd")).pixels == plain).all()
    assert (seen(shipped("SC_rgb_small_odd_big_endian")).pixels == plain).all()
    planes = shipped("SC_rgb_rle")
    for name in ("SC_ybr_full_422_uncompressed", "SC_rgb_dcmtk_+eb+cy+np", "SC_rgb_jpeg_dcmtk"):
        difference = seen(shipped(name)).pixels.astype(int) - seen(planes).pixels
        assert np.abs(difference).mean() < 3, name
    sixteen = seen(shipped("SC_rgb_rle_16bit")).pixels
    assert np.abs(sixteen.astype(int) - seen(planes).pixels).max() <= 1


def test_palettes() -> None:
    found = opened(shipped("examples_palette"))
    expected = apply_color_lut(found.pixel_array, found) >> 8
    shown = seen(shipped("examples_palette"))
    assert shown.by == "colours"
    assert (shown.pixels == expected).all()
    assert len(np.unique(shown.pixels.reshape(-1, 3), axis=0)) > 20


def test_what_is_compressed_without_loss_is_the_same() -> None:
    expected = grey(shipped("MR_small"))
    for name in ("RLE", "jp2klossless", "jpeg_ls_lossless", "bigendian", "implicit", "expb"):
        assert (grey(shipped(f"MR_small_{name}")) == expected).all(), name


@pytest.mark.parametrize("width", [0, -5])
def test_a_window_without_a_width_is_not_guessed(width: int) -> None:
    found = data_set(ramp("u2", 0, 4095), 12, WindowCenter=40, WindowWidth=width)
    with pytest.raises(InvalidError, match="the dicom cannot be shown"):
        seen(found)
