"""What becomes of each attribute: PS3.15 table E.1-1, and what this project adds to it.

The table stands in ``basic_profile.csv`` beside this file: tag, keyword and the code of the column
"Basic Prof." in edition 2026c of the standard. It was taken from dicom-anonymizer 2.1.0 (BSD-3-
Clause), which generates its lists from the standard's own pages; the facts are the standard's.

Where a code leaves a choice, the one is taken that suits every kind of image without knowing it:

=========  ==============================================================================
X          removed
Z, X/Z     emptied
D, Z/D,    replaced by a dummy; of sequences, which would need a made-up item, those with
X/D, X/Z/D an X are removed, the others emptied
U          replaced by a pseudonym
X/Z/U*     its items are cleaned like everything else, UIDs in them replaced
=========  ==============================================================================

The table is a list of what to remove, so what is not in it would be kept. `fallback` is stricter.
"""

from __future__ import annotations

import csv
import re
from enum import Enum
from functools import cache
from pathlib import Path

EDITION = "PS3.15 2026c"
_TABLE = Path(__file__).parent / "basic_profile.csv"


class Action(Enum):
    """What is done to an attribute."""

    KEEP = "keep"
    REMOVE = "remove"
    EMPTY = "empty"
    DUMMY = "dummy"
    PSEUDONYM = "pseudonym"
    DATE = "date"
    """Removed or moved, as the pipeline says."""


_CODES = {
    "X": Action.REMOVE,
    "Z": Action.EMPTY,
    "X/Z": Action.EMPTY,
    "D": Action.DUMMY,
    "Z/D": Action.DUMMY,
    "X/D": Action.DUMMY,
    "X/Z/D": Action.DUMMY,
    "U": Action.PSEUDONYM,
    "X/Z/U*": Action.KEEP,
}
_FREE_TEXT = frozenset({"ST", "LT", "UT", "UR", "PN", "AE", "AS", "UN"})
_BULK = frozenset({"OB", "OW", "OD", "OF", "OL", "OV"})
_DATES = frozenset({"DA", "DT", "TM"})
_REMARKS = re.compile(r"(?:Comments?|Description|Address|Owner\w*|BirthDate\w*|DeathDate\w*)$")
PERSONAL_GROUPS = frozenset({0x0010, 0x0012, 0x0032, 0x0038, 0x4008})
"""Patient, clinical trial, study scheduling, visit, results."""
_LOOKUP_TABLES = 0x0028
_PIXELS = 0x7FE0


def listed(tag: int, vr: str) -> Action | None:
    """What the table says of an attribute; None where it is not in it."""
    group = tag >> 16
    if group % 2 == 1:
        return Action.REMOVE  # "Private attributes"
    if 0x5000 <= group <= 0x50FF or 0x6000 <= group <= 0x60FF:
        return Action.REMOVE  # curves, and overlays as a whole: without their data the rest is void
    code = table().get(tag)
    if code is None:
        return None
    if vr == "SQ" and code in {"X/D", "X/Z/D"}:
        return Action.REMOVE
    if vr == "SQ" and code in {"D", "Z/D"}:
        return Action.EMPTY
    return _CODES[code]


def fallback(tag: int, vr: str, keyword: str) -> Action:
    """What becomes of a standard attribute that the table does not name.

    Removed, though the table would keep it: all of the groups that are about persons; free text,
    and what is called a comment or a description; addresses of machines; bulk data but lookup
    tables and colour profiles. Dates go the way of all dates. UIDs that the standard does not
    register become pseudonyms.
    """
    if tag & 0xFFFF == 0 or tag >> 16 in PERSONAL_GROUPS or tag >> 16 in {_PIXELS, 0x0000, 0x0002}:
        return Action.REMOVE
    if vr in _FREE_TEXT or (vr in _BULK and tag >> 16 != _LOOKUP_TABLES):
        return Action.REMOVE
    if vr in {"LO", "SH", "UC"} and _REMARKS.search(keyword):
        return Action.REMOVE
    if vr in _DATES:
        return Action.DATE
    return Action.PSEUDONYM if vr == "UI" else Action.KEEP


@cache
def table() -> dict[int, str]:
    """The codes of all attributes that the table names one by one."""
    with _TABLE.open(newline="", encoding="utf-8") as file:
        return {
            int(row["tag"], 16): row["action"]
            for row in csv.DictReader(file)
            if "x" not in row["tag"]
        }
