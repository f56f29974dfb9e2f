from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagelane.model.outcome import Failure, Success
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.unit.execute.dicom.made import data_set, opened, ramp, shipped, written

SMALL = ramp("u2", 0, 4095)
SECRET = "k" * 40


@pytest.fixture
def ready(bench: Bench) -> Bench:
    (bench.folder / "a.key").write_text(SECRET + "\n")
    return bench.stage("validate", formats=["dicom"]).stage(
        "deidentify", needs=["validate"], key="a.key"
    )


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.dcm"
    path.write_bytes(written(data_set(SMALL, 12, BodyPartExamined="KNEE")))
    return path


def test_it_makes_a_file_facts_and_a_verdict(ready: Bench, scan: Path) -> None:
    done = ready.one(scan)
    (rendition,) = done.renditions
    assert (rendition.name, rendition.format, rendition.suffix) == ("deidentified", "dcm", "dcm")
    assert (rendition.width, rendition.height) == (64, 64)
    found = opened(ready.bytes_of(rendition))
    assert found.PatientIdentityRemoved == "YES"
    assert done.verdict == "approve"
    assert done.facts == {
        "modality": "CT",
        "body_part": "KNEE",
        "patient": found.PatientID,
        "study": found.StudyInstanceUID,
        "series": found.SeriesInstanceUID,
        "instance": found.SOPInstanceUID,
        "frames": 1,
        "dates": "removed",
        "burned_in": "not said",
        "key_id": done.facts["key_id"],
    }
    assert SECRET[:8] not in json.dumps(done.facts)


def test_what_may_have_text_in_its_pixels_waits_for_a_human(ready: Bench, tmp_path: Path) -> None:
    ultrasound = tmp_path / "us.dcm"
    ultrasound.write_bytes(shipped("examples_rgb_color"))
    done = ready.one(ultrasound)
    assert done.verdict == "review"
    assert "does not say whether there is text in its pixels" in done.facts["review"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "the key a.key cannot be read: No such file"),
        ("too short", "the key a.key has 9 bytes: expected at least 32"),
        ("", "the key a.key has 0 bytes"),
    ],
)
def test_without_a_key_nothing_is_passed(
    ready: Bench, scan: Path, key: str | None, said: str
) -> None:
    path = ready.folder / "a.key"
    path.unlink() if key is None else path.write_text(key)
    failure = ready.fails(scan)
    assert failure.error is ErrorClass.INVALID
    assert said in failure.message


def test_a_line_break_at_the_end_of_the_key_is_no_part_of_it(ready: Bench, scan: Path) -> None:
    one = ready.one(scan)
    (ready.folder / "a.key").write_bytes(SECRET.encode())
    assert ready.one(scan) == one
    (ready.folder / "a.key").write_bytes(SECRET[::-1].encode() + b"x")
    assert ready.one(scan).facts["key_id"] != one.facts["key_id"]


def test_what_pydicom_says_of_a_value_is_not_repeated(ready: Bench, tmp_path: Path) -> None:
    """It quotes what it could not read as a number."""
    path = tmp_path / "scan.dcm"
    for keyword, number in (("SliceThickness", "11111111"), ("InstanceNumber", "22222222")):
        whole = written(data_set(SMALL, 12, **{keyword: number}))
        path.write_bytes(whole.replace(number.encode(), b"Doevale "))
        failure = ready.fails(path)
        assert failure.error is ErrorClass.INVALID
        assert "Doevale" not in failure.message + failure.detail


def test_no_message_says_a_word_of_the_file(ready: Bench, tmp_path: Path) -> None:
    """A file full of a name, damaged all over: whatever fails, and however."""
    found = data_set(SMALL, 12, PatientName="Doevale^Janette", PatientID="DOEVALE")
    found.StudyDescription = found.InstitutionName = found.StationName = "Doevale"
    whole = bytearray(written(found))
    path = tmp_path / "scan.dcm"
    failures = 0
    for at in range(132, 900, 11):
        damaged = bytearray(whole)
        damaged[at : at + 4] = b"DOEV"
        path.write_bytes(damaged)
        for report in ready.order(path):
            if isinstance(report.outcome, Failure):
                failures += 1
                said = report.outcome.message + report.outcome.detail
                assert "doev" not in said.lower().replace("doevale.dcm", ""), said
                assert "janette" not in said.lower()
                assert report.outcome.error is ErrorClass.INVALID, said
            elif isinstance(report.outcome, Success):
                assert "doev" not in json.dumps(dict(report.outcome.facts)).lower()
    assert failures > 15
