"""Is it a picture, of an allowed format, within the limits, and whole?"""

from __future__ import annotations

from typing import TypedDict

from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.decode import check_frames
from imagelane.execute.errors import InvalidError


class Parameters(TypedDict):
    formats: list[str]
    max_megapixels: float
    max_total_megapixels: float
    max_bytes: int
    max_scans: int


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """The decode is the check: the picture that other stages of the order take is made here."""
    piece = attempt.piece
    header = piece.header
    if header.format not in parameters["formats"]:
        allowed = ", ".join(parameters["formats"])
        raise InvalidError(f"this is a {header.format}: expected one of {allowed}")
    piece.picture(None)
    check_frames(piece.source.data, header)
    width, height = header.upright
    return Result(
        facts={
            "format": header.format,
            "width": width,
            "height": height,
            "bands": header.bands,
            "frames": header.frames,
            "bytes": len(piece.source.data),
            "has_alpha": header.has_alpha,
        }
    )
