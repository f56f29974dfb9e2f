"""What a decoder might try that somebody has taken over: put beside a pipeline file as a stage.

Every attempt that gets anywhere says so by returning; one that is refused raises, or says EPERM.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import resource
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from imagelane import Picture

# Of the kind that keeps the interpreter's lock: a child that came by none of Python's ways and had
# to ask for it would wait for a thread that it has not.
LIBC = ctypes.PyDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"
PARENT = os.getppid()


def attempt(picture: Picture, *, told: str) -> dict[str, Any]:
    """Try everything, each in turn; what came of it by name. The targets are told as one JSON text:
    a parameter that is itself a file's name opens that file."""
    assert picture.width > 0
    targets: dict[str, str] = json.loads(told)
    return {name: _outcome(one, targets) for name, one in sorted(ATTEMPTS.items())}


def _outcome(attempt: Callable[[dict[str, str]], object], targets: dict[str, str]) -> str:
    try:
        found = attempt(targets)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return f"ESCAPED: {str(found)[:80]}"


def _libc(name: str, *arguments: Any) -> int:
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result: int = getattr(LIBC, name)(*wide)
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result


def _number(x86: int, arm: int) -> int:
    return x86 if X86 else arm


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _write(path: str) -> int:
    return Path(path).write_bytes(b"taken over")


def _connect(kind: socket.SocketKind, family: socket.AddressFamily, address: Any) -> str:
    with socket.socket(family, kind) as line:
        line.connect(address)
        line.send(b"secret")
        return "sent"


def _inherited_socket(targets: dict[str, str]) -> str:
    """The line to the supervisor is a socket already: perhaps it sends elsewhere, too."""
    sent = []
    for descriptor in range(3, 64):
        try:
            line = socket.socket(fileno=os.dup(descriptor))
        except OSError:
            continue
        try:
            line.sendto(b"secret", targets["unix"])
            sent.append(descriptor)
        except OSError:
            continue
    if not sent:
        raise OSError(errno.EPERM, "none of them")
    return f"sent through {sent}"


