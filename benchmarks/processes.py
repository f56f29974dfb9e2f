"""Processes below one of ours: how much memory each came to, and that none is left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 10.0
"""Seconds that processes may go on after the one that started them has ended."""


def adopt_orphans() -> None:
    """Make this process the parent of what its children leave behind, so that it can be counted."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0)


def children(pid: int | str = "self") -> set[int]:
    """The live children of a process, and those that nobody has waited for."""
    found: set[int] = set()
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found.update(map(int, (thread / "children").read_text(encoding="ascii").split()))
    except OSError:
        pass  # it has ended meanwhile
    return found


def below(pid: int) -> Iterator[int]:
    """All that descend from a process."""
    for child in children(pid):
        yield child
        yield from below(child)


def end_orphans(known: set[int]) -> float:
    """Wait for adopted children that are not ``known``; those that do not end are killed. Gives the
    processor time in seconds that they took."""
    spent = 0.0
    until = time.monotonic() + _PATIENCE
    while left := children() - known:
        for pid in left:
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            done, _, usage = os.wait4(pid, os.WNOHANG)
            if done:
                spent += usage.ru_utime + usage.ru_stime
        time.sleep(0.01)
    return spent


@dataclass(slots=True)
class Peaks:
    """The most resident memory, in bytes, that a process and each of those below it came to."""

    pid: int
    first: int = 0
    others: dict[int, int] = field(default_factory=dict)

    def look(self) -> None:
        self.first = max(self.first, _high_water(self.pid))
        for pid in below(self.pid):
            self.others[pid] = max(self.others.get(pid, 0), _high_water(pid))

    @property
    def largest(self) -> int:
        """Of those below it; 0 if there was none."""
        return max(self.others.values(), default=0)


def _high_water(pid: int) -> int:
    """0 where the system does not tell, or the process has ended."""
    try:
        with Path(f"/proc/{pid}/status").open(encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
