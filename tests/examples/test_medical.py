from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image

from tests.conftest import Imagelane
from tests.examples.conftest import Example

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"
KEY = "0f" * 32


def add(hospital: Example, study: str, number: int, name: str, **more: Any) -> Path:
    """A file from pydicom's own, with another patient's name and numbers in it."""
    path = hospital.folder / "studies" / study / f"{number:04}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    found = pydicom.dcmread(SHIPPED / f"{name}.dcm")
    found.PatientName, found.PatientID = "Doevale^Janette", "MRN-448812"
    found.PatientBirthDate, found.AccessionNumber = "19610307", "ACC-90210"
    found.StudyDate, found.InstitutionName = "20031214", "Harbour Hospital"
    found.StudyDescription = "follow-up of Janette"
    for keyword, value in more.items():
        setattr(found, keyword, value)
    found.save_as(path)
    return path


@pytest.fixture
def hospital(example: Callable[[str], Example]) -> Example:
    found = example("medical")
    (found.folder / "deidentify.key").write_text(KEY)
    add(found, "0001", 1, "CT_small", WindowCenter=-600, WindowWidth=1500)
    add(found, "0001", 2, "693_J2KI")
    add(found, "0002", 1, "J2K_pixelrep_mismatch")
    return found


def uids(hospital: Example) -> Iterator[str]:
    for path in (hospital.folder / "studies").rglob("*.dcm"):
        found = pydicom.dcmread(path, stop_before_pixels=True)
        yield from (found.SOPInstanceUID, found.StudyInstanceUID, found.SeriesInstanceUID)


def traces(hospital: Example) -> list[str]:
    """What identifies the patient anywhere in what the run has left: published files, artifacts,
    journal, report; compressed or not, by whatever attribute."""
    known = [uid.encode() for uid in uids(hospital)]
    known += [b"doevale", b"janette", b"448812", b"19610307", b"90210", b"20031214", b"harbour"]
    found = []
    for path in hospital.folder.rglob("*"):
        if path.is_file() and not path.is_relative_to(hospital.folder / "studies"):
            data = path.read_bytes().lower()
            found += [f"{path.name}: {one!r}" for one in known if one in data]
    return found


def published(hospital: Example) -> dict[str, bytes]:
    return {
        f"{group}/{name}": (hospital.folder / "teaching" / group / name).read_bytes()
        for group in hospital.live("teaching")
        for name in hospital.files(group, "teaching")
    }


def test_studies_are_published_without_their_patients(
    hospital: Example, imagelane: Imagelane
) -> None:
    done = imagelane("run", hospital.pipeline, "--quiet", cwd=hospital.folder)
    imagelane("report", "--out", "report.html", cwd=hospital.folder)
    shown = imagelane("show", "1.1", cwd=hospital.folder)
    assert hospital.live("teaching") == ["0001", "0002"]
    assert hospital.files("0001", "teaching") == {
        *("0001-deidentified.dcm", "0001-128.png", "manifest.json"),
        *("0002-deidentified.dcm", "0002-128.png", "0002-512.png"),
    }
    assert traces(hospital) == []
    said = done.stdout + done.stderr + shown.stdout
    assert not re.search(r"(?i)janette|448812|harbour hospital|19610307", said)
    made = pydicom.dcmread(hospital.folder / "teaching" / "0001" / "0001-deidentified.dcm")
    assert made.PatientIdentityRemoved == "YES"
    assert made.PatientID.startswith("P-")
    assert made.StudyDate < "20021214"


def test_thumbnails_are_shown_through_the_window_of_the_file(
    hospital: Example, imagelane: Imagelane
) -> None:
    imagelane("run", hospital.pipeline, "--quiet", cwd=hospital.folder)
    source = pydicom.dcmread(SHIPPED / "CT_small.dcm")
    values = source.pixel_array.astype(float) * source.RescaleSlope + source.RescaleIntercept
    expected = np.clip((values + 600.5) / 1499 + 0.5, 0, 1) * 255
    with Image.open(hospital.folder / "teaching" / "0001" / "0001-128.png") as picture:
        seen = np.asarray(picture.convert("L")).astype(float)
    assert seen.shape == (128, 128)
    assert np.abs(seen - expected).max() <= 1
    assert seen.std() > 20


