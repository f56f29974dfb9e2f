"""How the samples of a DICOM picture lie in its file (PS3.3, C.7.6.3): checked, and none read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from imagelane.execute.dicom.library import quietly
from imagelane.execute.errors import InvalidError

GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
PALETTE = "PALETTE COLOR"
_COLOURS = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
_MOST_SIDE = 65_535
_MOST_FRAMES = 2**31


@dataclass(frozen=True, slots=True)
class Layout:
    """``allocated`` bits a sample in the file, of which the lower ``stored`` count."""

    rows: int
    columns: int
    frames: int
    samples: int
    allocated: int
    stored: int
    signed: bool
    photometric: str

    @property
    def grey(self) -> bool:
        return self.photometric in GREY

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame, each sample in its allocated bits."""
        return self.rows * self.columns * self.samples * self.allocated // 8

    @property
    def native_bytes(self) -> int:
        """Bytes of all frames where they are not compressed."""
        size = self.frame_bytes * self.frames
        return size * 2 // 3 if self.photometric == "YBR_FULL_422" else size


def layout_of(attributes: Any) -> Layout:
    """Read and check it.

    Raises:
        InvalidError: something is missing, contradicts itself, or is of a kind that is not shown.
    """
    samples = _number(attributes, "SamplesPerPixel", 1, 4)
    allocated = _number(attributes, "BitsAllocated", 1, 64)
    stored = _number(attributes, "BitsStored", 1, allocated)
    high = _number(attributes, "HighBit", 0, allocated - 1, stored - 1)
    with quietly("read"):
        photometric = str(attributes.get("PhotometricInterpretation") or "")
    layout = Layout(
        rows=_number(attributes, "Rows", 1, _MOST_SIDE),
        columns=_number(attributes, "Columns", 1, _MOST_SIDE),
        frames=_number(attributes, "NumberOfFrames", 1, _MOST_FRAMES, 1),
        samples=samples,
        allocated=allocated,
        stored=stored,
        signed=_number(attributes, "PixelRepresentation", 0, 1, 0) == 1,
        photometric=photometric,
    )
    expected = {1: GREY | {PALETTE}, 3: _COLOURS}.get(samples, frozenset())
    if photometric not in expected:
        # What stands there is a text of the file's, so it is not repeated.
        words = ", ".join(sorted(expected)) or "1 or 3 samples a pixel"
        raise InvalidError(
            f"the dicom has {samples} samples a pixel and a photometric interpretation that does "
            f"not go with it: expected {words}"
        )
    if allocated not in ({8, 16, 32} if layout.grey else {8, 16}):
        raise InvalidError(f"the dicom has {allocated} bits a sample: expected 8, 16 or, grey, 32")
    if high != stored - 1 or (layout.signed and not layout.grey):
        raise InvalidError("the samples of the dicom are not in the lower bits, or signed colours")
    return layout


def _number(
    attributes: Any, keyword: str, least: int, most: int, otherwise: int | None = None
) -> int:
    with quietly("read"):
        value = attributes.get(keyword)
        value = otherwise if value is None else int(value)
    if value is None:
        raise InvalidError(f"the dicom does not say its {keyword}: no picture can be made of it")
    if not least <= value <= most:
        raise InvalidError(f"{keyword} of the dicom is {value}: expected {least} to {most}")
    return value
