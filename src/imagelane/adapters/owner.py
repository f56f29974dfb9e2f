"""Who owns a run: a process, named so that another one can tell whether it still lives."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

_PROC = Path("/proc")


def this_process() -> str:
    """The owner that this process is: ``host:pid:boot-start``.

    A process id alone comes round again; with the boot's own id and the process's start time (in
    clock ticks since the boot) it names one process for good.
    """
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_boot()}-{_started(pid)}"


def alive(owner: str) -> bool:
    """Whether the process that an owner names is still running on this host.

    A process of another host, of an earlier boot, or one that cannot be made out, counts as gone:
    if it is not, the run's fence keeps what it says out of the record.
    """
    host, _, rest = owner.rpartition(":")
    host, _, pid = host.rpartition(":")
    boot, _, started = rest.rpartition("-")
    if host != socket.gethostname() or boot != _boot() or not pid.isdecimal():
        return False
    return started == _started(int(pid))


def actor() -> str:
    """Who acts: the user of this machine, or whom IMAGELANE_ACTOR names."""
    named = os.environ.get("IMAGELANE_ACTOR")
    if named:
        return named
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return f"{os.getuid()}@{socket.gethostname()}"


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _started(pid: int) -> str | None:
    """When a living process started (field 22 of /proc/PID/stat, see proc(5)); None: not there."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in parentheses and may hold blanks and parentheses.
    fields = text.rpartition(")")[2].split()
    state, started = fields[0], fields[19]
    return None if state in "ZX" else started
