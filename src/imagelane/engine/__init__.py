"""The loop that executes a run: the only core room that sees several phases."""

from __future__ import annotations

from imagelane.engine.loop import Engine
from imagelane.engine.parts import Parts

__all__ = ["Engine", "Parts"]