def _fork(_: dict[str, str]) -> int:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def _clone(_: dict[str, str]) -> int:
    child = _libc("syscall", _number(56, 220), int(signal.SIGCHLD), 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def _clone3(_: dict[str, str]) -> int:
    arguments = struct.pack("=8Q", 0, 0, 0, 0, int(signal.SIGCHLD), 0, 0, 0)
    child = _libc("syscall", 435, arguments, len(arguments))
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def _spawn(_: dict[str, str]) -> int:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(child, 0)
    return child


def _exec_from_memory(_: dict[str, str]) -> str:
    program = os.memfd_create("program")
    with Path("/bin/true").open("rb") as file:
        os.write(program, file.read())
    if os.fork() == 0:
        os.execve(program, ["true"], {})  # noqa: S606 - that is the point
    os.wait()
    return "started"


def _ptrace(_: dict[str, str]) -> str:
    # PTRACE_PEEKDATA of what is not traced: whoever may trace is told so (ESRCH), and does no harm.
    _libc("ptrace", 2, PARENT, 0, 0)
    return "traced"


def _peek(_: dict[str, str]) -> int:
    there = ctypes.create_string_buffer(8)
    local = struct.pack("@PN", ctypes.addressof(there), 8)
    with Path(f"/proc/{PARENT}/maps").open() as maps:
        start = int(maps.readline().split("-")[0], 16)
    remote = struct.pack("@PN", start, 8)
    return _libc("process_vm_readv", PARENT, local, 1, remote, 1, 0)


def _peek_blind(_: dict[str, str]) -> int:
    there = ctypes.create_string_buffer(8)
    local = struct.pack("@PN", ctypes.addressof(there), 8)
    return _libc("process_vm_readv", PARENT, local, 1, local, 1, 0)


def _raise_limits(_: dict[str, str]) -> str:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 1024 if hard == resource.RLIM_INFINITY else hard + 1
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except ValueError as error:  # so says Python of EPERM
        raise OSError(errno.EPERM, "setrlimit") from error
    return f"{soft} to {most}"


def _limit_parent(_: dict[str, str]) -> object:
    return resource.prlimit(PARENT, resource.RLIMIT_CORE)


def _open_by_handle(targets: dict[str, str]) -> int:
    handle = ctypes.create_string_buffer(struct.pack("=Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    path = os.fsencode(targets["secret"])
    return _libc("name_to_handle_at", -100, path, handle, ctypes.byref(mount), 0)


def _watch(targets: dict[str, str]) -> int:
    watch = _libc("inotify_init1", 0)
    return _libc("inotify_add_watch", watch, os.fsencode(targets["folder"]), 0x100)


def _keyring(_: dict[str, str]) -> int:
    return _libc("syscall", _number(250, 219), 0, -3, 1, 0, 0)


def _unix(kind: str) -> Callable[[dict[str, str]], str]:
    return lambda targets: _connect(
        socket.SOCK_STREAM,
        socket.AF_UNIX,
        targets[kind] if kind == "unix" else "\0" + targets[kind],
    )


def _inet(kind: socket.SocketKind, port: str) -> Callable[[dict[str, str]], str]:
    return lambda targets: _connect(kind, socket.AF_INET, ("127.0.0.1", int(targets[port])))


ATTEMPTS: dict[str, Callable[[dict[str, str]], object]] = {
    "read another image": lambda targets: _read(targets["image"]),
    "read its own image again": lambda targets: _read(targets["own"]),
    "list the images": lambda targets: [*Path(targets["image"]).parent.iterdir()],
    "list beside the pipeline": lambda targets: [*Path(targets["folder"]).iterdir()],
    "list the store": lambda targets: [*(Path(targets["journal"]).parent / "artifacts").iterdir()],
    "list a folder of the store": lambda targets: [
        *(Path(targets["journal"]).parent / "artifacts" / "ab").iterdir()
    ],
    "take from the store": lambda targets: (
        Path(targets["journal"]).parent / "artifacts" / "ab" / "planted"
    ).write_bytes(b"x"),
    "list the work of others": lambda targets: [
        *(Path(targets["journal"]).parent / "scratch").iterdir()
    ],
    "read a secret": lambda targets: _read(targets["secret"]),
    "read the users": lambda _: _read("/etc/passwd"),
    "read the journal": lambda targets: _read(targets["journal"]),
    "read the pipeline file": lambda targets: _read(targets["pipeline"]),
    "read through /proc": lambda targets: _read(f"/proc/self/root{targets['secret']}"),
    "read what the parent holds": lambda _: _read(f"/proc/{PARENT}/environ"),
    "read the parent's memory": lambda _: os.open(f"/proc/{PARENT}/mem", os.O_RDONLY),
    "write the parent's memory": lambda _: os.open(f"/proc/{PARENT}/mem", os.O_WRONLY),
    "write beside the pipeline": lambda targets: _write(targets["folder"] + "/planted.py"),
    "write to /tmp": lambda targets: _write(targets["elsewhere"]),
    "write over an image": lambda targets: _write(targets["image"]),
    "remove an image": lambda targets: Path(targets["victim"]).unlink(),
    "link an image": lambda targets: Path(targets["elsewhere"] + "-link").hardlink_to(
        targets["image"]
    ),
    "open up a file": lambda targets: Path(targets["secret"]).chmod(0o640),
    "mark a file": lambda targets: os.setxattr(targets["secret"], "user.mark", b"1"),
    "date a file": lambda targets: os.utime(targets["secret"], (1, 1)),
    "cut a file short": lambda targets: os.truncate(targets["victim"], 0),
    "connect by TCP": _inet(socket.SOCK_STREAM, "tcp"),
    "send by UDP": _inet(socket.SOCK_DGRAM, "udp"),
    "connect to a socket": _unix("unix"),
    "connect to an abstract socket": _unix("abstract"),
    "use an inherited socket": _inherited_socket,
    "listen": lambda _: socket.create_server(("127.0.0.1", 0)),
    "fork": _fork,
    "clone": _clone,
    "clone3": _clone3,
    "start a program": _spawn,
    "start a program from memory": _exec_from_memory,
    "trace the parent": _ptrace,
    "read the parent's memory by address": _peek,
    "read the parent's memory blindly": _peek_blind,
    "signal the parent": lambda _: os.kill(PARENT, 0),
    "signal everybody": lambda _: os.kill(-1, 0),
    "limit the parent": _limit_parent,
    "open the parent": lambda _: os.pidfd_open(PARENT),
    "raise its limits": _raise_limits,
    "become dumpable": lambda _: _libc("prctl", 4, 1, 0, 0, 0),
    "outlive the parent": lambda _: _libc("prctl", 1, 0, 0, 0, 0),
    "open by handle": _open_by_handle,
    "watch a folder": _watch,
    "see the keys": _keyring,
    "shared memory": lambda _: _libc("shmget", 0, 4096, 0o1600),
    "make a ring": lambda _: _libc("syscall", 425, 1, bytes(120)),
}
