"""Ends what a coordinator's stages started, once the coordinator is gone: started by its path.

The kernel ends a worker with its coordinator, but not what the worker started: a command would go
on to its own end. So this process waits for the end of its standard input, which is a pipe that
the coordinator alone holds, and then ends every process with the coordinator's mark in its
environment. It imports next to nothing: it is there for as long as a run is.
"""

import contextlib
import os
import signal
import sys
import time

_ROUNDS = 20
_PAUSE = 0.05
_QUIET_ROUNDS = 3
"""A process that was just being started is seen a moment later; but a coordinator that said
something before it closed the pipe has ended its workers itself."""


def main(mark: str) -> None:
    """Wait, then look until nobody with the mark is left for some time."""
    expected = False
    while os.read(0, 4096):
        expected = True
    wanted = 1 if expected else _QUIET_ROUNDS
    quiet = 0
    for _ in range(_ROUNDS):
        found = _marked(mark.encode())
        for process in found:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        quiet = 0 if found else quiet + 1
        if quiet >= wanted:
            return
        time.sleep(_PAUSE)


def _marked(mark: bytes) -> list[int]:
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib would be most of what it loads
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/environ", "rb") as environment:  # noqa: PTH123 - as above
                    variables = environment.read()
            except OSError:
                continue
            if any(one.startswith(mark) for one in variables.split(b"\0")):
                found.append(int(name))
    return found


if __name__ == "__main__":
    main(sys.argv[1])
