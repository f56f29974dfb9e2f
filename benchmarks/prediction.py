"""Predictions against what happens: other images, models and numbers of workers than were measured.

``python -m benchmarks prediction``. Each pipeline is profiled on one set of pictures; then
runs over another set are predicted, and made.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measure import BenchmarkError, median
from benchmarks.results import machine, table
from benchmarks.say import say
from benchmarks.scenarios import SCENARIOS
from imagelane import wiring
from imagelane.adapters.processes import Watch, crowding
from imagelane.advise.foretell import foretell
from imagelane.model import events as e
from imagelane.model.forecast import Forecast, Interval
from imagelane.model.policy import ExecutionModel, RunOptions
from imagelane.model.profile import Profile
from imagelane.wiring import profiling

SEEDS = range(1, 8)
TARGETS = {"time": 0.10, "first group": 0.15, "memory": 0.20}
COVERED = 0.85


@dataclass(frozen=True, slots=True)
class Case:
    """One run: of a scenario, so many images, with options given as those of a pipeline file."""

    scenario: str
    images: int
    label: str
    options: RunOptions
    scale: float


@dataclass(frozen=True, slots=True)
class Actual:
    """What happened, as the journal's own clock and the kernel tell. Seconds, and bytes."""

    seconds: float
    first: float
    memory: float


def sequential(**workers: int) -> RunOptions:
    return RunOptions(model=ExecutionModel.SEQUENTIAL, parallel=frozenset(workers), workers=workers)


def parallel(processes: int = 2, io: int = 64, **workers: int) -> RunOptions:
    return RunOptions(pools={"cpu": processes, "io": io}, workers=workers)


def batches(size: int, side: int) -> RunOptions:
    return RunOptions(model=ExecutionModel.HYBRID, batch_size=size, parallel_batches=side)


def cases() -> Iterator[Case]:
    """Thirty-four runs of six pipelines. Waits are a tenth of those in the field, so that all of it
    takes minutes."""
    for images, options in (
        (20, sequential()),
        (25, parallel(io=2)),
        (50, parallel(io=4)),
        (75, parallel(io=8)),
        (75, parallel(io=10)),
        (150, parallel(io=16)),
        (50, batches(5, 8)),
    ):
        yield Case("news", images, flags_of(options), options, 0.1)
    for images, options in (
        (12, sequential()),
        (20, sequential(moderate=5)),
        (50, parallel(moderate=2)),
        (75, parallel(moderate=5)),
        (75, batches(5, 5)),
    ):
        yield Case("moderated", images, flags_of(options), options, 0.1)
    for images, options in (
        (24, sequential()),
        (36, sequential(policy=8)),
        (36, parallel(1, policy=2)),
        (60, parallel(2, policy=4)),
        (96, parallel(2, policy=8)),
        (150, parallel(2, policy=16)),
        (48, batches(4, 4)),
    ):
        yield Case("products", images, flags_of(options), options, 0.05)
    for images, options in (
        (60, sequential()),
        (80, parallel(1)),
        (120, parallel(2)),
        (80, batches(10, 2)),
        (80, sequential(crop=2)),
    ):
        yield Case("avatars", images, flags_of(options), options, 1.0)
    for images, options in (
        (72, sequential()),
        (96, parallel(1)),
        (144, parallel(2)),
        (96, batches(8, 2)),
        (72, sequential(thumbnails=2)),
        (96, replace(parallel(2), fuse=False)),
    ):
        yield Case("archive", images, flags_of(options), options, 1.0)
    for images, options in (
        (40, sequential()),
        (40, parallel(2, register=1)),
        (40, parallel(2, register=2)),
        (40, parallel(2, register=4)),
    ):
        yield Case("ledger", images, flags_of(options), options, 0.1)


def flags_of(options: RunOptions) -> str:
    """As they are given to `imagelane run`."""
    found = [options.model.value]
    if options.model is ExecutionModel.HYBRID:
        found.append(f"{options.parallel_batches} × {options.batch_size}")
    found += [f"{name} {number}" for name, number in options.pools.items() if number != 64]
    found += [f"{name} {number}" for name, number in options.workers.items()]
    return ", ".join(found if options.fuse else [*found, "unfused"])


