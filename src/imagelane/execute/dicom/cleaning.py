"""A data set without what identifies a person: each attribute by the profile, items included."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from imagelane.execute.dicom import profile
from imagelane.execute.dicom.library import load
from imagelane.execute.dicom.profile import Action
from imagelane.execute.dicom.pseudonyms import Pseudonyms
from imagelane.execute.errors import InvalidError

_DEEPEST = 16
_PATIENT = frozenset({0x00100010, 0x00100020})
_DATES = frozenset({"DA", "DT", "TM"})
_CODE = re.compile(r"[A-Z0-9_ ]{0,16}")
_TIME = re.compile(r"[0-9]{2}(?:[0-9]{2}){0,2}(?:\.[0-9]{1,6})?")
_DATE = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})((?:[0-9]{2}){0,3}(?:\.[0-9]{1,6})?(?:[+-][0-9]{4})?)"
)
_METHODS = (
    ("113100", "Basic Application Confidentiality Profile"),
    (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
)
_DUMMIES = {"DA": "19000101", "DT": "19000101000000", "TM": "000000", "AS": "000Y"}
_TEXTS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "PN", "AE", "CS"})


@dataclass(frozen=True, slots=True)
class Cleaning:
    """How one file's data set is cleaned; ``issuer`` and ``number`` are its patient's."""

    pseudonyms: Pseudonyms
    dates: Literal["remove", "shift"]
    issuer: str
    number: str
    little: bool

    def cleaned(self, data_set: Any, depth: int = 0) -> Any:
        """A new data set of the attributes that may stay, as they may stay.

        Raises:
            InvalidError: its sequences are nested too deep.
        """
        if depth > _DEEPEST:
            raise InvalidError(f"the sequences of the dicom are nested more than {_DEEPEST} deep")
        clean = load("dataset").Dataset()
        for tag in sorted(data_set.keys()):
            element = self._element(data_set, tag, depth)
            if element is not None:
                clean[tag] = element
        return clean

    def moved_dates(self, days: Iterable[str]) -> frozenset[str]:
        """What dates (YYYYMMDD) become."""
        return frozenset(map(self._moved_one, days))

    def _element(self, data_set: Any, tag: Any, depth: int) -> Any | None:
        dictionary = load("datadict")
        vrs = _standard_vrs(tag)
        if not vrs:
            # Private, or not in the standard as it is known here: nobody can say what it holds.
            return None
        element = data_set[tag]
        vr = str(element.VR)
        if vr not in vrs or (vr == "CS" and not _is_code(element)):
            # Text where the standard has a number or a code could be anything.
            return None
        keyword = dictionary.keyword_for_tag(tag)
        action = profile.listed(tag, vr) or profile.fallback(tag, vr, keyword)
        return self._done(action, element, vr, depth)

    def _done(self, action: Action, element: Any, vr: str, depth: int) -> Any | None:
        tag = element.tag
        if tag in _PATIENT:
            value: Any = self.pseudonyms.patient(self.issuer, self.number)
        elif vr in _DATES and self.dates == "shift" and tag >> 16 not in profile.PERSONAL_GROUPS:
            value = _each(element, _time if vr == "TM" else self._moved_one)
        elif action in {Action.REMOVE, Action.DATE}:
            return None
        elif action is Action.EMPTY:
            value = [] if vr == "SQ" else None
        elif vr == "UI":
            value = _each(element, self.pseudonyms.uid)
        elif action is Action.DUMMY:
            value = _dummy(vr)
            if not value:
                return None
        else:
            value = self._kept(element, vr, depth)
        return load("dataelem").DataElement(tag, vr, value)

    def _kept(self, element: Any, vr: str, depth: int) -> Any:
        if vr == "SQ":
            items = [self.cleaned(item, depth + 1) for item in element.value]
            return load("sequence").Sequence(items)
        if vr == "OW" and not self.little and isinstance(element.value, bytes):
            swapped = bytearray(element.value)
            swapped[::2], swapped[1::2] = element.value[1::2], element.value[::2]
            return bytes(swapped)
        return element.value

    def _moved_one(self, text: str) -> str:
        """A date moved, with its time as it is; what is no date becomes empty."""
        match = _DATE.fullmatch(text.strip())
        if match is None:
            return ""
        year, month, day_of_month, rest = match.groups()
        try:
            day = dt.date(int(year), int(month), int(day_of_month))
            moved = self.pseudonyms.moved(self.issuer, self.number, day)
        except (ValueError, OverflowError):
            return ""
        return f"{moved.year:04}{moved.month:02}{moved.day:02}{rest}"


def mark(data_set: Any, dates: Literal["remove", "shift"]) -> None:
    """Say in the data set itself that it was cleaned, and how (PS3.15, E.1; PS3.3, C.7.1.1)."""
    code_item = load("dataset").Dataset
    items = []
    for value, meaning in _METHODS[: 2 if dates == "shift" else 1]:
        item = code_item()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        items.append(item)
    data_set.PatientIdentityRemoved = "YES"
    data_set.DeidentificationMethod = f"imagelane: {profile.EDITION} Basic Profile"
    data_set.DeidentificationMethodCodeSequence = load("sequence").Sequence(items)
    modified = "MODIFIED" if dates == "shift" else "REMOVED"
    data_set.LongitudinalTemporalInformationModified = modified


def _is_code(element: Any) -> bool:
    several = element.value if element.VM > 1 else [element.value]
    return all(_CODE.fullmatch(str(one or "")) for one in several)


def _time(text: str) -> str:
    return text if _TIME.fullmatch(text.strip()) else ""


def _dummy(vr: str) -> str:
    """A value that says nothing; empty where a kind has none."""
    return "REMOVED" if vr in _TEXTS else _DUMMIES.get(vr, "")


def _each(element: Any, change: Callable[[str], str]) -> Any:
    """The element's value, or each of its values, changed."""
    if element.VM > 1:
        return [change(str(one or "")) for one in element.value]
    return change(str(element.value or ""))


def _standard_vrs(tag: Any) -> frozenset[str]:
    """The value representations that the standard gives an attribute; none for what it lacks."""
    if tag >> 16 & 1:
        return frozenset()
    try:
        said = str(load("datadict").dictionary_VR(tag))
    except KeyError:
        return frozenset()
    return frozenset(said.split(" or "))
