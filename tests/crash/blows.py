"""Blows: SIGKILL at a fault point, written down before it falls so that each is counted."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from random import Random

COORDINATOR = (
    "resume: before the claim",
    "resume: claimed",
    "record: before",
    "record: after",
    "submit: before",
    "submit: after",
    "members: written",
    "stage: a file",
    "stage: all files",
    "stage: done",
    "promote: recorded",
    "promote: swapped",
    "promote: done",
    "promote: unrecorded",
)
"""The fault points of a coordinator."""

WORKER = (
    "shelf: written",
    "shelf: verified",
    "shelf: renamed",
    "store: a file",
    "stage: unreported",
)
"""The fault points of a worker."""

PLAN = "blows.json"
"""In the folder where workers stand: what they are dealt."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The blows that fell, a line each; what was written survives whoever wrote it."""

    path: Path

    def note(self, what: str) -> None:
        descriptor = self.opened()
        os.write(descriptor, f"{what}\n".encode())
        os.close(descriptor)

    def opened(self) -> int:
        """A descriptor to append to it: for who will not be allowed to open it any more."""
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def read(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []


class AtVisit:
    """Ends this process when it passes a point for the n-th time."""

    def __init__(self, ledger: Ledger, point: str, visit: int) -> None:
        self._ledger = ledger
        self._point = point
        self._left = visit

    def __call__(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                self._ledger.note(f"coordinator at {point!r}")
                os.kill(os.getpid(), signal.SIGKILL)


class AtRandom:
    """Ends a worker, or the coordinator that it works for, at any of its points, by chance.

    It reads what it is dealt from the folder that it stands in: ``ledger``, ``seed``, and the
    ``chances`` of either at each passage.
    """

    def __init__(self, plan: Path, coordinator: int) -> None:
        dealt = json.loads(plan.read_text(encoding="utf-8")) if plan.exists() else {}
        # Before the sandbox is closed.
        self._ledger = Ledger(Path(dealt.get("ledger", os.devnull))).opened()
        self._chances = dealt.get("chances", {})
        self._victims = {"worker": os.getpid(), "coordinator": coordinator}
        self._draw = Random(f"{dealt.get('seed')} {os.getpid()}")

    def __call__(self, point: str) -> None:
        for victim, process in self._victims.items():
            if self._draw.random() < self._chances.get(victim, 0.0):
                os.write(self._ledger, f"{victim} at {point!r}\n".encode())
                os.kill(process, signal.SIGKILL)


def spares_the_coordinator(folder: Path) -> bool:
    """Whether the workers that stand in a folder are to leave their coordinator alone."""
    plan = folder / PLAN
    dealt = json.loads(plan.read_text(encoding="utf-8")) if plan.exists() else {}
    return not dealt.get("chances", {}).get("coordinator")


def deal(folder: Path, ledger: Ledger, seed: int, **chances: float) -> None:
    """Say what the workers that stand in a folder shall be dealt from now on."""
    plan = {"ledger": str(ledger.path), "seed": seed, "chances": chances}
    unfinished = folder / f".{PLAN}"
    unfinished.write_text(json.dumps(plan), encoding="utf-8")
    unfinished.replace(folder / PLAN)
