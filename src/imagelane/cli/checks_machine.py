"""Checks of the machine: interpreter, cores, memory, limits of the process, layers of a sandbox."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from imagelane.cli.checks import Finding, ok, warning
from imagelane.config import machine
from imagelane.report.wording import count, size

MACHINE = "Machine"
SANDBOX = "Sandbox"
LEAST_MEMORY = 1 << 30
LEAST_FILES = 1024
LEAST_PROCESSES = 256

_CREATE_RULESET = 444
"""landlock_create_ruleset(2), the same number on every architecture since Linux 5.13."""
_RULESET_VERSION = 1
_SET_SECCOMP = 22
_SECCOMP_FILTER = 2
_GET_NO_NEW_PRIVS = 39
_WITH_NETWORK = 4
"""The Landlock ABI from which on TCP can be denied (Linux 6.7)."""
_NEW_USER_NAMESPACE = 0x10000000


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


def sandbox_checks() -> Iterator[Finding]:
    """Which layers a worker can be shut in with. None is required; what is missing is said."""
    if sys.platform != "linux":
        yield warning(SANDBOX, "sandbox", "there is none on this system", "use Linux")
        return
    libc = ctypes.CDLL(None, use_errno=True)
    yield _landlock(libc)
    # An empty filter is refused as a bad address where filters are known, as invalid where not.
    libc.prctl(_SET_SECCOMP, _SECCOMP_FILTER, None, 0, 0)
    if ctypes.get_errno() == errno.EFAULT:
        yield ok(SANDBOX, "seccomp", "seccomp filters")
    else:
        yield warning(
            SANDBOX, "seccomp", "no seccomp filters", "allow seccomp in the container or kernel"
        )
    if libc.prctl(_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0:
        yield ok(SANDBOX, "no_new_privs", "no_new_privs")
    else:
        yield warning(SANDBOX, "no_new_privs", "no no_new_privs", "use Linux 3.5 or later")
    yield _user_namespaces()


def _landlock(libc: ctypes.CDLL) -> Finding:
    abi = libc.syscall(_CREATE_RULESET, None, 0, _RULESET_VERSION)
    if abi >= _WITH_NETWORK:
        return ok(SANDBOX, "landlock", f"Landlock ABI {abi}: files and TCP")
    if abi > 0:
        return warning(
            SANDBOX,
            "landlock",
            f"Landlock ABI {abi}: files, not TCP",
            "Linux 6.7 or later can deny TCP too",
        )
    reason = os.strerror(ctypes.get_errno())
    return warning(
        SANDBOX,
        "landlock",
        f"no Landlock ({reason})",
        "Linux 5.13 or later with lsm=landlock confines workers to their own files",
    )


def _user_namespaces() -> Finding:
    """Tried in a process of its own: it would stay in force in this one."""
    code = f"import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare({_NEW_USER_NAMESPACE}) != 0)"
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        done = None
    if done is not None and done.returncode == 0:
        return ok(SANDBOX, "user namespaces", "user namespaces")
    limit = Path("/proc/sys/user/max_user_namespaces")
    return warning(
        SANDBOX,
        "user namespaces",
        "no user namespaces",
        f"allow them in {limit} or in the container; workers run without that layer",
    )
