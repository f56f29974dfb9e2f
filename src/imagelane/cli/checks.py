"""What `imagelane doctor` finds: one thing that was tried, and what to do if it is not well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "missing"]
"""``missing``: without it nothing runs. ``warning``: something is slower, unsafe or left out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``found`` says what there is; ``then`` the next step, where it is not well."""

    area: str
    name: str
    level: Level
    found: str
    then: str = ""


def ok(area: str, name: str, found: str) -> Finding:
    """What is well."""
    return Finding(area, name, "ok", found)


def warning(area: str, name: str, found: str, then: str) -> Finding:
    """What is slower, less safe or left out, and what to do about it."""
    return Finding(area, name, "warning", found, then)


def missing(area: str, name: str, found: str, then: str) -> Finding:
    """What nothing runs without, and what to do about it."""
    return Finding(area, name, "missing", found, then)
