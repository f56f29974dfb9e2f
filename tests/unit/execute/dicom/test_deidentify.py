"""What identifies a person is gone from the file: looked for as a stranger would, in its bytes."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from imagelane.execute.dicom import profile
from imagelane.execute.dicom.deidentify import Deidentified, deidentify
from imagelane.execute.dicom.profile import Action
from imagelane.execute.dicom.pseudonyms import Pseudonyms
from imagelane.execute.dicom.reading import describe, show
from imagelane.execute.errors import InvalidError
from tests.unit.execute.dicom.made import (
    IMPLICIT,
    SHIPPED,
    data_set,
    opened,
    ramp,
    shipped,
    written,
)

# The files here are odd on purpose, and pydicom says so while the tests make and read them.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

KEY = Pseudonyms(b"0123456789abcdef0123456789abcdef")
SMALL = ramp("u2", 0, 4095)
TEXT_FREE = ("CT", "MR", "PT", "NM")
Dates = Literal["remove", "shift"]


def cleaned(found: Dataset | bytes, dates: Dates = "remove", key: Pseudonyms = KEY) -> Deidentified:
    data = found if isinstance(found, bytes) else written(found)
    return deidentify(describe(data, 1 << 30), key, dates, TEXT_FREE)


def elements(found: Dataset) -> Iterator[Any]:
    for element in found:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from elements(item)


# Attributes of every kind, each with a text that must not come through.
SECRETS = {
    "PatientName": "Doevale^Janette",
    "PatientID": "MRN-448812",
    "PatientBirthDate": "19610307",
    "OtherPatientIDs": "OLD-771204",
    "PatientAddress": "17 Quay Street",
    "PatientTelephoneNumbers": "+4940555019",
    "PatientComments": "daughter of Wilhelmine",
    "EthnicGroup": "Frisian",
    "AccessionNumber": "ACC-90210",
    "StudyID": "STUDY-5566",
    "StudyDate": "20031214",
    "StudyTime": "101112",
    "SeriesDate": "20031215",
    "AcquisitionDateTime": "20031216101112.5+0100",
    "ContentDate": "20031217",
    "DateOfGainCalibration": "20031219",
    "InstitutionName": "Harbour Hospital",
    "InstitutionAddress": "1 Tower Road",
    "StationName": "STATION-EAST",
    "ReferringPhysicianName": "Grumbleton^Theo",
    "OperatorsName": "Quillfeather^Ada",
    "PhysiciansOfRecord": "Marrowby^Ines",
    "StudyDescription": "follow-up for Doevale",
    "SeriesDescription": "knee of Janette",
    "ProtocolName": "for Grumbleton",
    "DeviceSerialNumber": "SN-8839201",
    "DeviceUID": "1.2.826.0.1.3680043.8.498.77001",
    "FrameOfReferenceUID": "1.2.826.0.1.3680043.8.498.77002",
    "RequestingService": "Ward Seven",
    "ImageComments": "Doevale, left knee",
    "AdditionalPatientHistory": "fell from a ladder",
    "CurrentPatientLocation": "Room 1207B",
    "PerformedProcedureStepID": "PPS-31337",
    "PatientBirthDateInAlternativeCalendar": "Anno 1961, Lenz",
    "IssuerOfPatientID": "Harbour Registry",
    "TextComments": "called Wilhelmine",
    "RetrieveURL": "https://pacs.harbour.example/448812",
}


def laden() -> Dataset:
    """A picture with a secret in every attribute above, in items of items, in private blocks and
    in the preamble."""
    found = data_set(SMALL, 12, WindowCenter=2000, WindowWidth=1000, **SECRETS)
    reference, purpose, deep = Dataset(), Dataset(), Dataset()
    reference.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    reference.ReferencedSOPInstanceUID = "1.2.826.0.1.3680043.8.498.77003"
    purpose.CodeValue, purpose.CodingSchemeDesignator = "121311", "DCM"
    purpose.CodeMeaning = "Localizer"
    deep.PatientName, deep.StudyDate = "Nested^Persimmon", "20031218"
    deep.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.77004"
    purpose.PersonIdentificationCodeSequence = Sequence([deep])
    reference.PurposeOfReferenceCodeSequence = Sequence([purpose])
    found.ReferencedImageSequence = Sequence([reference])
    found.RequestAttributesSequence = Sequence([deep])
    block = found.private_block(0x0019, "HARBOUR WARD", create=True)
    block.add_new(0x01, "LO", "private Doevale")
    block.add_new(0x02, "UN", b"private bytes of Janette")
    item = Dataset()
    item.PatientName = "Hidden^Clementine"
    block.add_new(0x03, "SQ", Sequence([item]))
    found.add_new(0x60000010, "US", 64)
    found.add_new(0x60000022, "LO", "overlay of Doevale")
    found.add_new(0x60003000, "OW", b"Doevale " * 64)
    found.add_new(0x50000005, "US", 1)
    found.add_new(0x50003000, "OW", b"curve of Janette")
    icon = data_set(np.zeros((8, 8), np.uint8))
    found.IconImageSequence = Sequence([icon])
    found.preamble = b"Doevale^Janette ".ljust(128, b".")
    return found


TRACES = (
    "doevale", "janette", "448812", "19610307", "771204", "quay street", "40555019", "wilhelmine",
    "frisian", "90210", "5566", "2003121", "harbour", "tower road", "station", "grumbleton",
    "quillfeather", "marrowby", "8839201", "498.77", "ward", "ladder", "room 1", "31337", "1961",
    "persimmon", "clementine", "8.498",
)  # fmt: skip


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", IMPLICIT])
@pytest.mark.parametrize("dates", ["remove", "shift"])
def test_nothing_that_identifies_is_left_in_the_bytes(dates: Dates, syntax: str) -> None:
    original = written(laden(), syntax)
    text = original.decode("latin-1").lower()
    assert [trace for trace in TRACES if trace not in text] == [], "each is in the original"
    made = cleaned(original, dates)
    left = made.data.decode("latin-1").lower()
    assert [trace for trace in TRACES if trace in left] == []
    assert not any(trace in str(made.facts).lower() for trace in TRACES)


def test_the_file_says_that_it_was_deidentified_and_how() -> None:
    found = opened(cleaned(laden(), "shift").data)
    assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert found.file_meta.MediaStorageSOPInstanceUID == found.SOPInstanceUID
    assert found.preamble == bytes(128)
    assert found.PatientIdentityRemoved == "YES"
    assert "PS3.15 2026c Basic Profile" in found.DeidentificationMethod
    codes = [item.CodeValue for item in found.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113107"]
    assert found.LongitudinalTemporalInformationModified == "MODIFIED"
    assert opened(cleaned(laden()).data).LongitudinalTemporalInformationModified == "REMOVED"


def test_the_picture_stays_and_what_it_is_shown_by() -> None:
    original = written(laden())
    made = cleaned(original)
    found = opened(made.data)
    assert (found.pixel_array == SMALL).all()
    assert (found.WindowCenter, found.WindowWidth, found.BitsStored) == (2000, 1000, 12)
    assert (found.Modality, list(found.ImageType)) == ("CT", ["ORIGINAL", "PRIMARY", "AXIAL"])
    before, after = describe(original, 1 << 30), describe(made.data, 1 << 30)
    assert (show(before).pixels == show(after).pixels).all()
    reference = found.ReferencedImageSequence[0]
    assert reference.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert reference.ReferencedSOPInstanceUID.startswith("2.25.")
    assert reference.PurposeOfReferenceCodeSequence[0].CodeMeaning == "Localizer"


def test_bits_above_those_that_count_are_cleared_in_the_file_as_well() -> None:
    drawn = data_set(SMALL | np.uint16(0xA000), 12)
    assert (opened(cleaned(drawn).data).pixel_array == SMALL).all()


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.dcm")))
def test_every_file_that_pydicom_ships_is_cleaned_or_refused(name: str) -> None:
    if name in REFUSED:
        with pytest.raises(InvalidError):
            cleaned(shipped(name))
        return
    made = cleaned(shipped(name))
    before, after = opened(shipped(name)), opened(made.data)
    left = [element for element in elements(after) if element.tag.is_private]
    assert left == []
    said = made.data[: made.data.rindex(b"\xe0\x7f\x10\x00")]
    for element in elements(before):
        values = element.value if element.VM > 1 else [element.value]
        for value in map(str, values):
            if element.VR == "UI" and value and UID(value).name == value:
                assert value.encode() not in said, element.keyword
            if element.VR in {"DA", "DT"} and len(value) >= 8:
                assert value[:8].encode() not in said, element.keyword
            if element.VR == "PN" and len(value) > 3:
                assert value.encode() not in said, element.keyword
    assert (
        show(describe(made.data, 1 << 30)).pixels == show(describe(shipped(name), 1 << 30)).pixels
    ).all()


REFUSED = frozenset(
    (
        *("ExplVR_BigEndNoMeta", "ExplVR_LitEndNoMeta", "no_meta", "no_meta_group_length"),
        *("meta_missing_tsyntax", "rtstruct", "MR_truncated", "badVR"),
        *("JPEG-lossy", "JPGExtended", "JPEG2000-embedded-sequence-delimiter"),
        *("SC_rgb_rle_32bit", "SC_rgb_rle_32bit_2frame", "liver_1frame", "liver_expb_1frame"),
        *("UN_sequence", "empty_charset_LEI", "nested_priv_SQ", "priv_SQ", "reportsi"),
        *("reportsi_with_empty_number_tags", "rtplan", "rtplan_truncated", "test-SR"),
        "waveform_ecg",
    )
)
"""Reports, plans and waveforms, damaged files, and coded in ways that are not decoded."""


def test_big_endian_tables_are_turned_round_with_the_rest() -> None:
    little, big = (cleaned(shipped(f"SC_rgb_small_odd{end}")) for end in ("", "_big_endian"))
    assert (opened(little.data).pixel_array == opened(big.data).pixel_array).all()


def every_tag() -> list[tuple[int, str, str]]:
    table = Path(profile.__file__).parent / "basic_profile.csv"
    with table.open(newline="") as file:
        return [
            (int(row["tag"], 16), row["keyword"], row["action"])
            for row in csv.DictReader(file)
            if "x" not in row["tag"]
        ]


ITEM_UID = "1.2.826.0.1.3680043.8.498.9"
ITEM = Dataset()
ITEM.ReferencedSOPInstanceUID = ITEM_UID
NOT_HERE = frozenset({0x0000, 0x0002, 0x0004, 0x7FE0, 0xFFFA, 0xFFFC})
"""Groups that are no part of a data set, or stand beside its pixels."""
VALUES: dict[str, Any] = {
    "DA": "20031214",
    "DT": "20031214101112",
    "TM": "101112",
    "AS": "042Y",
    "UI": "1.2.826.0.1.3680043.8.498.8",
    "CS": "SECRET",
    "SQ": Sequence([ITEM]),
    **dict.fromkeys(("OB", "OW", "OF", "OD", "OL", "OV", "UN"), b"secret.."),
    **dict.fromkeys(("DS", "IS"), "42"),
    **dict.fromkeys(("FD", "FL"), 42.0),
    **dict.fromkeys(("US", "UL", "SS", "SL"), 42),
}


def test_every_attribute_of_the_table_is_done_as_it_says() -> None:
    """All that this edition of pydicom's dictionary knows, in one file."""
    rows = [row for row in every_tag() if keyword_for_tag(row[0]) and row[0] >> 16 not in NOT_HERE]
    found = data_set(SMALL, 12)
    for tag, keyword, _ in rows:
        assert keyword_for_tag(tag) == keyword
        vr = str(dictionary_VR(tag)).split(" or ")[0]
        found.add_new(tag, vr, VALUES.get(vr, "secret"))
    after = opened(cleaned(found).data)
    for tag, keyword, code in rows:
        vr, was = found[tag].VR, found[tag].value
        now = after[tag].value if tag in after else None
        if code == "X":
            assert tag not in after, keyword
        elif code == "X/Z/U*":
            assert [item.ReferencedSOPInstanceUID for item in now or ()] == [KEY.uid(ITEM_UID)]
        elif code == "U" or vr == "UI":
            assert now == KEY.uid(was), keyword
        elif keyword in {"PatientName", "PatientID"}:
            assert now == KEY.patient("secret", "secret"), keyword
        elif code in {"Z", "X/Z"}:
            assert tag in after, keyword
            assert not now, keyword
        else:
            assert now != was, keyword
            assert now or vr in {"SQ", "OB", "UN", "UR"}, keyword
    assert len(rows) > 600
    assert b"secret" not in cleaned(found).data


