"""The entry point of a worker process on this machine: `python -m imagelane.workers.local`.

Started by `adapters.pools.child` and by nobody else. It is told on its command line the number of
an inherited, connected socket, the process that supervises it, and what kind of worker it is.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import resource
import signal
import socket
import sys

from imagelane.execute.worker import leave, serve
from imagelane.model.spec import Place
from imagelane.ports.faults import Fault, no_fault

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


def main(arguments: list[str], fault: Fault = no_fault) -> None:
    """Serve orders until the supervisor says stop, or is gone."""
    channel_number, supervisor, place = arguments
    _contain(int(supervisor))
    channel = socket.socket(fileno=int(channel_number))
    # What a stage starts shall not hold the line: it would keep the supervisor waiting for its end.
    channel.set_inheritable(False)
    serve(channel, Place(place), fault)
    leave()


def _contain(supervisor: int) -> None:
    """What holds from the first moment, until `execute.sandbox` takes it over with the rest."""
    # Not SIG_IGN, which the commands that a stage starts would inherit. Both signals are meant for
    # the coordinator, which tells its workers what to do.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
        signal.siginterrupt(number, False)  # noqa: FBT003 - it takes no names
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable()
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        # It died before the kernel was asked to tell.
        leave()


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1:])
