"""Stages as users write them, that do what pools must expect: wait, crash, flood and cheat."""

from __future__ import annotations

import math
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from imagelane import Picture, Rendition, Source


def nothing(_source: Source) -> None:
    """Do nothing, as fast as it goes."""


def look(picture: Picture) -> dict[str, Any]:
    """Have the picture decoded."""
    return {"width": picture.width}


def keep(source: Source) -> Rendition:
    """Make a file."""
    return Rendition("note", source.data, "txt")


def sleep(_source: Source, *, seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def fail(_source: Source, *, message: str) -> None:
    """Raise an exception that nobody expects."""
    raise RuntimeError(message)


def leave(_source: Source) -> None:
    """Do what a script does at its end, and a stage should not."""
    sys.exit(3)


def signal_itself(_source: Source, *, number: int) -> None:
    """Be killed or stopped by the system."""
    os.kill(os.getpid(), number)
    time.sleep(60)


def exit_with_words(_source: Source, *, code: int, words: str) -> None:
    """End the whole process, after saying something."""
    sys.stderr.write(f"{words}\n")
    os._exit(code)


def take_memory(_source: Source, *, size: int, most: int) -> dict[str, Any]:
    """Ask for ``size`` bytes where the process may have ``most``."""
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
    return {"taken": len(bytearray(size))}


def print_much(_source: Source, *, size: int) -> None:
    """Write to both streams what nobody reads."""
    sys.stdout.write("o" * size)
    sys.stderr.write("e" * size)


def give_no_json(_source: Source) -> dict[str, Any]:
    """Give a fact that cannot be recorded."""
    return {"share": math.nan}


def give_too_much(_source: Source, *, size: int) -> dict[str, Any]:
    """Give a fact that is larger than any message may be."""
    return {"text": "x" * size}


class UnexpectedSignal(BaseException):
    """What no `except Exception` catches."""


def raise_oddly(_source: Source) -> None:
    """Raise what ends a thread, and would end a process."""
    raise UnexpectedSignal("the shutter fell")


def interrupt_itself(_source: Source) -> dict[str, Any]:
    """Get the signals that a terminal or a service's supervisor sends to everybody."""
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.05)
    return {"survived": True}


def spoil_the_line(_source: Source) -> None:
    """Write to the supervisor what is no message, as a captured decoder might."""
    for descriptor in range(3, 64):
        try:
            line = socket.socket(fileno=os.dup(descriptor))
        except OSError:
            continue
        line.sendall(b"\xff" * 64)
    time.sleep(60)


def leave_a_child(_source: Source, *, mark: str, own_session: bool, die: bool) -> None:
    """Start a process, in a group or a session of its own, and be stuck or die."""
    apart: dict[str, Any] = {"setsid": True} if own_session else {"setpgroup": 0}
    program = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = os.posix_spawn(sys.executable, program, {}, **apart)
    Path(mark).write_text(str(child))
    if die:
        os._exit(1)
    time.sleep(60)


def surroundings(_source: Source) -> dict[str, Any]:
    """What the process was given and is held by."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "environment": sorted(os.environ),
        "libvips_threads": os.environ.get("VIPS_CONCURRENCY"),
        "no_new_privileges": status["NoNewPrivs"].strip() == "1",
        "core": list(resource.getrlimit(resource.RLIMIT_CORE)),
        "folder": str(Path.cwd()),
        "input": str(Path("/proc/self/fd/0").readlink()),
        "path": sys.path,
    }
