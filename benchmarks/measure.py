"""Commands timed as whole processes, start-up included, side by side in one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# An installed package has its bytecode; a checkout in which Python may not write it would compile
# every module of ours at every start, and nothing of the peers', which are one script each.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


class BenchmarkError(Exception):
    """A command failed, so its time means nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a command. Seconds; ``peak`` is the resident memory of its first process, bytes.

    ``cpu`` counts all its processes that were waited for.
    """

    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True, slots=True)
class Contender:
    """``prepare`` is called before each run, outside the time that is measured."""

    name: str
    command: Sequence[str]
    prepare: Callable[[], None]
    environment: Mapping[str, str]


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    accept: frozenset[int] = frozenset({0}),
) -> Sample:
    """Run a command to its end.

    Raises:
        BenchmarkError: it ended with an exit code that is not accepted; its output is quoted.
    """
    began = time.perf_counter()
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
    peak = 0
    usage = None
    while usage is None:
        peak = max(peak, _high_water(process.pid))
        output += (process.stdout.read() or b"") if process.stdout else b""
        done, status, found = os.wait4(process.pid, os.WNOHANG)
        if done:
            usage = found
            process.returncode = os.waitstatus_to_exitcode(status)
        else:
            time.sleep(0.01)
    wall = time.perf_counter() - began
    if process.stdout:
        output += process.stdout.read() or b""
        process.stdout.close()
    if process.returncode not in accept:
        said = output.decode(errors="replace")[-2000:]
        raise BenchmarkError(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, peak)


def _high_water(pid: int) -> int:
    """Peak resident memory of a live process in bytes; 0 where the system does not tell."""
    try:
        with Path(f"/proc/{pid}/status").open(encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def alternate(contenders: Sequence[Contender], rounds: int) -> dict[str, list[Sample]]:
    """Run A B C, A B C, ...: so that a machine whose speed drifts drifts for all of them."""
    samples: dict[str, list[Sample]] = {one.name: [] for one in contenders}
    for number in range(1, rounds + 1):
        for one in contenders:
            one.prepare()
            sample = run(one.command, environment=one.environment)
            samples[one.name].append(sample)
            say(f"  round {number}/{rounds}  {one.name:<34} {sample.wall:8.2f} s")
    return samples


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float]) -> str:
    """From the fastest to the slowest, e.g. ``4.10-4.32``."""
    return f"{min(values):.2f}-{max(values):.2f}"


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