def measure(scratch: Path, only: Sequence[str] = ()) -> str:
    """Profile, predict, run and compare; gives the section's text."""
    profiles: dict[str, Profile] = {}
    rows: list[tuple[Case, Forecast, Actual]] = []
    for case in cases():
        if only and case.scenario not in only:
            continue
        scenario = SCENARIOS[case.scenario]
        if case.scenario not in profiles:
            measured = scenario.make(
                scratch / "measured" / case.scenario, 48, scale=case.scale, seed=1
            )
            profiles[case.scenario] = _profile(measured)
        folder = scratch / "predicted" / case.scenario
        file = scenario.make(folder, case.images, scale=case.scale, seed=2)
        spec = wiring.load(file)
        asked = profiling.question(spec, profile=profiles[case.scenario])
        # Where others compute as well, everything takes as much longer as a probe says.
        crowded = crowding()
        asked = replace(asked, computing=asked.computing * crowded)
        forecast = foretell(asked, case.label, case.options, one_by_one=1500, seeds=SEEDS)
        actual = _run(file, case.options)
        rows.append((case, forecast, actual))
        say(
            f"  {case.scenario:<10} {case.label:<34} told {forecast.seconds.middle:6.2f} s, taken "
            f"{actual.seconds:6.2f} s ({_off(forecast.seconds, actual.seconds):+.1%}), "
            f"crowding {crowded:.2f}"
        )
    return _text(rows)


def _profile(file: Path) -> Profile:
    """As a user takes it, in a process of its own: this one is larger than theirs."""
    _call("profile", file, "--sample", "48", "--seconds", "25")
    return profiling.kept_profile(wiring.load(file))


def _call(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "imagelane", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")


def _run(file: Path, options: RunOptions) -> Actual:
    """Run it as a user would, and look at it from outside."""
    from imagelane.cli.run_section import run_section, with_run_section  # noqa: PLC0415

    file.write_text(
        with_run_section(file.read_text(encoding="utf-8"), run_section(options)), encoding="utf-8"
    )
    command = [sys.executable, "-m", "imagelane", "run", str(file), "--quiet"]
    process = subprocess.Popen(command, cwd=file.parent, env=os.environ)
    with Watch(process.pid) as watch:
        code = process.wait()
    if code:
        raise BenchmarkError(f"{' '.join(command)} ended with {code}")
    journal = wiring.open_journal(file.parent / ".imagelane")
    try:
        events = list(journal.events(journal.runs()[0].run))
    finally:
        journal.close()
    tasks = [one for one in events if isinstance(one.event, e.TaskSucceeded)]
    began = min(one.event.started for one in tasks)  # type: ignore[union-attr]
    offset = min(one.at - one.event.finished for one in tasks)  # type: ignore[union-attr]
    live = [one.at for one in events if isinstance(one.event, e.GroupSettled)]
    zero = began + offset
    return Actual(events[-1].at - zero, live[0] - zero, watch.usage(0).together)


def _off(told: Interval | None, actual: float) -> float:
    return math.nan if told is None or not actual else told.middle / actual - 1


def _text(rows: Sequence[tuple[Case, Forecast, Actual]]) -> str:
    shown = []
    errors: dict[str, list[float]] = {name: [] for name in TARGETS}
    inside: dict[str, list[bool]] = {name: [] for name in TARGETS}
    for case, forecast, actual in rows:
        pairs = {
            "time": (forecast.seconds, actual.seconds),
            "first group": (forecast.first, actual.first),
            "memory": (forecast.memory, actual.memory),
        }
        cells = []
        for name, (told, happened) in pairs.items():
            off = _off(told, happened)
            if told is not None:
                errors[name].append(abs(off))
                inside[name].append(happened in told)
            cells += _cells(name, told, happened, off)
        shown.append([f"{case.scenario}, {case.images} images, {case.label}", *cells])
    head = ["run", "time told", "taken", "off", "first told", "live", "off"]
    head += ["memory told", "used", "off"]
    lines = [table(head, shown), ""]
    for name, target in TARGETS.items():
        if errors[name]:
            covered = sum(inside[name]) / len(inside[name])
            lines.append(
                f"- {name}: median error {median(errors[name]):.1%}, largest "
                f"{max(errors[name]):.1%} (target {target:.0%}); in the 90 % interval "
                f"{covered:.0%} of {len(errors[name])} runs (target {COVERED:.0%})"
            )
    return "\n".join([*lines, machine()])


def _cells(name: str, told: Interval | None, happened: float, off: float) -> list[str]:
    if told is None:
        return ["-", "-", "-"]
    unit = 2**20 if name == "memory" else 1
    digits = 0 if name == "memory" else 2
    mark = "" if happened in told else " outside"
    between = f"{told.low / unit:.{digits}f}–{told.high / unit:.{digits}f}"
    return [
        f"{told.middle / unit:.{digits}f} ({between})",
        f"{happened / unit:.{digits}f}{mark}",
        f"{off:+.1%}",
    ]
