"""The layers `files`, `tcp` and `signals`, which are Landlock's: what a process may still reach.

What was open before stays usable: so a worker reads the one image that it is handed, and can open
no other. See landlock(7) and https://docs.kernel.org/userspace-api/landlock.html.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path

from imagelane.execute.sandbox.system import call

# The same numbers on every architecture.
_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_ASK_VERSION = 1
_PATH_BENEATH = 1

_LEAST_FILES = 2
"""The ABI from which on files can be moved between folders (Linux 5.19), as the store needs."""
_LEAST_TCP = 4
"""The ABI from which on TCP can be denied (Linux 6.7)."""
_LEAST_SIGNALS = 6
"""The ABI from which on signals and abstract sockets end at the sandbox (Linux 6.12)."""

_ALL_TCP = 0b11
_ALL_SCOPES = 0b11


class Access(IntFlag):
    """What a rule can allow below a path, as the kernel numbers it."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ = Access.READ_FILE | Access.READ_DIR
WRITE = (
    READ
    | Access.WRITE_FILE
    | Access.TRUNCATE
    | Access.MAKE_REG
    | Access.MAKE_DIR
    | Access.REMOVE_FILE
    | Access.REMOVE_DIR
    | Access.REFER
)
_OF_FILES = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE
# By ABI: each later one knows more, and refuses nothing that an earlier one knew.
_KNOWN = {1: 1 << 13, 2: 1 << 14, 3: 1 << 15, 4: 1 << 15}
_ALL_KNOWN = 1 << 16


def abi() -> int:
    """The version that the kernel speaks.

    Raises:
        OSError: it has no Landlock, or does not let this process use it.
    """
    return call("syscall", _CREATE_RULESET, None, 0, _ASK_VERSION)


def lacking(layer: str) -> str:
    """Why one of the layers `files`, `tcp` and `signals` is not to be had; empty where it is."""
    least, since = {
        "files": (_LEAST_FILES, "5.19"),
        "tcp": (_LEAST_TCP, "6.7"),
        "signals": (_LEAST_SIGNALS, "6.12"),
    }[layer]
    try:
        found = abi()
    except OSError as error:
        return f"no Landlock ({os.strerror(error.errno or 0)})"
    return "" if found >= least else f"Landlock ABI {found}, which is older than Linux {since}"


def apply(allowed: Iterable[tuple[str, Access]]) -> None:
    """Deny this thread, and all that it starts, every file but those below the allowed paths, and
    what of TCP, signals and abstract sockets the kernel can deny. Paths that are not there are
    passed over.

    Raises:
        OSError: the kernel refuses; or there are other threads, which would go on unbound.
    """
    threads = len([*Path("/proc/self/task").iterdir()])
    if threads != 1:
        raise OSError(f"found {threads} threads, and Landlock binds one: apply it before others")
    version = abi()
    known = Access(_KNOWN.get(version, _ALL_KNOWN) - 1)
    fields = [int(known)]
    if version >= _LEAST_TCP:
        fields.append(_ALL_TCP)
    if version >= _LEAST_SIGNALS:
        fields.append(_ALL_SCOPES)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = call("syscall", _CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path, access in allowed:
            _allow(ruleset, path, access & known)
        call("syscall", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, access: Access) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        # What cannot be opened now cannot be opened later either.
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            access &= _OF_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", access, place))
        call("syscall", _ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)
