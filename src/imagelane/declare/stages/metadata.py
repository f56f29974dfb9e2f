"""`metadata`: what the file says of itself, and what its picture looks like at a glance."""

from __future__ import annotations

from typing import ClassVar

from imagelane.declare.stages.base import StageParameters
from imagelane.model.spec import Extent, StageTraits

LOOK = 256
"""Pixels of the longer side that a glance at the picture needs: hashes, dominant colour."""


class Metadata(StageParameters):
    """Read EXIF, XMP, IPTC and the colour profile, and take a look at the picture: its dominant
    colour, a ThumbHash placeholder and a perceptual hash. Later stages read these facts."""

    KIND: ClassVar[str] = "metadata"
    TRAITS: ClassVar[StageTraits] = StageTraits(
        facts=frozenset(
            {
                "captured",
                "camera",
                "lens",
                "copyright",
                "creator",
                "title",
                "description",
                "icc",
                "orientation",
                "dominant",
                "thumbhash",
                "phash",
                "gps",
            }
        ),
    )

    thumbhash: bool = True
    """Make the placeholder that a page shows while the picture loads."""
    phash: bool = True
    """Make the perceptual hash by which near-duplicates are found."""

    def extent(self) -> Extent:
        return Extent(LOOK, LOOK)
