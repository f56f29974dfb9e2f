"""A DICOM file (PS3.10), taken apart: its attributes, and where its pixels begin."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from typing import Any, Literal

from imagelane.execute.dicom.library import load, quietly
from imagelane.execute.errors import InvalidError

MAGIC, MAGIC_AT = b"DICM", 128
PIXEL_DATA = 0x7FE00010
MOST_ATTRIBUTES = 8 << 20
"""Bytes before the pixels. An element of eight bytes takes some fifty times as many in memory, so a
file of nothing but elements is a bomb; the largest honest ones (attributes of each of thousands of
frames) have a few megabytes."""
MOST_ITEMS = 100_000
"""Items of all sequences: one of eight bytes takes more than a kilobyte in memory."""

_DEFLATED = "1.2.840.10008.1.2.1.99"
_NATIVE = {
    "1.2.840.10008.1.2": (True, True),
    "1.2.840.10008.1.2.1": (False, True),
    _DEFLATED: (False, True),
    "1.2.840.10008.1.2.2": (False, False),
}
"""Implicit VR and little endian of the transfer syntaxes without compressed pixels (PS3.5, A)."""
ENCAPSULATED = {
    "1.2.840.10008.1.2.5": "rle",
    "1.2.840.10008.1.2.4.50": "jpeg",  # baseline
    "1.2.840.10008.1.2.4.51": "jpeg",  # extended, 8 and 12 bits
    "1.2.840.10008.1.2.4.57": "jpeg",  # lossless
    "1.2.840.10008.1.2.4.70": "jpeg",  # lossless, first-order prediction
    "1.2.840.10008.1.2.4.80": "jpeg",  # JPEG-LS, lossless
    "1.2.840.10008.1.2.4.81": "jpeg",  # JPEG-LS, near-lossless
    "1.2.840.10008.1.2.4.90": "jpeg2000",  # lossless
    "1.2.840.10008.1.2.4.91": "jpeg2000",
}
"""The compressed transfer syntaxes that are decoded, and how their frames begin."""


@dataclass(frozen=True, slots=True)
class DicomFile:
    """``attributes`` is a pydicom data set without anything from the pixels on. ``body`` are the
    bytes of the data set, inflated; the pixels' element begins at ``pixels_at`` in it."""

    attributes: Any
    syntax: str
    implicit: bool
    little: bool
    body: memoryview
    pixels_at: int

    @property
    def encapsulated(self) -> bool:
        """Whether the pixels are compressed."""
        return self.syntax in ENCAPSULATED

    def pixel_data(self) -> bytes:
        """The value of the pixels' element, as it stands in the file.

        Raises:
            InvalidError: it is cut off.
        """
        if not self.encapsulated:
            return self._native()
        reader = load("filereader")
        with quietly("read"):
            only = reader.read_dataset(
                io.BytesIO(self.body[self.pixels_at :]),
                self.implicit,
                self.little,
                stop_when=lambda tag, *_: tag > PIXEL_DATA,
            )
            found: bytes = only.get_item(PIXEL_DATA).value
        return found

    def _native(self) -> bytes:
        head = 8 if self.implicit else 12
        start = self.pixels_at + head
        size = bytes(self.body[start - 4 : start])
        length = int.from_bytes(size, "little" if self.little else "big")
        if length > len(self.body) - start:
            raise InvalidError("the dicom is cut off: a part of its pixels is missing")
        return bytes(self.body[start : start + length])


def read_file(data: bytes, most: int) -> DicomFile:
    """Take a file apart; ``most`` bounds what a deflated one may become, in bytes.

    Raises:
        InvalidError: it is no DICOM file, it is damaged, it holds no picture, its transfer syntax
            is none that can be read, or it asks for more than the limits allow.
    """
    if data[MAGIC_AT : MAGIC_AT + 4] != MAGIC:
        raise InvalidError("this is no DICOM file: DICM is missing at byte 128")
    meta, start = _meta(data)
    with quietly("read"):
        syntax = str(meta.get("TransferSyntaxUID") or "")
    if not syntax:
        raise InvalidError("the dicom does not say its transfer syntax: it cannot be read for sure")
    if syntax not in _NATIVE and syntax not in ENCAPSULATED:
        # A name of the standard's own list, or nothing: a text from the file could be anything.
        known = load("uid").UID_dictionary.get(syntax)
        name = known[0] if known else "one that is not in the standard"
        raise InvalidError(
            f"the transfer syntax of the dicom is {name}: expected an uncompressed, deflated, RLE, "
            "JPEG, JPEG-LS or JPEG 2000 one"
        )
    implicit, little = _NATIVE.get(syntax, (False, True))
    body = memoryview(_inflated(data[start:], most)) if syntax == _DEFLATED else None
    return _taken_apart(
        memoryview(data)[start:] if body is None else body, syntax, implicit, little
    )


def _meta(data: bytes) -> tuple[Any, int]:
    """The file meta information (group 0002, always explicit little endian), and its end."""
    stream = io.BytesIO(data[: MAGIC_AT + 4 + MOST_ATTRIBUTES])
    stream.seek(MAGIC_AT + 4)
    reader = load("filereader")
    with quietly("read"):
        meta = reader.read_dataset(
            stream,
            is_implicit_VR=False,
            is_little_endian=True,
            stop_when=lambda tag, *_: tag >> 16 != 2,
        )
    return meta, stream.tell()


def _inflated(data: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = inflater.decompress(data, most + 1)
    except zlib.error:
        raise InvalidError("the deflated dicom is damaged") from None
    if len(found) > most:
        raise InvalidError(
            f"the deflated dicom becomes more than max_bytes, {most:,}, when it is inflated"
        )
    if not inflater.eof:
        raise InvalidError("the deflated dicom is cut off")
    return found


def _taken_apart(body: memoryview, syntax: str, implicit: bool, little: bool) -> DicomFile:  # noqa: FBT001 - both are facts of the syntax
    head = bytes(body[:MOST_ATTRIBUTES])
    if head.count(b"\xfe\xff\x00\xe0" if little else b"\xff\xfe\xe0\x00") > MOST_ITEMS:
        raise InvalidError(f"the dicom has more than {MOST_ITEMS:,} items in its sequences")
    stream = io.BytesIO(head)
    reader = load("filereader")
    with quietly("read"):
        attributes = reader.read_dataset(
            stream, implicit, little, stop_when=lambda tag, *_: tag >= 0x7FE00008
        )
        implicit, little = attributes.original_encoding
        at = stream.tell()
    order: Literal["little", "big"] = "little" if little else "big"
    group, element = bytes(body[at : at + 2]), bytes(body[at + 2 : at + 4])
    tag = int.from_bytes(group, order) << 16 | int.from_bytes(element, order)
    if tag in {0x7FE00008, 0x7FE00009}:
        raise InvalidError("the pixels of the dicom are floating-point numbers: expected integers")
    if tag != PIXEL_DATA and len(body) > MOST_ATTRIBUTES and at >= MOST_ATTRIBUTES - 12:
        raise InvalidError(
            f"the dicom has more than {MOST_ATTRIBUTES >> 20} MB of attributes before its pixels"
        )
    if tag != PIXEL_DATA:
        raise InvalidError(
            "the dicom holds no picture: it is cut off, or a report, a plan or a waveform"
        )
    return DicomFile(attributes, syntax, implicit, little, body, at)
