"""What a task costs that does nothing: imagelane's coordination against that of others.

The cheapest honest task here is a user's function that returns nothing. One that waits runs in the
host of what waits, each a task of its own that the coordinator hands out, hears of and records;
one that works runs in a worker process, where stages that follow each other are fused: one order,
and an outcome recorded for each. Both read their image first, as every stage of an image does.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from benchmarks.measure import (
    BenchmarkError,
    Contender,
    Rate,
    Sample,
    alternate,
    figure,
    rate,
    run,
    spread,
)
from benchmarks.photographs import ROOT, make_tiny
from benchmarks.quiet import described as disturbed
from benchmarks.results import machine, table
from benchmarks.say import say
from benchmarks.targets import Target

Making: TypeAlias = Callable[[str, int, str], Contender]
"""Makes a contender of a way, a count and a name."""
ENGINES = Path(__file__).parent / "engines"
INTERPRETER = ROOT / ".venv-engines" / "bin" / "python"
"""Where `make bench` installs Dask, Ray, Huey, Prefect and Temporal: apart from everything else."""
STAGES = 7
NOTHING = """\
from imagelane import Source, stage


@stage(waits=True)
def wait(source: Source) -> None:
    pass


@stage
def work(source: Source) -> None:
    pass
"""
TARGETS = (
    Target("processor time of a task, durable", "at most", 250, "µs"),
    Target("tasks end to end", "at least", 5000, "a second"),
)


@dataclass(frozen=True, slots=True)
class Engine:
    """``durable``: whether what is done survives a crash. ``fan`` and ``chain`` are how many tasks,
    and how many chains of `STAGES` tasks, take it some seconds; none: it has no such way."""

    name: str
    durable: str
    fan: int
    chain: int
    contender: Making
    ours: bool = False


def engines(scratch: Path) -> tuple[list[Engine], list[str]]:
    """Those that can be had here, and why the others are left out."""
    here, apart = sys.executable, str(INTERPRETER)
    made = scratch / "e"  # short, because Ray puts sockets into it
    made.mkdir(exist_ok=True)

    def script(interpreter: str, name: str, fan: str = "fan") -> Making:
        return _script(interpreter, name, made, fan)

    found = [
        Engine(
            "imagelane, tasks that wait", "yes", 20_000, 4_000, _ours("wait", scratch), ours=True
        ),
        Engine(
            "imagelane, tasks in workers", "yes", 10_000, 4_000, _ours("work", scratch), ours=True
        ),
        Engine("ThreadPoolExecutor", "no", 200_000, 20_000, script(here, "threads.py")),
        Engine("ProcessPoolExecutor", "no", 30_000, 4_000, script(here, "processes.py")),
        Engine(
            "ProcessPoolExecutor, chunks of 64",
            "no",
            500_000,
            0,
            script(here, "processes.py", fan="chunks"),
        ),
    ]
    left_out = []
    for engine, module in (
        (Engine("Dask", "no", 4_000, 400, script(apart, "on_dask.py")), "distributed"),
        (Engine("Ray", "no", 10_000, 1_500, script(apart, "on_ray.py")), "ray"),
        (Engine("Huey, SQLite", "yes", 5_000, 500, script(apart, "on_huey.py")), "huey"),
        (Engine("Prefect", "partly", 500, 70, script(apart, "on_prefect.py")), "prefect"),
        (
            Engine("Temporal", "not here", 1_000, 100, script(apart, "on_temporal.py")),
            "temporalio",
        ),
    ):
        reason = _lacking(module)
        if reason:
            left_out.append(f"{engine.name}: {reason}")
            say(f"  left out: {engine.name}: {reason}")
        else:
            found.append(engine)
    return found, left_out


def tried(found: Sequence[Engine], left_out: Sequence[str]) -> tuple[list[Engine], list[str]]:
    """Those of the others that do one task, so that one that cannot does not end an hour's work."""
    able, unable = [], list(left_out)
    for one in found:
        contender = one.contender("fan", 1, one.name)
        try:
            if not one.ours:
                run(contender.command, environment=contender.environment)
            able.append(one)
        except BenchmarkError as error:
            unable.append(f"{one.name}: {str(error).strip().splitlines()[-1]}")
            say(f"  left out: {unable[-1]}")
    return able, unable


def _lacking(module: str) -> str:
    if not INTERPRETER.exists():
        return f"{INTERPRETER.parents[1].name} is not there: `make bench` makes it"
    there = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
    if subprocess.run([str(INTERPRETER), "-c", there], check=False).returncode:
        return f"{module} is not installed in {INTERPRETER.parents[1].name}"
    if module == "temporalio" and shutil.which("temporal") is None:
        return "its server, `temporal`, is not on the path, and no package index carries it"
    return ""


