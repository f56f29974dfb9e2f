"""Nothing that a stage started outlives the coordinator, however that ends."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from pathlib import Path

import imagelane
from imagelane.adapters.owner import this_process
from imagelane.model.plan import PhysicalPlan

MARK = "IMAGELANE_WORKER"
"""The environment variable by which what a worker started is known as its own: the coordinator, as
`this_process` names it, and a number."""

_REAPER = Path(imagelane.__file__).parent / "workers" / "reaper.py"
_KEPT = ("LD_LIBRARY_PATH",)
_PATIENCE = 5.0


class Reaping:
    """A process that waits for this one to be gone, and then ends what bears its mark.

    It is there only for plans whose stages may start processes. Who clears their environment, as
    ``sudo`` does, is not found.
    """

    def __init__(self) -> None:
        self._reaper: subprocess.Popen[bytes] | None = None

    def open(self, plan: PhysicalPlan) -> None:
        """Start it, if the plan calls for it.

        Raises:
            OSError: the system gives no process.
        """
        starts = any(
            stage.spec.uses == "command" or ":" in stage.spec.uses for stage in plan.logical.stages
        )
        if starts and self._reaper is None:
            self._reaper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_REAPER), f"{MARK}={this_process()}/"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                # Whatever the interpreter needs to start; nothing of it is read.
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                start_new_session=True,
            )

    def close(self) -> None:
        """All workers are gone: let it look for what they left, and end."""
        if self._reaper is None:
            return
        if self._reaper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._reaper.stdin.write(b"closed")
                self._reaper.stdin.close()
        ended = os.pidfd_open(self._reaper.pid)
        select.select([ended], [], [], _PATIENCE)
        os.close(ended)
        self._reaper.poll()
        self._reaper = None
