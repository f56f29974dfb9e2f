"""The frames of a DICOM picture as they are stored, decoded one at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagelane.execute.dicom import codestream
from imagelane.execute.dicom.file import ENCAPSULATED, PIXEL_DATA, DicomFile
from imagelane.execute.dicom.layout import PALETTE, Layout
from imagelane.execute.dicom.library import load, quietly
from imagelane.execute.errors import BugError, InvalidError

Samples = npt.NDArray[np.integer[Any]]
"""Stored values: rows x columns, or rows x columns x 3."""
_PLUGINS = {"rle": "pydicom", "jpeg": "gdcm", "jpeg2000": "gdcm"}


def stored_frames(file: DicomFile, layout: Layout, wanted: range) -> Iterator[Samples]:
    """The wanted frames, counted from 0. Colours come as RGB, whatever they were stored as. Bits
    beyond those that count are cleared by pydicom: in old files they hold drawings, and names.

    Raises:
        InvalidError: a frame is missing, damaged, or of another size than the file says.
        BugError: the decoder for it is not installed.
    """
    pixels = file.pixel_data()
    kind = ENCAPSULATED.get(file.syntax, "")
    if kind:
        _check_frames(pixels, layout, kind)
    elif len(pixels) < layout.native_bytes:
        raise InvalidError(
            f"the dicom is cut off: its pixels have {len(pixels):,} bytes, and "
            f"{layout.frames:,} frames of {layout.columns} x {layout.rows} have "
            f"{layout.native_bytes:,}"
        )
    decoder = load("pixels").get_decoder(file.syntax)
    if not decoder.is_available or (kind and _PLUGINS[kind] not in decoder.available_plugins):
        raise BugError(
            "this DICOM file is compressed, and its decoder is not installed: "
            "pip install 'imagelane[dicom]'"
        )
    with quietly("decoded"):
        source = _pixel_module(file, pixels)
    for index in wanted:
        with quietly("decoded"):
            samples, said = decoder.as_array(
                source, index=index, decoding_plugin=_PLUGINS.get(kind, "")
            )
        yield _checked(samples, str(said["photometric_interpretation"]), layout)


def decoded(layout: Layout) -> Layout:
    """The layout of what `stored_frames` gives."""
    return layout if layout.samples == 1 else replace(layout, photometric="RGB")


def _pixel_module(file: DicomFile, pixels: bytes) -> Any:
    """What the decoder needs to know, and nothing else of the file."""
    data_set = load("dataset").Dataset()
    for tag in file.attributes.group_dataset(0x0028).keys() | {0x00280008}:
        if tag in file.attributes:
            data_set[tag] = copy.deepcopy(file.attributes[tag])
    data_set.set_original_encoding(file.implicit, file.little)
    data_set.file_meta = load("dataset").FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = file.syntax
    data_set.add_new(PIXEL_DATA, "OB" if file.encapsulated else "OW", pixels)
    data_set["PixelData"].is_undefined_length = file.encapsulated
    return data_set


def _check_frames(pixels: bytes, layout: Layout, kind: str) -> None:
    """Each frame is there, and as large as the file says."""
    with quietly("decoded"):
        frames = list(load("encaps").generate_frames(pixels, number_of_frames=layout.frames))
    if len(frames) < layout.frames:
        raise InvalidError(f"the dicom has {len(frames)} of its {layout.frames} frames")
    for frame in frames:
        if kind == "rle":
            codestream.check_rle(frame, layout.rows * layout.columns)
            continue
        width, height = codestream.size_of(frame, kind)
        if (width, height) != (layout.columns, layout.rows):
            raise InvalidError(
                f"a compressed frame of the dicom is {width} x {height} pixels, and the file says "
                f"{layout.columns} x {layout.rows}"
            )


def _checked(samples: Samples, photometric: str, layout: Layout) -> Samples:
    shape = (layout.rows, layout.columns) + ((3,) if layout.samples == 3 else ())
    if samples.shape != shape or samples.dtype.kind not in "iu":
        raise InvalidError(f"a frame of the dicom decodes to {samples.shape}: expected {shape}")
    if layout.samples == 3 and photometric not in {"RGB", "YBR_ICT", "YBR_RCT"}:
        # JPEG 2000's own transformations are undone by its decoder, whatever the file calls it.
        raise InvalidError("the colours of the dicom cannot be converted to RGB")
    if layout.photometric == PALETTE and samples.dtype.kind == "i":
        raise InvalidError("the palette indices of the dicom are signed")
    return samples
