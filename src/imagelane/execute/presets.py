"""What `fast`, `balanced` and `small` mean to each encoder.

Measured by ``python -m benchmarks.encoders``; the table stands in docs/explanation/encoders.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LOSSLESS = frozenset({"png"})

USUAL: Mapping[str, str] = {
    "jpeg": "fast",
    "webp": "balanced",
    "avif": "balanced",
    "png": "balanced",
}
"""Where nothing is said."""

EFFORT: Mapping[str, Mapping[str, int]] = {
    "fast": {"webp": 2, "avif": 0, "png": 3},
    "balanced": {"webp": 4, "avif": 2, "png": 6},
    "small": {"webp": 6, "avif": 4, "png": 9},
}
"""From 0, as libvips counts it: webpsave to 6, heifsave and pngsave to 9."""

_TUNED = {"optimize_coding": True, "quant_table": 3}
JPEG: Mapping[str, Mapping[str, Any]] = {
    "balanced": _TUNED,
    "small": {
        **_TUNED,
        "interlace": True,
        "optimize_scans": True,
        "overshoot_deringing": True,
        "trellis_quant": True,
    },
}
"""Options of jpegsave, whose encoder is mozjpeg. What is not here is libjpeg-turbo's business."""

PNG: Mapping[str, tuple[str, ...]] = {
    "fast": ("sub",),
    "balanced": ("all",),
    "small": ("all", "none"),
}
"""Filters of pngsave; of several files the smallest is taken. Filters are what photographs need;
drawings are a little smaller without."""
