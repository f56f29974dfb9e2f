"""A DICOM file written anew, without what identifies a person, and read again to make sure."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from imagelane.execute.dicom.cleaning import Cleaning, mark
from imagelane.execute.dicom.file import PIXEL_DATA, read_file
from imagelane.execute.dicom.frames import decoded, stored_frames
from imagelane.execute.dicom.layout import layout_of
from imagelane.execute.dicom.leftovers import Identifiers
from imagelane.execute.dicom.library import load, quietly
from imagelane.execute.dicom.pseudonyms import Pseudonyms, is_standard
from imagelane.execute.dicom.reading import Described
from imagelane.execute.errors import BugError, InvalidError

_EXPLICIT = "1.2.840.10008.1.2.1"
_IMPLEMENTATION = "2.25.78536976176894670051311671314991595996"
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_ ]{0,15}")


@dataclass(frozen=True, slots=True)
class Deidentified:
    """``data`` is a DICOM file, ``facts`` say nothing but pseudonyms and codes; ``review`` says why
    a human must look at its pixels, and is empty where none must."""

    data: bytes
    facts: Mapping[str, Any]
    review: str


def deidentify(
    described: Described,
    pseudonyms: Pseudonyms,
    dates: Literal["remove", "shift"],
    text_free: Sequence[str],
) -> Deidentified:
    """Clean a file by the basic profile (PS3.15, Annex E). All its frames are decoded and written
    uncompressed, explicit VR little endian: what a coded frame has in its comments stays behind.

    Raises:
        InvalidError: it cannot be read in every part, or something in it cannot be cleaned.
    """
    attributes = described.file.attributes
    with quietly("de-identified"):
        number = str(attributes.get("PatientID") or "").strip()
        issuer = str(attributes.get("IssuerOfPatientID") or "").strip()
        if dates == "shift" and not number:
            raise InvalidError(
                "the dicom has no PatientID, so its dates cannot be moved like those of the "
                "patient's other pictures: say dates: remove"
            )
        sop_class = str(attributes.get("SOPClassUID") or "")
        if not (sop_class.startswith(_STORAGE) and is_standard(sop_class)):
            raise InvalidError(
                "the dicom is of no class of the standard: nobody knows what is in it"
            )
        identifiers = Identifiers(attributes)
        cleaning = Cleaning(pseudonyms, dates, issuer, number, described.file.little)
        clean = cleaning.cleaned(attributes)
        clean.PatientName = clean.PatientID = pseudonyms.patient(issuer, number)
        mark(clean, dates)
    pixels = _put_pixels(clean, described)
    data = _written(clean)
    own = frozenset({"removed", pseudonyms.patient(issuer, number).casefold()}) | (
        cleaning.moved_dates(identifiers.dates) if dates == "shift" else frozenset()
    )
    _check(data, identifiers, own, pixels)
    with quietly("de-identified"):
        review = _review(clean, text_free)
        facts = _facts(clean, described.layout.frames, dates)
    facts |= {"review": review} if review else {}
    return Deidentified(data, facts, review)


def _put_pixels(clean: Any, described: Described) -> bytes:
    """All frames, colours as RGB, into the data set; gives their bytes."""
    layout = decoded(described.layout)
    frames = bytearray()
    width = 0
    for samples in stored_frames(described.file, described.layout, range(layout.frames)):
        width = samples.dtype.itemsize
        frames += samples.astype(samples.dtype.newbyteorder("<"), copy=False).tobytes()
    if width * 8 != layout.allocated or len(frames) != layout.frame_bytes * layout.frames:
        raise BugError(
            f"the frames have {len(frames):,} bytes: expected {layout.frame_bytes:,} each"
        )
    frames += b"\0" * (len(frames) % 2)
    pixels = bytes(frames)
    with quietly("de-identified"):
        clean.PhotometricInterpretation = layout.photometric
        if layout.samples == 3:
            clean.PlanarConfiguration = 0
        clean.add_new(PIXEL_DATA, "OW" if layout.allocated > 8 else "OB", pixels)
    return pixels


def _written(clean: Any) -> bytes:
    stream = io.BytesIO()
    with quietly("written"):
        meta = load("dataset").FileMetaDataset()
        meta.MediaStorageSOPClassUID = clean.SOPClassUID
        meta.MediaStorageSOPInstanceUID = clean.SOPInstanceUID
        meta.TransferSyntaxUID = _EXPLICIT
        meta.ImplementationClassUID = _IMPLEMENTATION
        meta.ImplementationVersionName = "IMAGELANE"
        clean.file_meta = meta
        clean.preamble = b"\0" * 128
        load("filewriter").dcmwrite(
            stream, clean, implicit_vr=False, little_endian=True, enforce_file_format=True
        )
    return stream.getvalue()


def _check(data: bytes, identifiers: Identifiers, own: frozenset[str], pixels: bytes) -> None:
    """Read what was written.

    Raises:
        InvalidError: something that identifies a person is still in it.
        BugError: it is not what was to be written.
    """
    again = read_file(data, len(data))
    layout_of(again.attributes)
    if again.pixel_data() != pixels or again.syntax != _EXPLICIT:
        raise BugError("the dicom that was written has other pixels than were to be written")
    with quietly("checked"):
        left = identifiers.found_in(again.attributes, own)
        identity_removed = again.attributes.get("PatientIdentityRemoved") == "YES"
    if left:
        raise InvalidError(
            f"{left} of the patient or the hospital stands in an attribute of the dicom that the "
            "profile keeps: it is not passed on; take it out of the original, or leave the file out"
        )
    if not identity_removed:
        raise BugError("the dicom that was written does not say that it was de-identified")


def _review(clean: Any, text_free: Sequence[str]) -> str:
    """Why a human must look at the pixels, by what the file says of itself."""
    said = str(clean.get("BurnedInAnnotation") or "").strip().upper()
    if said == "YES":
        return "the file says that there is text in its pixels"
    if str(clean.get("RecognizableVisualFeatures") or "").strip().upper() == "YES":
        return "the file says that a person can be recognised in it"
    if said == "NO":
        return ""
    kind = clean.get("ImageType")
    values = [kind] if isinstance(kind, str) else list(kind or ())
    primary = len(values) > 1 and values[1] == "PRIMARY"
    captured = str(clean.SOPClassUID).startswith(_SECONDARY_CAPTURE)
    if not said and clean.get("Modality") in text_free and primary and not captured:
        return ""
    return "the file does not say whether there is text in its pixels, and it may have some"


def _facts(clean: Any, frames: int, dates: str) -> dict[str, Any]:
    burned_in = str(clean.get("BurnedInAnnotation") or "").strip().lower()
    facts = {
        "modality": _code(clean.get("Modality")),
        "body_part": _code(clean.get("BodyPartExamined")),
        "patient": str(clean.PatientID),
        "study": str(clean.get("StudyInstanceUID") or ""),
        "series": str(clean.get("SeriesInstanceUID") or ""),
        "instance": str(clean.get("SOPInstanceUID") or ""),
        "frames": frames,
        "dates": "shifted" if dates == "shift" else "removed",
        "burned_in": burned_in if burned_in in {"yes", "no"} else "not said",
    }
    return {name: value for name, value in facts.items() if value != ""}


def _code(value: Any) -> str:
    """A code string; whatever else stands there is no fact."""
    text = str(value or "").strip()
    return text if _CODE.fullmatch(text) else ""
