"""What the project set out to reach, held beside what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UNCLEAR = "too short to tell"
"""Where what was done took next to nothing beside starting up."""


@dataclass(frozen=True, slots=True)
class Target:
    """``bound`` is the least or the most that ``what`` may come to, in ``unit``."""

    what: str
    kind: Literal["at least", "at most"]
    bound: float
    unit: str = ""

    @property
    def text(self) -> str:
        return f"{self.kind} {self.bound:,g}{_unit(self.unit)}"

    def verdict(self, measured: float | None) -> str:
        """E.g. ``1.31 ×, met`` or ``0.93 ×, falls short by 26 %``; None is what cannot be told."""
        if measured is None:
            return UNCLEAR
        said = f"{_rounded(measured)}{_unit(self.unit)}"
        if self.kind == "at least":
            missing = 1 - measured / self.bound
            return f"{said}, {'met' if missing <= 0 else f'falls short by {missing * 100:.0f} %'}"
        excess = measured / self.bound - 1
        return f"{said}, {'met' if excess <= 0 else f'exceeded by {excess * 100:.0f} %'}"


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"
