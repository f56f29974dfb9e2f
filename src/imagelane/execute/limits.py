"""What a source file may ask for, before anything of it is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from imagelane.execute.sniff import FORMATS

MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask for, and be. Megapixels are of one frame and of all together."""

    max_megapixels: float = 100.0
    max_total_megapixels: float = 100.0
    max_bytes: int = MOST_BYTES
    max_scans: int = 100
    formats: tuple[str, ...] = FORMATS
