"""What this machine and this project folder are: read once, handed to the adapters by `wiring`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from imagelane.adapters.memory import SystemMemory
from imagelane.plan.draft import Machine

_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a project keeps its journal, artifacts and scratch: all on one file system, so that
    files become visible by renaming."""

    root: Path

    @property
    def journal(self) -> Path:
        return self.root / "journal.db"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    def scratch(self, run: str) -> Path:
        """For what a run makes on the way; removed when it is finished."""
        return self.root / "scratch" / run

    def run(self, run: str) -> Path:
        """For what is kept with a run: the spool of its source, its report."""
        return self.root / "runs" / run


def machine() -> Machine:
    """The cores and the memory that this process may use: of the machine, or of its container."""
    cores = len(os.sched_getaffinity(0))
    quota = _cpu_quota()
    if quota is not None:
        cores = max(1, min(cores, int(quota)))
    bound = SystemMemory().bound
    return Machine(cores, bound or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _cpu_quota() -> float | None:
    """Cores that the control group allows (cgroup v2, cpu.max), None: no quota."""
    try:
        quota, period = (_CGROUP / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)
