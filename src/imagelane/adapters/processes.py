"""What this process and those that it started take, as the kernel tells it in files."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from imagelane.model.profile import MemoryUse, Usage
from imagelane.model.spec import Place

_LOOK = 0.05
"""Seconds between two looks at what they compute ..."""
_WEIGH = 3
"""... of which each so-many-th is one at their memory, which takes the kernel a millisecond."""
_IDLE = 0.02
"""Share of a look's time that a worker may compute and still be idle."""
_BLOCK = b"\x5a" * (1 << 20)


def speed(seconds: float = 0.06) -> float:
    """How fast this machine computes now, in rounds a second of a fixed piece of work: some of it
    in the interpreter, some in compiled code. By processor time, so that it does not matter who
    else is there, but for what sharing a core costs."""
    began, rounds = time.thread_time(), 0
    while (taken := time.thread_time() - began) < seconds:
        hashlib.sha256(_BLOCK).digest()
        sum(number * number for number in range(2000))
        rounds += 1
    return rounds / taken


def crowding(seconds: float = 0.2) -> float:
    """How many times as long computing takes now as it would if nobody else were here: 1 on a
    machine that is free. By one thread that computes for so long."""
    began, computed = time.monotonic(), time.thread_time()
    while time.thread_time() - computed < seconds:
        sum(number * number for number in range(2000))
    return max(1.0, (time.monotonic() - began) / (time.thread_time() - computed))


@dataclass(slots=True)
class _Seen:
    """One process: what it computed and lacked so far, and its memory."""

    kind: Place | None
    cpu: float = 0.0
    lacked: float = 0.0
    memory: int = 0
    idle: int = 0
    most: int = 0
    threads: dict[str, tuple[float, float]] = field(default_factory=dict)


class Watch:
    """Looks at a process and all below it for as long as it is entered: this one, unless another is
    given.
    """

    def __init__(self, process: int | None = None, processes: Path = Path("/proc")) -> None:
        self._process = os.getpid() if process is None else process
        self._processes = processes
        self._seen: dict[int, _Seen] = {}
        self._together = 0
        self._least = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="watch", daemon=True)
        self._speeds: list[float] = []
        self._coordinator = 0.0

    def __enter__(self) -> Self:
        self._speeds.append(speed())
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self._speeds.append(speed())

    @contextmanager
    def coordinating(self) -> Iterator[None]:
        """Counts what the calling thread computes meanwhile as the coordinator's."""
        began = time.thread_time()
        self._least = self._together
        self._together = 0
        try:
            yield
        finally:
            self._coordinator += time.thread_time() - began

    def usage(self, decoded: int) -> Usage:
        """What was seen; ``decoded`` are the most bytes of pictures that a worker had in hand."""
        below = [one for number, one in self._seen.items() if number != self._process]
        lacked = {}
        for place in (Place.PROCESS, Place.THREAD):
            cpu = sum(one.cpu for one in below if one.kind is place)
            if cpu > 0:
                lacked[place] = sum(one.lacked for one in below if one.kind is place) / cpu
        return Usage(
            coordinator=self._coordinator,
            workers={str(number): one.cpu for number, one in self._seen.items()},
            lacked=lacked,
            memory=self._memory(decoded),
            together=self._together,
            least=self._least,
            speed=sum(self._speeds) / len(self._speeds),
        )

    def _memory(self, decoded: int) -> MemoryUse | None:
        own = self._seen.get(self._process)
        if own is None or not own.most:
            return None
        workers = [one for one in self._seen.values() if one.kind is Place.PROCESS and one.most]
        hosts = [one.most for one in self._seen.values() if one.kind is Place.THREAD]
        return MemoryUse(
            coordinator=own.most,
            host=max(hosts, default=0),
            idle=min((one.idle or one.most for one in workers), default=0),
            worker=max((one.most for one in workers), default=0),
            decoded=decoded,
        )

    def _look_on(self) -> None:
        count = 0
        while not self._over.wait(_LOOK):
            self._look(weigh=count % _WEIGH == 0)
            count += 1

    def _look(self, *, weigh: bool) -> None:
        together = 0
        for number in self._family(self._process):
            try:
                one = self._seen.get(number)
                if one is None:
                    one = self._seen[number] = _Seen(self._kind(number))
                before = one.cpu
                self._time(number, one)
                if weigh:
                    one.memory = self._resident(number)
                    one.most = max(one.most, one.memory)
                    if one.cpu - before < _IDLE * _LOOK and not one.idle and one.cpu > 0.1:
                        one.idle = one.memory
            except (OSError, ValueError, IndexError):
                # It ended meanwhile.
                continue
            together += one.memory
        self._together = max(self._together, together)

    def _family(self, number: int) -> Iterator[int]:
        yield number
        try:
            tasks = list((self._processes / str(number) / "task").iterdir())
        except OSError:
            return
        for task in tasks:
            try:
                children = (task / "children").read_text(encoding="ascii").split()
            except OSError:
                continue
            for child in children:
                yield from self._family(int(child))

    def _kind(self, number: int) -> Place | None:
        said = (self._processes / str(number) / "cmdline").read_bytes().split(b"\0")
        names = {place.value.encode(): place for place in Place}
        return next((names[word] for word in reversed(said) if word in names), None)

    def _time(self, number: int, one: _Seen) -> None:
        """Threads that ended keep what they had."""
        for task in (self._processes / str(number) / "task").iterdir():
            fields = (task / "schedstat").read_text(encoding="ascii").split()
            one.threads[task.name] = int(fields[0]) / 1e9, int(fields[1]) / 1e9
        one.cpu = sum(cpu for cpu, _ in one.threads.values())
        one.lacked = sum(lacked for _, lacked in one.threads.values())

    def _resident(self, number: int) -> int:
        text = (self._processes / str(number) / "smaps_rollup").read_text(encoding="ascii")
        line = next(line for line in text.splitlines() if line.startswith("Pss:"))
        return int(line.split()[1]) * 1024
