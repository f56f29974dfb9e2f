"""The worker's loop: commands in, answers out, until it is told to stop or nobody listens.

A worker for pixels does one order at a time and is killed when a stage overruns. The host for what
waits does as many orders at a time as it is given, each on a thread of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from queue import SimpleQueue
from typing import NoReturn, TypeAlias

from imagelane.execute import segment, stages
from imagelane.execute.errors import InvalidError, StageError, TransientError
from imagelane.execute.failures import failure_of, wears_out
from imagelane.execute.message import (
    Answer,
    Command,
    Grant,
    Handed,
    Opening,
    Ready,
    Stop,
    decode_command,
    encode,
)
from imagelane.execute.progress import Progress
from imagelane.execute.sandbox.terms import Containment
from imagelane.execute.wire import Frames, MessageError
from imagelane.execute.workpiece import NOTHING_HANDED
from imagelane.model.outcome import Failure
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass
from imagelane.model.work import Claim, Order, OrderDone, StageReport
from imagelane.ports.faults import Fault, no_fault

Files: TypeAlias = Mapping[str, int | StageError]
"""By what it is, a file's descriptor, or why there is none."""

Execute = Callable[[Order, Opening, Callable[[int], None], Files], Iterator[StageReport]]

_MOST_DESCRIPTORS = 16

# A larger buffer would be mapped anew by the allocator for every read.
_CHUNK = 1 << 16


class Line:
    """The worker's end of the connection to its supervisor: whole messages, blocking."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._frames = Frames()
        self._bodies: deque[bytes] = deque()
        self._descriptors: deque[int] = deque()
        self._outgoing: deque[bytes] = deque()
        self._sending = threading.Lock()

    def receive(self) -> Command | None:
        """The next command; None where there is nobody any more to give one.

        Raises:
            MessageError: what came is no command.
        """
        while not self._bodies:
            try:
                data, descriptors, _, _ = socket.recv_fds(
                    self._channel, _CHUNK, _MOST_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
                )
            except ConnectionResetError:
                data, descriptors = b"", []
            self._descriptors.extend(descriptors)
            if not data:
                return None
            self._bodies.extend(self._frames.feed(data))
        return decode_command(self._bodies.popleft())

    def descriptor(self) -> int:
        """The descriptor that came with the message that was received last.

        Raises:
            MessageError: none came.
        """
        if not self._descriptors:
            raise MessageError("found a file handed over without its descriptor")
        return self._descriptors.popleft()

    def hang_up(self) -> None:
        """Let `receive` on another thread return: no more commands are wanted."""
        self._channel.shutdown(socket.SHUT_RD)

    def send(self, *answers: Answer) -> None:
        """Send answers in one write, from any thread; what several threads say at one moment goes
        out together."""
        self._outgoing.append(b"".join(map(_frame, answers)))
        with self._sending:
            waiting = [self._outgoing.popleft() for _ in range(len(self._outgoing))]
            if waiting:
                try:
                    self._channel.sendall(b"".join(waiting))
                except (BrokenPipeError, ConnectionResetError):
                    leave()


def serve(channel: socket.socket, place: Place, fault: Fault = no_fault) -> None:
    """Take an opening, then orders, from the connected socket; return when told to stop, or when
    there is nobody any more to report to.

    Raises:
        MessageError: what came is no command, or comes out of turn.
    """
    line = Line(channel)
    if place is Place.PROCESS:
        _get_ready()
    opening = line.receive()
    if not isinstance(opening, Opening):
        raise MessageError(f"found {type(opening).__name__} first; expected Opening")
    if opening.containment is not None:
        opening = _contained(opening, opening.containment)
    execute = _load(opening, place, fault)
    line.send(Ready())
    if place is Place.PROCESS:
        _Single(line, opening, execute).serve()
    else:
        _Many(line, opening, execute).serve()


def leave(code: int = 0) -> NoReturn:
    """End the process now: no clean-up of libraries that may hang or crash in it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _contained(opening: Opening, terms: Containment) -> Opening:
    """Shut this process in. Ends it where that cannot be done: nothing may be decoded then."""
    # Loaded only where it is needed.
    from imagelane.execute.sandbox.contain import ContainmentError, contain  # noqa: PLC0415

    try:
        desk = contain(terms, opening.folder, opening.artifacts, opening.scratch)
    except ContainmentError as error:
        sys.stderr.write(f"{error}\n")
        leave(1)
    return replace(opening, scratch=desk)


def _get_ready() -> None:
    """Load what every worker for pixels needs, whatever it will be asked to do: it may have been
    started before anybody knew."""
    with contextlib.suppress(Exception):
        importlib.import_module("imagelane.execute.inspection")
        importlib.import_module("imagelane.execute.stages.thumbnails")
        # Its binding as well, which may not be reached any more once this process is shut in.
        importlib.import_module("imagelane.execute.lanczos").load()


