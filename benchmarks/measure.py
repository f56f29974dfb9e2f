"""Commands timed as whole processes, start-up included, side by side in one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import Peaks, adopt_orphans, children, end_orphans
from benchmarks.quiet import busy_now, others, wait_until_quiet
from benchmarks.say import say

# An installed package has its bytecode; a checkout in which Python may not write it would compile
# every module of ours at every start, and nothing of the peers', which are one script each.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
_NOISE = 0.1
"""The share of its start-up by which a run of much must be longer for the difference to count."""
_LOOKS = 10
"""Looks at the end of a process between two at its memory, which costs more."""


class BenchmarkError(Exception):
    """A command failed, so its time means nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a command. Seconds; ``cpu`` is that of all its processes.

    ``peak`` is the resident memory of its first process and ``worker`` that of the largest below
    it, in bytes; ``others`` the share of the machine that was not ours meanwhile. ``output`` is
    what it printed.
    """

    wall: float
    cpu: float
    peak: int
    worker: int = 0
    others: float = 0.0
    output: str = ""


@dataclass(frozen=True, slots=True)
class Contender:
    """``prepare`` is called before each run, outside the time that is measured."""

    name: str
    command: Sequence[str]
    prepare: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    accept: frozenset[int] = frozenset({0}),
) -> Sample:
    """Run a command to its end, and until all that it started has ended.

    Raises:
        BenchmarkError: it ended with an exit code that is not accepted; its output is quoted.
    """
    adopt_orphans()
    known, spent, began = children(), busy_now(), time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**_ENVIRONMENT, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    os.set_blocking(process.stdout.fileno(), False) if process.stdout else None
    output = bytearray()
    peaks = Peaks(process.pid)
    usage = None
    looks = 0
    while usage is None:
        if looks % _LOOKS == 0:
            peaks.look()
        looks += 1
        output += (process.stdout.read() or b"") if process.stdout else b""
        done, status, found = os.wait4(process.pid, os.WNOHANG)
        if done:
            usage = found
            process.returncode = os.waitstatus_to_exitcode(status)
        else:
            time.sleep(0.005)
    wall = time.perf_counter() - began
    spent = busy_now() - spent
    cpu = usage.ru_utime + usage.ru_stime + end_orphans(known)
    if process.stdout:
        output += process.stdout.read() or b""
        process.stdout.close()
    said = output.decode(errors="replace")
    if process.returncode not in accept:
        raise BenchmarkError(
            f"{' '.join(command)} ended with {process.returncode}:\n{said[-2000:]}"
        )
    # The system knows the peak of a process that has ended better than whoever looks now and then,
    # but it is that of the largest process of all.
    peak = max(peaks.first, usage.ru_maxrss * 1024 if not peaks.others else 0)
    return Sample(wall, cpu, peak, peaks.largest, others(spent, cpu, wall), said)


def alternate(
    contenders: Sequence[Contender], rounds: int, patience: float = 0.0
) -> dict[str, list[Sample]]:
    """Run A B C, A B C, ...: so that a machine whose speed drifts drifts for all of them. Before
    each round it is waited up to ``patience`` seconds until the machine is quiet."""
    samples: dict[str, list[Sample]] = {one.name: [] for one in contenders}
    for number in range(1, rounds + 1):
        if patience:
            wait_until_quiet(patience)
        for one in contenders:
            one.prepare()
            # What the one before it left to the disk is not for whoever syncs next to wait for.
            os.sync()
            sample = run(one.command, environment=one.environment)
            samples[one.name].append(sample)
            say(
                f"  round {number}/{rounds}  {one.name:<44} {sample.wall:8.2f} s "
                f"{sample.cpu:8.2f} s CPU  others {sample.others:4.0%}"
            )
    return samples


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """From the least to the most, e.g. ``4.10-4.32``."""
    return f"{min(values):{form}}-{max(values):{form}}"


@dataclass(frozen=True, slots=True)
class Rate:
    """What a contender does, from runs of much and of next to nothing.

    ``whole`` and ``started`` are things a second in each round, the start-up included and taken
    out; ``cpu`` are seconds of processor time a thing, ``startup`` seconds, both medians. Where
    what was done took next to nothing beside starting up, ``started`` is empty and ``cpu`` None.
    """

    whole: Sequence[float]
    started: Sequence[float]
    cpu: float | None
    startup: float

    @property
    def speed(self) -> float | None:
        """Things a second, once it has started."""
        return median(self.started) if self.started else None


def rate(much: Sequence[Sample], little: Sequence[Sample], many: int, few: int) -> Rate:
    """Of samples of a contender that did ``many`` things, and ``few``: pairs, round by round."""
    pairs = list(zip(much, little, strict=True))
    more = many - few
    clear = all(one.wall > start.wall * (1 + _NOISE) for one, start in pairs)
    clear = clear and all(one.cpu > start.cpu for one, start in pairs)
    return Rate(
        whole=[many / one.wall for one in much],
        started=[more / (one.wall - start.wall) for one, start in pairs] if clear else (),
        cpu=median([(one.cpu - start.cpu) / more for one, start in pairs]) if clear else None,
        startup=median([start.wall for start in little]),
    )


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    """How many times as fast we are: the median of the ratios within each round, from which falls
    out what drifts between rounds. None where either has no figures."""
    if not ours or not theirs:
        return None
    return median([mine / other for mine, other in zip(ours, theirs, strict=True)])


def figure(value: float | None, form: str = ".1f") -> str:
    """A cell of a table."""
    return "-" if value is None else f"{value:{form}}"
