"""Looking for what identifies a person in a file that was cleaned, as a stranger would: in its
bytes, whatever attribute they are in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from imagelane.execute.dicom import profile
from imagelane.execute.dicom.library import load
from imagelane.execute.dicom.profile import Action
from imagelane.execute.dicom.pseudonyms import is_standard

_NUMBERS = re.compile(r"(?:IDs?|Identifiers?|Numbers?|Locator|Address|AETitle|AET)$")
_PLACES = frozenset({"InstitutionName", "StationName", "InstitutionalDepartmentName"})
_MAKERS = frozenset({"Manufacturer", "ManufacturerModelName"})
_SEPARATORS = re.compile(r"[\^=\\,;/\s]+")
_LEAST_WORD, _LEAST_NUMBER, _LEAST_DIGITS = 3, 4, 6
_TEXTS = frozenset({"PN", "UI", "DA", "DT", "LO", "SH", "AE", "ST", "LT", "UT", "UC"})


class Identifiers:
    """What identified a person in a data set: words of names, numbers, dates and UIDs.

    Short ones are not looked for: "Li" and "7" stand in every file.
    """

    def __init__(self, data_set: Any) -> None:
        self.words: set[str] = set()
        self.dates: set[str] = set()
        self.uids: set[str] = set()
        makers = ""
        places: set[str] = set()
        for tag, vr, keyword, value in _texts(data_set):
            if keyword in _PLACES:
                places.add(value.strip().casefold())
            elif keyword in _MAKERS:
                makers += f" {value.casefold()}"
            else:
                self._learn(tag, vr, keyword, value)
        # Where a device was never given a name, it is called after its maker.
        self.words |= {one for one in places if len(one) >= _LEAST_NUMBER and one not in makers}

    def found_in(self, data_set: Any, own: frozenset[str]) -> str | None:
        """What kind of them stands anywhere in a data set that was just read, or None; never what
        it is. ``own`` are the texts that it was given: pseudonyms, dummies, dates that were moved.
        """
        # Each value by itself, so that no byte of what stands around it passes for a letter.
        text = b"\0".join(_raw_values(data_set)).decode("latin-1").casefold()
        if any(uid in text for uid in self.uids):
            return "a UID"
        for kind, known in (("a date", self.dates), ("a name or a number", self.words)):
            spellings = {form for one in known - own for form in _spellings(one)}
            if spellings and re.search(
                rf"(?<![^\W_])(?:{'|'.join(map(re.escape, sorted(spellings)))})(?![^\W_])", text
            ):
                return kind
        return None

    def _learn(self, tag: int, vr: str, keyword: str, value: str) -> None:
        text = value.strip().casefold()
        if vr == "PN":
            self.words.update(word for word in _SEPARATORS.split(text) if len(word) >= _LEAST_WORD)
        elif vr == "UI":
            if text and not is_standard(text):
                self.uids.add(text)
        elif vr in {"DA", "DT"}:
            if len(text) >= 8 and text[:8].isdecimal():
                self.dates.add(text[:8])
        elif _NUMBERS.search(keyword) and profile.listed(tag, vr) not in {None, Action.KEEP}:
            least = _LEAST_DIGITS if text.isdecimal() else _LEAST_NUMBER
            if len(text) >= least:
                self.words.add(text)


def _texts(data_set: Any) -> Iterator[tuple[int, str, str, str]]:
    """Every text of a data set and its items, private ones too where their kind is known. What is
    no text is not even parsed: private attributes are often malformed."""
    for tag in list(data_set.keys()):
        vr = _vr(data_set, tag)
        if vr == "SQ":
            for item in data_set[tag].value or ():
                yield from _texts(item)
        elif vr in _TEXTS:
            element = data_set[tag]
            several = element.value if element.VM > 1 else [element.value]
            yield from ((int(tag), vr, element.keyword or "", str(one or "")) for one in several)


def _vr(data_set: Any, tag: Any) -> str:
    vr = data_set.get_item(tag).VR
    if vr in {None, "UN"}:
        try:
            vr = load("datadict").dictionary_VR(tag)
        except KeyError:
            vr = "UN"
    return str(vr)


def _raw_values(data_set: Any) -> Iterator[bytes]:
    """The bytes of every value of a data set that was just read, and of its items."""
    for tag in list(data_set.keys()):
        raw = data_set.get_item(tag)
        if raw.VR == "SQ":
            for item in data_set[tag].value or ():
                yield from _raw_values(item)
        elif isinstance(raw.value, bytes):
            yield raw.value
        else:  # read on the way already, as the character set is
            yield str(raw.value).encode("utf-8", "replace")


def _spellings(text: str) -> Iterator[str]:
    """How a text may stand in bytes that are read as Latin-1."""
    yield text
    for encoding in ("utf-8", "latin-1"):
        try:
            yield text.encode(encoding).decode("latin-1").casefold()
        except UnicodeEncodeError:
            continue
