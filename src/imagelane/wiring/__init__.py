"""The composition root: which adapter stands behind which port. No discovery, no registry."""

from __future__ import annotations

from imagelane.config import machine
from imagelane.wiring.differing import difference
from imagelane.wiring.garbage import garbage, remove
from imagelane.wiring.publishing import publishers
from imagelane.wiring.reading import (
    damaged,
    load,
    open_journal,
    plan,
    targets,
    unfinished,
    workspace_of,
)
from imagelane.wiring.results import RunResult, result
from imagelane.wiring.running import run
from imagelane.wiring.session import Again, PoolKind, reserve, session
from imagelane.wiring.unchanged import Look, look

__all__ = [
    "Again",
    "Look",
    "PoolKind",
    "RunResult",
    "damaged",
    "difference",
    "garbage",
    "load",
    "look",
    "machine",
    "open_journal",
    "plan",
    "publishers",
    "remove",
    "reserve",
    "result",
    "run",
    "session",
    "targets",
    "unfinished",
    "workspace_of",
]
