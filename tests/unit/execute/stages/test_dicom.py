"""DICOM files among the stages: let in only where they are named, and then a picture like any."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imagelane.execute.dicom import library
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.images.files import coded, photo
from tests.unit.execute.dicom.made import data_set, opened, ramp, shipped, written

CT = ramp("i2", -1024, 3071, 96)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.dcm"
    found = data_set(CT, 16, RescaleSlope=1, RescaleIntercept=0)
    found.WindowCenter, found.WindowWidth = [40, 600], [400, 2800]
    path.write_bytes(written(found))
    return path


@pytest.mark.parametrize(
    "stages", [["validate"], ["thumbnails"], ["metadata"], ["validate", "store"]]
)
def test_it_is_not_let_in_unless_the_pipeline_names_it(
    bench: Bench, scan: Path, stages: list[str]
) -> None:
    for stage in stages:
        bench.stage(stage)
    failure = bench.fails(scan, stages[0])
    assert failure.error is ErrorClass.INVALID
    assert "this is a DICOM file" in failure.message
    assert "validate: {formats: [dicom]}" in failure.message


def test_other_pictures_are_not_let_in_with_it(bench: Bench, tmp_path: Path) -> None:
    photograph = tmp_path / "scan.dcm"
    photograph.write_bytes(coded(photo(64, 48), "jpeg"))
    bench.stage("validate", formats=["dicom"]).stage("dicom").stage("deidentify", key="a.key")
    assert "this is a jpeg: expected one of dicom" in bench.fails(photograph, "validate").message
    for stage in ("dicom", "deidentify"):
        failure = bench.fails(photograph, stage)
        assert (failure.error, failure.message) == (
            ErrorClass.INVALID,
            "this is a jpeg: expected a dicom",
        )


def test_later_stages_work_on_it_as_on_any_picture(bench: Bench, scan: Path) -> None:
    bench.stage("validate", formats=["dicom"])
    bench.stage("metadata", needs=["validate"])
    bench.stage("thumbnails", needs=["validate"], widths=[48], format="png")
    bench.stage("watermark", needs=["metadata"], text="{format} {frames}", width=96)
    checked, _, thumbnail, marked = bench.all(scan)
    assert checked.facts["format"] == "dicom"
    assert (checked.facts["width"], checked.facts["height"], checked.facts["bands"]) == (96, 96, 1)
    with Image.open(io.BytesIO(bench.bytes_of(thumbnail.renditions[0]))) as picture:
        assert picture.size == (48, 48)
        assert not picture.getexif()
    assert marked.renditions[0].width == 96


@pytest.mark.parametrize(
    ("parameters", "facts", "center", "width"),
    [
        ({}, {"shown_by": "window", "window_center": 40, "window_width": 400}, 40, 400),
        (
            {"window": 2},
            {"shown_by": "window", "window_center": 600, "window_width": 2800},
            600,
            2800,
        ),
        (
            {"window": {"center": -600, "width": 1500}},
            {"shown_by": "declared window", "window_center": -600, "window_width": 1500},
            -600,
            1500,
        ),
    ],
)
def test_the_window_is_declared_and_said(
    bench: Bench,
    scan: Path,
    parameters: dict[str, Any],
    facts: dict[str, Any],
    center: int,
    width: int,
) -> None:
    bench.stage("validate", formats=["dicom"]).stage("dicom", needs=["validate"], **parameters)
    bench.stage("encode", needs=["dicom"], picture="dicom", formats=["png"])
    _, made, encoded = bench.all(scan)
    assert made.facts == {"frame": 1, "frames": 1, **facts}
    with Image.open(io.BytesIO(bench.bytes_of(encoded.renditions[0]))) as picture:
        seen = np.asarray(picture.convert("L")).astype(int)
    expected = np.clip((CT - (center - 0.5)) / (width - 1) + 0.5, 0, 1) * 255
    assert np.abs(seen - expected).max() <= 1
    # The same picture, made anew for a segment that has it not.
    again = bench.one(scan, "encode")
    assert again.renditions[0].digest == encoded.renditions[0].digest


def test_of_several_frames_one_is_shown_and_said(bench: Bench, tmp_path: Path) -> None:
    film = tmp_path / "film.dcm"
    film.write_bytes(shipped("examples_ybr_color"))
    frames = opened(shipped("examples_ybr_color")).pixel_array
    bench.stage("validate", formats=["dicom"])
    for name, frame, number in (
        ("a", "first", 1),
        ("b", "middle", 15),
        ("c", "last", 30),
        ("d", 7, 7),
    ):
        bench.stage(f"dicom-{name}", "dicom", needs=["validate"], frame=frame)
        bench.stage(f"encode-{name}", "encode", picture=f"dicom-{name}", formats=["png"])
        made = bench.one(film, f"dicom-{name}")
        assert (made.facts["frame"], made.facts["frames"]) == (number, 30)
        (rendition,) = bench.one(film, f"encode-{name}").renditions
        with Image.open(io.BytesIO(bench.bytes_of(rendition))) as picture:
            assert (np.asarray(picture.convert("RGB")) == frames[number - 1]).all()
    bench.stage("beyond", "dicom", frame=31)
    assert "has 30 frames: it has none with the number 31" in bench.fails(film, "beyond").message


def test_limits_are_read_from_the_header(bench: Bench, tmp_path: Path) -> None:
    film = tmp_path / "film.dcm"
    film.write_bytes(shipped("examples_ybr_color"))
    bench.stage("validate", formats=["dicom"], max_total_megapixels=2)
    failure = bench.fails(film, "validate")
    assert "30 frames of 320 x 240 pixels" in failure.message
    assert "max_total_megapixels" in failure.message
    assert bench.claims == []
    bench.stage("validate", formats=["dicom"], max_megapixels=0.07)
    assert "more than max_megapixels" in bench.fails(film, "validate").message


def test_memory_is_asked_for_before_it_is_used(bench: Bench, scan: Path) -> None:
    bench.stage("validate", formats=["dicom"]).stage("dicom", needs=["validate"])
    bench.order(scan, reservation=0)
    assert bench.claims[0] > CT.nbytes


def test_a_missing_extra_is_named(
    bench: Bench, scan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library.PACKAGE, None)
    for name in [one for one in sys.modules if one.startswith(f"{library.PACKAGE}.")]:
        monkeypatch.setitem(sys.modules, name, None)
    failure = bench.stage("validate", formats=["dicom"]).fails(scan)
    assert failure.error is ErrorClass.BUG
    assert "pip install 'imagelane[dicom]'" in failure.message


def test_pydicom_is_loaded_with_the_first_file_and_not_before() -> None:
    script = (
        "import sys, imagelane.execute.segment, imagelane.execute.stages as stages\n"
        "for name in stages.MODULES: stages.load(name)\n"
        "assert 'pydicom' not in sys.modules, 'loaded'"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
