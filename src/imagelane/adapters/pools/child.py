"""A worker process as the system sees it: started, spoken to, listened to, ended."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

from imagelane.adapters.owner import this_process
from imagelane.adapters.pools.reaping import MARK
from imagelane.execute.failures import one_line
from imagelane.execute.message import Answer, decode_answer
from imagelane.execute.wire import Frames
from imagelane.model.spec import Place

WORKER = "imagelane.workers.local"
"""What a worker process starts, unless a test says otherwise."""

_numbers = itertools.count(1)
# A larger buffer would be mapped anew by the allocator for every read.
_CHUNK = 1 << 16
# Others want to be heard, too.
_MOST_CHUNKS = 64
_LAST_WORDS = 8192


class Child:
    """One worker process, and both ends of what connects it.

    It has a session of its own: Ctrl-C at the terminal does not reach it, and whatever it starts
    can be found and ended with it. Nothing here waits, but `ended`, for as long as it is told.
    ``worker`` is the module that it starts. All that it starts bears its mark, an
    environment variable, by which it is found when everything else has ended.

    Raises:
        OSError: the system gives no process, no descriptor or no memory, or ``folder`` is gone.
    """

    def __init__(
        self,
        slot: str,
        place: Place,
        folder: Path,
        environment: Mapping[str, str],
        worker: str = WORKER,
    ) -> None:
        mark = f"{this_process()}/{next(_numbers)}"
        ours, theirs = socket.socketpair()
        hears, says = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", worker),
                    *(str(theirs.fileno()), str(os.getpid()), place.value),
                ],
                stdin=subprocess.DEVNULL,
                stdout=says,
                stderr=says,
                pass_fds=(theirs.fileno(),),
                cwd=folder,
                env={**environment, MARK: mark},
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            os.close(hears)
            raise
        finally:
            theirs.close()
            os.close(says)
        ours.setblocking(False)  # noqa: FBT003 - it takes no names
        os.set_blocking(hears, False)
        self.channel = ours
        self.output = hears
        self.name = f"{slot}-{self._process.pid}"
        self.silent = False
        """It will say no more."""
        self.mute = False
        """It will print no more."""
        self._mark = f"{MARK}={mark}".encode()
        self._frames = Frames()
        self._outgoing = bytearray()
        self._enclosed: deque[tuple[int, int]] = deque()
        self._words = bytearray()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, frame: bytes, descriptor: int | None = None) -> None:
        """Queue a command; `flush` sends what is queued. A descriptor travels with it, and is
        closed here once it is sent, or cannot be."""
        if descriptor is not None:
            self._enclosed.append((len(self._outgoing), descriptor))
        self._outgoing += frame

    def flush(self) -> bool:
        """Send as much as it takes without waiting; whether that was all."""
        while self._outgoing:
            try:
                sent = self._send()
            except BlockingIOError:
                return False
            except OSError:
                # It is gone, which shows where its answers are read.
                sent = len(self._outgoing)
            self._drop(sent)
        return True

    def _send(self) -> int:
        """Send up to the next frame that carries a descriptor, or the beginning of that frame."""
        if not self._enclosed:
            return self.channel.send(self._outgoing)
        at, descriptor = self._enclosed[0]
        if at:
            return self.channel.send(self._outgoing[:at])
        end = self._enclosed[1][0] if len(self._enclosed) > 1 else len(self._outgoing)
        return socket.send_fds(self.channel, [self._outgoing[:end]], [descriptor])

    def _drop(self, count: int) -> None:
        """Forget so many bytes of what is queued, and close the descriptors that went with them."""
        del self._outgoing[:count]
        while self._enclosed and self._enclosed[0][0] < count:
            os.close(self._enclosed.popleft()[1])
        self._enclosed = deque((at - count, one) for at, one in self._enclosed)

    def answers(self) -> Iterator[Answer]:
        """What it has said since, up to a few megabytes; sets ``silent`` where it will say no more.

        Raises:
            MessageError: it said something that is no message.
        """
        for _ in range(_MOST_CHUNKS):
            try:
                data = self.channel.recv(_CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            for body in self._frames.feed(data):
                yield decode_answer(body, self.name)
            self.silent = not data
            if len(data) < _CHUNK:
                return

    def listen(self) -> None:
        """Take in what it printed, and remember the end of it."""
        with contextlib.suppress(BlockingIOError):
            data = b"" if self.mute else os.read(self.output, _CHUNK)
            self.mute = not data
            self._words += data
            del self._words[:-_LAST_WORDS]

    @property
    def last_words(self) -> str:
        """The end of what it printed, on either stream."""
        return self._words.decode("utf-8", "replace").strip()

    @property
    def last_line(self) -> str:
        """The line of its last words that says most."""
        lines = self.last_words.splitlines()
        fatal = [line for line in lines if line.startswith("Fatal Python error")]
        return one_line((fatal or lines or [""])[-1], 200)

    def kill(self) -> None:
        """End it now, and whatever it started."""
        leader = None if self._process.returncode is not None else self.pid
        if leader is not None:
            # So that it starts nothing more while they are counted.
            _signal(leader, signal.SIGSTOP)
        for process in _started_by(leader, self._mark):
            _signal(process, signal.SIGKILL)
        if leader is not None:
            _signal(leader, signal.SIGKILL)

    def dismiss(self) -> None:
        """End it now, before it was told anything: it has started nothing. Never stopped first: one
        that stands still before it has asked the kernel to end it with its supervisor would stay
        so, if the supervisor were interrupted here."""
        _signal(self.pid, signal.SIGKILL)

    def ended(self, patience: float = 0.0) -> bool:
        """Whether the process is over; waits for it up to ``patience`` seconds."""
        if self._process.poll() is None and patience > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        return self._process.returncode is not None

    @property
    def was_killed(self) -> bool:
        """Whether a signal ended it."""
        return (self._process.returncode or 0) < 0

    def how_it_ended(self) -> str:
        """In words, e.g. ``killed by SIGSEGV``."""
        code = self._process.returncode
        if code is None:
            return "its connection broke"
        if code >= 0:
            return f"it exited with code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        reason = " (perhaps the system ran out of memory)" if -code == signal.SIGKILL else ""
        return f"killed by {name}{reason}"

    def close(self) -> None:
        """Let go of both connections."""
        self._drop(len(self._outgoing))
        self.channel.close()
        os.close(self.output)


def _signal(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)


def _started_by(leader: int | None, mark: bytes) -> list[int]:
    """The processes that descend from a leader, are of its session or bear the mark: those whose
    parent has died descend from it no more, and a leader that is over has left only marks."""
    children: dict[int, list[int]] = {}
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_bytes()
        except OSError:
            continue
        marked = False
        with contextlib.suppress(OSError):
            marked = mark in (entry / "environ").read_bytes().split(b"\0")
        # After the name, which may hold anything: state, parent, process group, session.
        _, parent, _, session, *_ = stat.rpartition(b")")[2].split()
        process = int(entry.name)
        children.setdefault(int(parent), []).append(process)
        if process != leader and (marked or int(session) == leader):
            found.append(process)
    if leader is not None:
        for process in (generation := [leader]):
            generation += children.get(process, ())
        found += generation[1:]
    return [*{*found}]
