"""Checks of the sandbox around workers: each layer is put around a process, and tried."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping

from imagelane.cli.checks import Finding, ok, warning
from imagelane.execute.sandbox.terms import LAYERS
from imagelane.report.clean import visible

SANDBOX = "Sandbox"
PATIENCE = 60.0
"""Seconds for a small process, on a slow machine."""

_HOLDS = {
    "limits": "memory, processor time, open files and sizes of files are bounded",
    "privileges": "no privileges can be gained, and nobody of the same user looks in",
    "files": "Landlock: its own image, libraries and fonts, nothing else",
    "tcp": "Landlock: no TCP",
    "signals": "Landlock: no signals and no abstract sockets beyond it",
    "system-calls": "seccomp: no programs, processes, sockets, or doors of the kernel",
}
_NEXT = {
    "limits": "allow setrlimit in the container",
    "privileges": "use Linux 3.5 or later",
    "files": "Linux 5.19 or later with landlock in the kernel parameter lsm=, and a container that "
    "lets it through",
    "tcp": "Linux 6.7 or later; until then only seccomp denies it",
    "signals": "Linux 6.12 or later; until then only seccomp denies them",
    "system-calls": "allow seccomp in the container or kernel",
}


def tried() -> Mapping[str, str] | str:
    """Why each layer does not hold, empty where it does; or why none can be tried."""
    if sys.platform != "linux":
        return "there is none on this system"
    try:
        with tempfile.TemporaryDirectory(prefix="imagelane-") as folder:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "imagelane.workers.trial", folder],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
                start_new_session=True,
            )
        found: Mapping[str, str] = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    except ValueError:
        said = done.stderr.strip().splitlines()
        return said[-1] if said else f"it ended with code {done.returncode} and said nothing"
    return found


def sandbox_checks(found: Mapping[str, str] | str) -> Iterator[Finding]:
    """Findings from what `tried` gave. Without a layer runs still run, unless they say
    `sandbox: require`."""
    if isinstance(found, str):
        then = "decode pictures of strangers on another machine, or in a container of its own"
        yield warning(SANDBOX, "sandbox", f"no sandbox can be tried: {visible(found)}", then)
        return
    for layer in LAYERS:
        if lack := found.get(layer, "it was not tried"):
            yield warning(SANDBOX, layer, f"{layer}: {visible(lack)}", _NEXT[layer])
        else:
            yield ok(SANDBOX, layer, f"{layer}: {_HOLDS[layer]}")
