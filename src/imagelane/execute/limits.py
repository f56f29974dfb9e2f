"""What a source file may ask for, before anything of it is decoded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask for. Megapixels are of one frame and of all together."""

    max_megapixels: float = 100.0
    max_total_megapixels: float = 100.0
    max_bytes: int = 200_000_000
    max_scans: int = 100