def test_a_failure_halts_the_run_and_says_nothing_of_the_patient(
    hospital: Example, imagelane: Imagelane
) -> None:
    torn = hospital.folder / "studies" / "0002" / "0001.dcm"
    torn.write_bytes(torn.read_bytes()[:-9000])
    done = imagelane("run", hospital.pipeline, "--quiet", cwd=hospital.folder, code=3)
    assert "0002" not in hospital.live("teaching")
    status = imagelane("status", cwd=hospital.folder, code=None)
    said = done.stdout + done.stderr + status.stdout + status.stderr
    assert "held" in said
    assert "the dicom" in said
    assert not re.search(r"(?i)janette|doevale|448812|traceback", said)
    assert traces(hospital) == []


def test_a_name_where_the_profile_looks_for_none_halts_the_run(
    hospital: Example, imagelane: Imagelane
) -> None:
    add(hospital, "0002", 1, "CT_small", ManufacturerModelName="scanner of Janette Doevale")
    done = imagelane("run", hospital.pipeline, "--quiet", cwd=hospital.folder, code=3)
    assert "stands in an attribute of the dicom that the profile keeps" in done.stdout + done.stderr
    assert hospital.live("teaching") in ([], ["0001"])
    assert traces(hospital) == []


def test_a_picture_with_text_in_it_waits_for_a_person(
    hospital: Example, imagelane: Imagelane
) -> None:
    add(hospital, "0003", 1, "examples_rgb_color")
    done = imagelane("run", hospital.pipeline, "--quiet", cwd=hospital.folder, code=3)
    assert "0003: held" in done.stderr
    status = imagelane("status", cwd=hospital.folder, code=None)
    assert "deidentify asks for a review" in status.stdout
    assert hospital.live("teaching") == ["0001", "0002"]
    alerts = (hospital.folder / "alerts.jsonl").read_text().splitlines()
    assert "image_held" in {json.loads(line)["kind"] for line in alerts}

    reason = "no text in the picture, looked at by two of us"
    imagelane("resolve", "0003/0001.dcm", "approve", "--reason", reason, cwd=hospital.folder)
    imagelane("resume", "--quiet", cwd=hospital.folder)
    assert hospital.live("teaching") == ["0001", "0002", "0003"]
    assert reason in imagelane("show", "3.1", cwd=hospital.folder).stdout
    assert traces(hospital) == []


def test_every_model_gives_the_same_pseudonyms_and_the_same_bytes(
    hospital: Example, example: Callable[[str], Example], imagelane: Imagelane
) -> None:
    imagelane("run", hospital.pipeline, "--quiet", cwd=hospital.folder)
    expected = published(hospital)
    assert len(expected) == 10
    for options in (["--model", "sequential", "--no-fuse"], ["--model", "hybrid"]):
        other = example("medical")
        (other.folder / "deidentify.key").write_text(f"{KEY}\n")
        for path in (hospital.folder / "studies").rglob("*.dcm"):
            copy = other.folder / path.relative_to(hospital.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
        imagelane("run", other.pipeline, "--quiet", *options, cwd=other.folder)
        assert published(other) == expected, options


def test_without_its_key_it_does_not_begin(hospital: Example, imagelane: Imagelane) -> None:
    (hospital.folder / "deidentify.key").unlink()
    done = imagelane("run", hospital.pipeline, "--quiet", cwd=hospital.folder, code=2)
    assert "no file is called 'deidentify.key'" in done.stderr


def test_photographs_are_refused(hospital: Example, imagelane: Imagelane) -> None:
    Image.new("RGB", (64, 48)).save(hospital.folder / "studies" / "0001" / "0003.jpg")
    done = imagelane("run", hospital.pipeline, "--quiet", cwd=hospital.folder, code=3)
    assert "this is a jpeg: expected one of dicom" in done.stdout + done.stderr