def _script(interpreter: str, script: str, made: Path, fan: str) -> Making:
    """What it writes goes below ``made``."""

    def contender(how: str, count: int, name: str) -> Contender:
        asked = fan if how == "fan" else how
        command = [interpreter, str(ENGINES / script), asked, str(count)]
        return Contender(name, command, environment={"TMPDIR": str(made)})

    return contender


def _ours(function: str, scratch: Path) -> Making:
    def contender(how: str, count: int, name: str) -> Contender:
        folder = scratch / f"coordination-{function}-{how}-{count}"
        stages = STAGES if how == "chain" else 1
        lines = ["pipeline: nothing", "images: {from: photos/, group: folder}", "stages:"]
        lines += [f"  stage-{n}: {{uses: 'nothing:{function}'}}" for n in range(1, stages + 1)]

        def prepare() -> None:
            if not folder.exists():
                make_tiny(folder / "photos", count)
                (folder / "nothing.py").write_text(NOTHING, encoding="utf-8")
                (folder / "pipeline.yaml").write_text("\n".join(lines), encoding="utf-8")
            shutil.rmtree(folder / ".imagelane", ignore_errors=True)

        run = [sys.executable, "-m", "imagelane", "run", str(folder / "pipeline.yaml"), "--quiet"]
        return Contender(name, run, prepare)

    return contender


def measure(scratch: Path, *, share: float, rounds: int, patience: float) -> str:
    """Measure both ways and give the section's text. ``share`` of the usual counts is done."""
    found, left_out = tried(*engines(scratch))
    texts, shares = [], []
    for how, title, per in (
        ("fan", "Tasks that know nothing of each other", 1),
        ("chain", f"Chains of {STAGES} tasks, one after the other", STAGES),
    ):
        say(title)
        counted = {one.name: _count(one, how, share) for one in found}
        able = [one for one in found if counted[one.name]]
        contenders = []
        for one in able:
            many = counted[one.name]
            contenders.append(one.contender(how, many, one.name))
            contenders.append(one.contender(how, _few(many), f"{one.name} (start-up)"))
        samples = alternate(contenders, rounds, patience)
        shares += [sample.others for taken in samples.values() for sample in taken]
        texts.append(_text(title, able, counted, per, samples))
    for folder in scratch.glob("coordination-*"):
        shutil.rmtree(folder)
    about = (
        "Tasks that do nothing, two places to do them in. A second run of a fiftieth of the tasks "
        "says what is start-up; it is taken out of both figures. Durable: what is done survives a "
        "crash. imagelane lists, reads and publishes an image for each task or chain, which the "
        "others do not. Its tasks that wait are handed out one by one; those in workers are fused "
        "along a chain, and recorded one by one all the same."
    )
    return "\n\n".join(
        [
            about,
            *texts,
            "\n".join(
                [*(f"- left out: {one}" for one in left_out), f"- {disturbed(shares)}", machine()]
            ),
        ]
    )


def _count(engine: Engine, how: str, share: float) -> int:
    usual = engine.fan if how == "fan" else engine.chain
    return max(10, round(usual * share)) if usual else 0


def _few(many: int) -> int:
    return max(1, many // 50)


def _text(
    title: str,
    able: Sequence[Engine],
    counted: Mapping[str, int],
    per: int,
    samples: Mapping[str, Sequence[Sample]],
) -> str:
    rows, verdicts = [], []
    for one in able:
        many = counted[one.name]
        little = samples[f"{one.name} (start-up)"]
        found = rate(samples[one.name], little, many * per, _few(many) * per)
        rows.append(_row(one, many * per, found))
        if one.ours:
            cpu, speed = TARGETS
            verdicts.append(
                [
                    one.name,
                    cpu.text,
                    cpu.verdict(None if found.cpu is None else found.cpu * 1e6),
                    speed.text,
                    speed.verdict(found.speed),
                ]
            )
    head = ["", "tasks", "tasks/s", "range", "CPU µs/task", "start-up, s", "durable"]
    held = ["", TARGETS[0].what, "measured", TARGETS[1].what, "measured"]
    return "\n".join([f"### {title}", "", table(head, rows), "", table(held, verdicts)])


def _row(engine: Engine, tasks: int, found: Rate) -> list[str]:
    return [
        engine.name,
        f"{tasks:,}",
        figure(found.speed, ",.0f"),
        spread(found.started, ",.0f") if found.started else "-",
        figure(None if found.cpu is None else found.cpu * 1e6, ",.0f"),
        f"{found.startup:.2f}",
        engine.durable,
    ]
