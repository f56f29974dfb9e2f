"""What a decoder of pictures needs of a DICOM file: its size by the header, and one frame."""

from __future__ import annotations

from dataclasses import dataclass

from imagelane.execute.dicom.display import Shown, Window, shown
from imagelane.execute.dicom.file import DicomFile, read_file
from imagelane.execute.dicom.frames import decoded, stored_frames
from imagelane.execute.dicom.layout import Layout, layout_of
from imagelane.execute.dicom.library import quietly


@dataclass(frozen=True, slots=True)
class Described:
    """A file whose attributes were read, and none of its pixels."""

    file: DicomFile
    layout: Layout
    icc: bytes | None

    def working_bytes(self, frames: int) -> int:
        """Bytes in hand while so many frames are decoded: as in the file, decoded, and shown."""
        one = self.layout.frame_bytes
        return one * self.layout.frames + one * frames + 7 * self.layout.rows * self.layout.columns


def describe(data: bytes, most: int) -> Described:
    """Read what stands before the pixels. ``most`` bounds a deflated file, in bytes.

    Raises:
        InvalidError: it is damaged, or of a kind that is not read.
    """
    file = read_file(data, most)
    layout = layout_of(file.attributes)
    with quietly("read"):
        icc = None if layout.grey else file.attributes.get("ICCProfile")
    return Described(file, layout, icc if isinstance(icc, bytes) and icc else None)


def show(described: Described, frame: int = 0, window: Window | None = None) -> Shown:
    """Decode a frame, counted from 0, and show it.

    Raises:
        InvalidError: it is damaged, or cannot be shown as was asked.
    """
    layout = described.layout
    (samples,) = stored_frames(described.file, layout, range(frame, frame + 1))
    return shown(samples, described.file.attributes, decoded(layout), frame, window or Window())
