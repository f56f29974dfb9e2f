"""The DICOM file without what tells whose picture it is."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypedDict

from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.dicom.deidentify import deidentify
from imagelane.execute.dicom.pseudonyms import Pseudonyms, read_key
from imagelane.execute.errors import InvalidError

NAME, FORMAT = "deidentified", "dcm"


class Parameters(TypedDict):
    key: str
    dates: Literal["remove", "shift"]
    text_free: list[str]


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """One rendition, and a verdict on its pixels: `review` where they may have text in them."""
    piece = attempt.piece
    described = piece.header.dicom
    if described is None:
        raise InvalidError(f"this is a {piece.header.format}: expected a dicom")
    key = read_key(Path(piece.opening.folder, parameters["key"]), parameters["key"])
    pseudonyms = Pseudonyms(key)
    # In the file, decoded, written, and read again.
    working = 4 * described.layout.frame_bytes * described.layout.frames
    piece.allowance.take(working)
    try:
        made = deidentify(described, pseudonyms, parameters["dates"], parameters["text_free"])
    finally:
        piece.allowance.give_back(working)
    layout = described.layout
    rendition = piece.shelf.put(NAME, FORMAT, made.data, layout.columns, layout.rows)
    facts = {**made.facts, "key_id": pseudonyms.key_id()}
    return Result((rendition,), facts, "review" if made.review else "approve")