def test_the_table_is_that_of_the_standard() -> None:
    """Samples of each code, by hand from PS3.15 table E.1-1."""
    known = {keyword: code for _, keyword, code in every_tag()}
    expected = {
        "AccessionNumber": "Z", "AcquisitionComments": "X", "AcquisitionContextSequence": "X/Z",
        "AcquisitionDate": "X/Z", "AcquisitionDateTime": "X/Z/D", "AdmittingDate": "X",
        "AcquisitionDeviceProcessingDescription": "X/D", "ClinicalTrialProtocolID": "D",
        "ConcatenationUID": "U", "ContentCreatorName": "Z/D", "ContentDate": "Z/D",
        "DeviceSerialNumber": "X/Z/D", "DeviceUID": "U", "DigitalSignaturesSequence": "X",
        "PatientBirthDate": "Z", "PatientName": "Z", "ReferencedImageSequence": "X/Z/U*",
    }  # fmt: skip
    assert {keyword: known[keyword] for keyword in expected} == expected


def test_what_the_table_does_not_know_is_not_let_through() -> None:
    found = data_set(SMALL, 12, BodyPartExamined="KNEE", SliceThickness="2.5")
    found.add_new(0x00080FFE, "LO", "of an edition to come: Doevale")
    found.add_new(0x00180088, "LT", "Doevale where a number belongs")
    found.KVP = None
    found.add_new(0x00080060, "CS", "of Doevale")
    found.EvaluatorName = "Quillfeather^Ada"
    found.DetectorDescription = "bought by Doevale"
    after = opened(cleaned(found).data)
    assert b"Doevale" not in cleaned(found).data
    assert 0x00080FFE not in after
    assert "SpacingBetweenSlices" not in after
    assert "Modality" not in after
    assert "EvaluatorName" not in after
    assert "DetectorDescription" not in after
    assert (after.BodyPartExamined, after.SliceThickness) == ("KNEE", 2.5)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ManufacturerModelName", "scanner of Janette"),
        ("SoftwareVersions", "for MRN-448812"),
        ("ConvolutionKernel", "1.2.3 19610307"),
        ("SequenceName", "DOEVALE"),
        ("CodeMeaning", "of Doevale"),
        ("ReceiveCoilName", "Müllerin"),
    ],
)
def test_a_name_in_an_attribute_that_is_kept_is_found_and_refused(keyword: str, value: str) -> None:
    found = data_set(SMALL, 12, PatientBirthDate="19610307", SpecificCharacterSet="ISO_IR 192")
    found.OperatorsName = "Müllerin^Rosa"
    assert cleaned(found).data
    setattr(found, keyword, value)
    with pytest.raises(InvalidError, match="stands in an attribute") as error:
        cleaned(found)
    assert not re.search(r"(?i)doevale|janette|448812|1961|rosa", error.value.message)


