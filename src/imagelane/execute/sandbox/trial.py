"""Each layer put around a process of its own, and tried: what a system says that it has may yet be
turned off, emulated or full of holes."""

from __future__ import annotations

import os
import resource
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from imagelane.execute.sandbox.contain import ContainmentError, contain
from imagelane.execute.sandbox.system import call
from imagelane.execute.sandbox.terms import Containment, examine

_GET_DUMPABLE = 3
_GET_NO_NEW_PRIVS = 39


def trial(folder: str) -> Mapping[str, str]:
    """Why each layer does not hold; an empty text where it does. Binds this process for good.

    ``folder`` is an empty one that the caller removes.
    """
    found = dict(examine())
    given = tuple(layer for layer, lack in found.items() if not lack)
    try:
        contain(Containment(given, 1 << 30, 1 << 20, 600), folder, folder, folder)
    except ContainmentError as error:
        return dict.fromkeys(given, str(error)) | {k: lack for k, lack in found.items() if lack}
    for layer, attempts in _ATTEMPTS.items():
        if not found[layer]:
            found[layer] = next(filter(None, map(_got_through, attempts)), "")
    return found


def _got_through(attempt: tuple[str, Callable[[], object]]) -> str:
    what, perform = attempt
    try:
        perform()
    except (OSError, ValueError):
        return ""
    return f"it is there, and does not keep a worker from {what}"


def _raise_a_limit() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _gain_privileges() -> None:
    if call("prctl", _GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 and not call(
        "prctl", _GET_DUMPABLE, 0, 0, 0, 0
    ):
        raise PermissionError


def _read_elsewhere() -> None:
    Path("/etc/passwd").read_bytes()


def _write_elsewhere() -> None:
    # Beside the trial's folder, where whoever tries may write.
    outside = Path(os.environ["TMPDIR"]).parents[1] / f"imagelane-trial-{os.getpid()}"
    outside.touch()
    outside.unlink()


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _connect() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


def _signal() -> None:
    os.kill(os.getppid(), signal.SIGCONT)


_ATTEMPTS: Mapping[str, tuple[tuple[str, Callable[[], object]], ...]] = {
    "limits": (("opening more files than it may", _raise_a_limit),),
    "privileges": (("gaining privileges, or being looked into", _gain_privileges),),
    "files": (
        ("reading files of others", _read_elsewhere),
        ("writing files of others", _write_elsewhere),
    ),
    "signals": (("signalling another process", _signal),),
    "system-calls": (
        ("starting another process", _fork),
        ("reaching a network", _connect),
    ),
}
