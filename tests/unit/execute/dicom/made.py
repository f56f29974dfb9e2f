"""DICOM files made on the spot, and those that pydicom ships."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"


def shipped(name: str) -> bytes:
    """A file from pydicom's own tests."""
    return (SHIPPED / f"{name}.dcm").read_bytes()


def data_set(pixels: npt.NDArray[Any], stored: int | None = None, **more: Any) -> Dataset:
    """A CT picture: rows x columns, or rows x columns x 3, or several such frames. ``more`` are
    further attributes, by keyword."""
    found = Dataset()
    colour = pixels.shape[-1] == 3 and pixels.ndim > 2
    rows, columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    bits = pixels.dtype.itemsize * 8
    found.SOPClassUID, found.SOPInstanceUID = CT, "1.2.826.0.1.3680043.8.498.1"
    found.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.2"
    found.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.3"
    found.Modality, found.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    found.PatientName, found.PatientID = "Doevale^Janette", "MRN-448812"
    found.Rows, found.Columns = int(rows), int(columns)
    found.SamplesPerPixel = 3 if colour else 1
    found.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        found.PlanarConfiguration = 0
    found.BitsAllocated, found.BitsStored = bits, stored or bits
    found.HighBit = found.BitsStored - 1
    found.PixelRepresentation = int(pixels.dtype.kind == "i")
    for keyword, value in more.items():
        setattr(found, keyword, value)
    raw = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    found.add_new(0x7FE00010, "OW" if bits > 8 else "OB", raw + b"\0" * (len(raw) % 2))
    return found


def written(found: Dataset, syntax: str = EXPLICIT) -> bytes:
    """The bytes of a file, of an uncompressed transfer syntax."""
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = UID(syntax)
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are made to be odd
        pydicom.dcmwrite(stream, found, enforce_file_format=True)
    return stream.getvalue()


def opened(data: bytes) -> Dataset:
    """A file as pydicom reads it."""
    return pydicom.dcmread(io.BytesIO(data))


def ramp(dtype: str, low: int, high: int, side: int = 64) -> npt.NDArray[Any]:
    """Every value from low to high, spread over a square."""
    values = np.linspace(low, high, side * side).round()
    return values.astype(dtype).reshape(side, side)