def test_pseudonyms_are_the_same_for_one_key_and_others_for_another() -> None:
    one, again, other = (
        opened(cleaned(laden(), key=key).data)
        for key in (KEY, Pseudonyms(KEY._key), Pseudonyms(b"f" * 32))
    )
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID"):
        assert one[keyword].value == again[keyword].value != other[keyword].value
    assert cleaned(laden()).data == cleaned(laden()).data


def test_references_between_files_still_lead_to_each_other() -> None:
    first = data_set(SMALL, 12, SOPInstanceUID="1.2.826.0.1.3680043.8.498.5")
    second = data_set(SMALL, 12, SOPInstanceUID="1.2.826.0.1.3680043.8.498.6")
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = (
        first.SOPClassUID,
        first.SOPInstanceUID,
    )
    second.SourceImageSequence = Sequence([reference])
    one, two = opened(cleaned(first).data), opened(cleaned(second).data)
    assert two.SourceImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert one.StudyInstanceUID == two.StudyInstanceUID


def test_shifted_dates_keep_their_distance_for_one_patient() -> None:
    def dated(patient: str, study: str, acquired: str) -> Dataset:
        found = data_set(SMALL, 12, PatientID=patient, StudyDate=study, StudyTime="101112")
        found.AcquisitionDateTime, found.PatientBirthDate = acquired, "19610307"
        return opened(cleaned(found, "shift").data)

    def days(found: Dataset) -> int:
        return dt.datetime.strptime(found.StudyDate, "%Y%m%d").replace(tzinfo=dt.UTC).toordinal()

    first = dated("A-1000", "20040228", "20040301235959.25+0100")
    later = dated("A-1000", "20040310", "20040310")
    other = dated("B-2000", "20040228", "20040301")
    assert days(later) - days(first) == 11
    assert 365 <= dt.date(2004, 2, 28).toordinal() - days(first) <= 3650
    assert days(other) != days(first)
    assert first.AcquisitionDateTime[8:] == "235959.25+0100"
    assert first.StudyTime == "101112"
    assert first.PatientBirthDate == ""