def _load(opening: Opening, place: Place, fault: Fault) -> Execute:
    """Import what the stages need, before their time is measured.

    What cannot be imported says so when it is tried. Users' own modules are not touched: what
    their import does counts as their stage's doing.
    """
    for planned in opening.stages.values():
        if planned.place is place:
            with contextlib.suppress(Exception):
                stages.load(planned.uses)
    return partial(segment.execute, fault=fault)


class _Single:
    """One order at a time, on the main thread."""

    def __init__(self, line: Line, opening: Opening, execute: Execute) -> None:
        self._line = line
        self._opening = opening
        self._execute = execute
        self._handed: dict[str, int | StageError] = {}
        self._stopping = False

    def serve(self) -> None:
        while not self._stopping:
            command = self._line.receive()
            if isinstance(command, Order):
                handed, self._handed = self._handed, {}
                _perform(command, self._opening, self._execute, self._line, self._claim, handed)
                for one in handed.values():
                    if isinstance(one, int):
                        os.close(one)
            elif isinstance(command, Handed):
                self._handed[command.what] = self._file(command)
            else:
                self._take(command)

    def _file(self, handed: Handed) -> int | StageError:
        if handed.error is None:
            return self._line.descriptor()
        kind = TransientError if handed.error is ErrorClass.TRANSIENT else InvalidError
        return kind(handed.message)

    def _claim(self, order: int, size: int) -> None:
        self._line.send(Claim(order, size))
        command: Command | None = None
        while command != Grant(order):
            command = self._line.receive()
            if command is None:
                leave()
            self._take(command)

    def _take(self, command: Command | None) -> None:
        if command is None or isinstance(command, Stop):
            self._stopping = True
        elif not isinstance(command, Grant):
            raise MessageError(f"found {type(command).__name__} out of turn")


class _Many:
    """Orders side by side, each on a thread; as many threads as there were orders at one moment."""

    def __init__(self, line: Line, opening: Opening, execute: Execute) -> None:
        self._line = line
        self._opening = opening
        self._execute = execute
        self._orders: SimpleQueue[Order] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._grants: dict[int, threading.Semaphore] = {}
        self._counting = threading.Lock()
        self._under_way = 0
        self._stopping = False

    def serve(self) -> None:
        while not (self._stopping and self._under_way == 0):
            match self._line.receive():
                case Order() as order:
                    self._hand_out(order)
                case Grant(number):
                    self._grants[number].release()
                case Stop():
                    self._stopping = True
                case None:
                    return
                case other:
                    raise MessageError(f"found {type(other).__name__} out of turn")

    def _hand_out(self, order: Order) -> None:
        self._grants[order.number] = threading.Semaphore(0)
        with self._counting:
            self._under_way += 1
        if self._idle.acquire(blocking=False):
            self._orders.put(order)
            return
        try:
            threading.Thread(target=self._work, args=(order,), daemon=True).start()
        except RuntimeError as error:
            now = time.monotonic()
            failure = Failure(ErrorClass.TRANSIENT, f"the system gives no more threads: {error}")
            report = StageReport(order.number, order.stages[0], failure, now, now)
            self._line.send(report, OrderDone(order.number))
            self._finish(order)

    def _work(self, order: Order) -> None:
        while True:
            _perform(order, self._opening, self._execute, self._line, self._claim)
            self._finish(order)
            self._idle.release()
            order = self._orders.get()

    def _finish(self, order: Order) -> None:
        del self._grants[order.number]
        with self._counting:
            self._under_way -= 1
            last = self._stopping and self._under_way == 0
        if last:
            # The main thread waits for a command that nobody will send.
            self._line.hang_up()

    def _claim(self, order: int, size: int) -> None:
        self._line.send(Claim(order, size))
        self._grants[order].acquire()


def _perform(
    order: Order,
    opening: Opening,
    execute: Execute,
    line: Line,
    claim: Callable[[int, int], None],
    handed: Files = NOTHING_HANDED,
) -> None:
    """Do one order. Each stage is reported as soon as it is over: from then on the supervisor
    counts the time of the next one. The last report and the end travel together."""
    progress = Progress(order, opening)
    last: tuple[StageReport, ...] = ()
    worn = False
    since = time.monotonic()
    try:
        for report in execute(order, opening, lambda size: claim(order.number, size), handed):
            progress.reported(report)
            worn = worn or wears_out(report.outcome)
            since = report.finished
            if progress.stage is None:
                last = (report,)
            else:
                line.send(report)
    except BaseException as error:  # noqa: BLE001 - a thread that ends silently strands its order
        if progress.stage is not None:
            failure = failure_of(error)
            now = time.monotonic()
            last = (StageReport(order.number, progress.stage, failure, since, now),)
            worn = wears_out(failure)
    line.send(*last, OrderDone(order.number, worn))


def _frame(answer: Answer) -> bytes:
    try:
        return encode(answer)
    except MessageError as error:
        if not isinstance(answer, StageReport):
            raise
        text = f"stage {answer.stage!r} gave facts that cannot be recorded: {error}"
        return encode(replace(answer, outcome=Failure(ErrorClass.BUG, text)))
