"""The layer `limits`: how much memory, processor time and disk one worker may use at most.

These are backstops behind the supervisor, which ends what overruns, and behind the budget of
decoded pictures, which bounds what honest work takes. They hold what ignores both.
"""

from __future__ import annotations

import resource

FILES = 256
"""Open files: libraries are closed once they are mapped, and one picture is worked on at a time."""


def lacking() -> str:
    """Why there is no such layer; empty where there is one."""
    return ""


def apply(memory: int, seconds: int, file: int) -> None:
    """Bound this process: writable memory and the size of a file in bytes, processor time in s.

    The number of processes is not bounded here: the kernel counts it per user, over everything
    else that this user runs. That there are none is for `system_calls`.

    Raises:
        OSError, ValueError: the kernel refuses.
    """
    # DATA and not AS: what libraries only map or set aside costs nothing and is not counted.
    _lower(resource.RLIMIT_DATA, memory)
    _lower(resource.RLIMIT_CPU, seconds)
    _lower(resource.RLIMIT_FSIZE, file)
    _lower(resource.RLIMIT_NOFILE, FILES)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(which: int, most: int) -> None:
    """Both limits, so that neither can be raised again; one that is lower already stays."""
    bounds = [
        most if found == resource.RLIM_INFINITY else min(most, found)
        for found in resource.getrlimit(which)
    ]
    resource.setrlimit(which, (bounds[0], bounds[1]))
