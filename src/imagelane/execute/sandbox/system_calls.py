"""The layer `system_calls`: a seccomp filter that refuses what no decoder ever needs.

It names what is refused, not what is allowed: what libraries call changes with every release, and
a worker that dies of an honest call is a worse product than one that is refused a bad one. What
opens files is left to Landlock. A refused call fails with EPERM, so libraries say what they miss.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from imagelane.execute.sandbox.numbers import AARCH64, X86_64
from imagelane.execute.sandbox.system import call

_SET_SECCOMP = 22
_MODE_FILTER = 2
_SET_MODE_FILTER = 1
_EVERY_THREAD = 1

# Instructions of the classic Berkeley Packet Filter (linux/bpf_common.h).
_LOAD = 0x20
_IF_EQUAL = 0x15
_IF_AT_LEAST = 0x35
_IF_ANY_BIT = 0x45
_RETURN = 0x06
# Offsets in struct seccomp_data; of an argument the lower half, on little-endian machines.
_NUMBER = 0
_ARCHITECTURE = 4
_FIRST_ARGUMENT = 16

_KILL = 0x80000000
_ERROR = 0x00050000
_ALLOW = 0x7FFF0000

_OTHER_NUMBERS: Final = 0x40000000
"""From here on x86-64 numbers its calls a second time (x32)."""
_CLONE_THREAD: Final = 0x00010000
_LOOSENS: Final = (1, 4, 0x59616D61)
"""prctl: PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_PTRACER, which would undo what holds it."""

_OWN_ONLY = ("kill", "tgkill")
"""Calls whose first argument must be this process ..."""
_OWN_OR_ZERO = (
    "prlimit64",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
)
"""... or 0, which means the same."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """How a kernel is told which call is meant. ``audit`` is its AUDIT_ARCH number."""

    audit: int
    numbers: Mapping[str, int]
    seccomp: int


_ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, X86_64, 317),
    "aarch64": Architecture(0xC00000B7, AARCH64, 277),
}


def lacking() -> str:
    """Why there is no such layer; empty where there is one."""
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        return f"no filter for {machine}: there are {' and '.join(_ARCHITECTURES)}"
    try:
        # An empty filter is a bad address where filters are known, and invalid where not.
        call("prctl", _SET_SECCOMP, _MODE_FILTER, None, 0, 0)
    except OSError as error:
        if error.errno == errno.EFAULT:
            return ""
        return f"no seccomp filters ({os.strerror(error.errno or 0)})"
    return ""


def apply() -> None:
    """Refuse from now on, in every thread of this process.

    Raises:
        OSError: the kernel refuses.
        KeyError: there is no filter for this machine.
    """
    architecture = _ARCHITECTURES[os.uname().machine]
    code = assemble(architecture, os.getpid())
    program = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: how many instructions there are, and where.
    pointer = struct.pack("@HP", len(code) // 8, ctypes.addressof(program))
    refused = call("syscall", architecture.seccomp, _SET_MODE_FILTER, _EVERY_THREAD, pointer)
    if refused:
        raise OSError(f"thread {refused} does not take the filter of the others")


def assemble(architecture: Architecture, process: int) -> bytes:
    """The filter for a process: instructions of 8 bytes each."""
    return b"".join(_program(architecture, process))


def _program(architecture: Architecture, process: int) -> Iterator[bytes]:
    numbers = architecture.numbers
    yield _step(_LOAD, _ARCHITECTURE)
    yield _step(_IF_EQUAL, architecture.audit, 1, 0)
    # Whoever speaks another machine's language got in by no honest way.
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD, _NUMBER)
    yield _step(_IF_AT_LEAST, _OTHER_NUMBERS, 0, 1)
    yield _refuse(errno.ENOSYS)
    # The C library then takes clone, whose flags can be looked at.
    yield from _when(numbers["clone3"], [_refuse(errno.ENOSYS)])
    yield from _when(
        numbers["clone"],
        [
            _step(_LOAD, _FIRST_ARGUMENT),
            _step(_IF_ANY_BIT, _CLONE_THREAD, 1, 0),
            _refuse(errno.EPERM),
            _step(_RETURN, _ALLOW),
        ],
    )
    for name in _OWN_ONLY:
        yield from _when(numbers[name], list(_only_for([process])))
    for name in _OWN_OR_ZERO:
        yield from _when(numbers[name], list(_only_for([process, 0])))
    yield from _when(
        numbers["prctl"],
        [
            _step(_LOAD, _FIRST_ARGUMENT),
            *(
                step
                for option in _LOOSENS
                for step in (_step(_IF_EQUAL, option, 0, 1), _refuse(errno.EPERM))
            ),
            _step(_RETURN, _ALLOW),
        ],
    )
    for name, number in numbers.items():
        if name not in _LOOKED_AT:
            yield from _when(number, [_refuse(errno.EPERM)])
    yield _step(_RETURN, _ALLOW)


_LOOKED_AT = frozenset({"clone", "clone3", "prctl", *_OWN_ONLY, *_OWN_OR_ZERO})


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """For this call the body, which must return; for others what follows."""
    return [_step(_IF_EQUAL, number, 0, len(body)), *body]


def _only_for(processes: list[int]) -> Iterator[bytes]:
    yield _step(_LOAD, _FIRST_ARGUMENT)
    for process in processes:
        yield _step(_IF_EQUAL, process, 0, 1)
        yield _step(_RETURN, _ALLOW)
    yield _refuse(errno.EPERM)


def _refuse(number: int) -> bytes:
    return _step(_RETURN, _ERROR | number)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
