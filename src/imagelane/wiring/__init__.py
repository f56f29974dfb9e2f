"""The composition root: which adapter stands behind which port. No discovery, no registry."""

from __future__ import annotations

from imagelane.config import machine
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

__all__ = [
    "Again",
    "PoolKind",
    "RunResult",
    "damaged",
    "load",
    "machine",
    "open_journal",
    "plan",
    "publishers",
    "reserve",
    "result",
    "run",
    "session",
    "targets",
    "unfinished",
    "workspace_of",
]
