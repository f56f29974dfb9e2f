"""Fault points: named moments between two steps of which only one may have happened."""

from __future__ import annotations

from collections.abc import Callable

Fault = Callable[[str], None]
"""Told the name of each fault point as it is passed. A test ends the process there, stops it, or
raises what a failing disk would; nobody else does anything."""


def no_fault(_: str) -> None:
    """Nothing fails."""
