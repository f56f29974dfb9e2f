"""`validate`: is this really a picture, whole, and of a size that we want to decode?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from imagelane.declare.stages.base import StageParameters
from imagelane.declare.stages.coding import unique
from imagelane.declare.values import Count, Size
from imagelane.model.spec import Reads, StageTraits

SourceFormat = Literal["jpeg", "png", "webp", "gif", "tiff", "heic", "avif", "dicom"]
Megapixels = Annotated[float, Field(gt=0, le=100_000)]


class Validate(StageParameters):
    """Check each picture before anything is made of it: its format by content and never by name,
    its size by the header before it is decoded, and then that it decodes whole."""

    KIND: ClassVar[str] = "validate"
    TRAITS: ClassVar[StageTraits] = StageTraits(
        reads=Reads.SOURCE,
        facts=frozenset({"format", "width", "height", "bands", "frames", "bytes", "has_alpha"}),
    )

    formats: Annotated[
        Sequence[SourceFormat],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        AfterValidator(unique),
    ] = ("jpeg", "png", "webp", "gif", "tiff", "heic", "avif")
    """The formats that are let in. `dicom` never is unless it stands here; it needs the extra:
    pip install 'imagelane[dicom]'."""
    max_megapixels: Megapixels = 100.0
    """The largest picture, in millions of pixels of one frame."""
    max_total_megapixels: Megapixels = 100.0
    """The largest animation, in millions of pixels of all frames together."""
    max_bytes: Size = 200_000_000
    """The largest file, e.g. 200MB."""
    max_scans: Count = 100
    """The most scans of a progressive JPEG: a small file with thousands takes minutes to decode."""
