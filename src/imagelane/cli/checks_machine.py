"""Checks of the machine: interpreter, cores, memory, limits of the process."""

from __future__ import annotations

import os
import platform
import resource
import sys
from collections.abc import Iterator

from imagelane.cli.checks import Finding, ok, warning
from imagelane.config import machine
from imagelane.report.wording import count, size

MACHINE = "Machine"
LEAST_MEMORY = 1 << 30
LEAST_FILES = 1024
LEAST_PROCESSES = 256


def machine_checks() -> Iterator[Finding]:
    """Interpreter, cores, memory, limits."""
    yield ok(MACHINE, "python", f"Python {platform.python_version()}, {sys.executable}")
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if sys.platform == "linux":
        yield ok(MACHINE, "system", system)
    else:
        yield warning(
            MACHINE, "system", system, "workers are supervised by what Linux offers: use Linux"
        )
    found = machine()
    of = os.cpu_count() or found.cores
    some = f" of the machine's {of}" if of != found.cores else ""
    yield ok(MACHINE, "cores", f"{count(found.cores, 'core')}{some} may be used")
    if found.memory >= LEAST_MEMORY:
        yield ok(MACHINE, "memory", f"{size(found.memory)} of memory")
    else:
        yield warning(MACHINE, "memory", f"{size(found.memory)} of memory", "run with --workers 1")
    yield from _limits()


def _limits() -> Iterator[Finding]:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY or files >= LEAST_FILES:
        many = "unlimited" if files == resource.RLIM_INFINITY else f"{files:,}"
        yield ok(MACHINE, "open files", f"open files: {many}")
    else:
        yield warning(MACHINE, "open files", f"open files: only {files:,}", "ulimit -n 4096")
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if processes != resource.RLIM_INFINITY and processes < LEAST_PROCESSES:
        yield warning(
            MACHINE, "processes", f"processes: only {processes:,}", f"ulimit -u {LEAST_PROCESSES}"
        )
    for limit, name, flag in (
        (resource.RLIMIT_AS, "address space", "-v"),
        (resource.RLIMIT_FSIZE, "size of files", "-f"),
    ):
        bytes_, _ = resource.getrlimit(limit)
        if bytes_ != resource.RLIM_INFINITY:
            found = f"{name}: limited to {size(bytes_)}"
            yield warning(MACHINE, name, found, f"ulimit {flag} unlimited, where that may be")