@pytest.mark.parametrize("text", ["2004", "20041399", "not a date", "20040228Doevale"])
def test_what_is_no_date_is_emptied(text: str) -> None:
    found = data_set(SMALL, 12, StudyTime="10:11 Doevale")
    found.add_new(0x00080020, "DA", text)
    after = opened(cleaned(found, "shift").data)
    assert (after.StudyDate, after.StudyTime) == ("", "")


def test_dates_of_nobody_cannot_be_shifted() -> None:
    with pytest.raises(InvalidError, match="no PatientID, so its dates cannot be moved"):
        cleaned(data_set(SMALL, 12, PatientID=""), "shift")


@pytest.mark.parametrize(
    ("more", "review"),
    [
        ({}, ""),
        ({"Modality": "US"}, "does not say"),
        ({"Modality": "US", "BurnedInAnnotation": "NO"}, ""),
        ({"BurnedInAnnotation": "YES"}, "says that there is text"),
        ({"Modality": "MR", "BurnedInAnnotation": "YES"}, "says that there is text"),
        ({"ImageType": ["DERIVED", "SECONDARY"]}, "does not say"),
        ({"ImageType": []}, "does not say"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "does not say"),
        ({"Modality": ""}, "does not say"),
        ({"BurnedInAnnotation": "PERHAPS"}, "does not say"),
        ({"RecognizableVisualFeatures": "YES"}, "can be recognised"),
    ],
)
def test_what_may_have_text_in_its_pixels_waits_for_a_human(more: Any, review: str) -> None:
    made = cleaned(data_set(SMALL, 12, **more))
    assert bool(made.review) == bool(review)
    assert review in made.review


def test_classes_that_nobody_knows_are_refused() -> None:
    for uid in ("1.2.826.0.1.3680043.8.498.4", "1.2.840.10008.5.1.4.1.1.999"):
        with pytest.raises(InvalidError, match="of no class of the standard"):
            cleaned(data_set(SMALL, 12, SOPClassUID=uid))


def test_sequences_nested_without_end_are_refused() -> None:
    deepest = Dataset()
    for _ in range(20):
        above = Dataset()
        above.PurposeOfReferenceCodeSequence = Sequence([deepest])
        deepest = above
    found = data_set(SMALL, 12, PurposeOfReferenceCodeSequence=Sequence([deepest]))
    with pytest.raises(InvalidError, match="nested more than 16 deep"):
        cleaned(found)


def test_private_attributes_and_tables_are_listed_for_removal() -> None:
    assert profile.listed(0x00191001, "LO") is Action.REMOVE
    assert profile.listed(0x60020022, "LO") is Action.REMOVE
    assert profile.fallback(0x00281201, "OW", "RedPaletteColorLookupTableData") is Action.KEEP
    assert profile.fallback(0x00420011, "OB", "EncapsulatedDocument") is Action.REMOVE


def test_all_frames_of_a_compressed_file_are_kept() -> None:
    before, after = (
        opened(shipped("examples_ybr_color")),
        opened(cleaned(shipped("examples_ybr_color")).data),
    )
    assert after.NumberOfFrames == before.NumberOfFrames == 30
    assert after.PhotometricInterpretation == "RGB"
    assert (after.pixel_array == before.pixel_array).all()
