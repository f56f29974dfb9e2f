"""G1, G2: what was recorded survives SIGKILL, and nothing that was recorded is done again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from imagelane.model import events as e
from imagelane.model.states import RunStatus
from tests.conftest import SRC, Imagelane
from tests.integration.conftest import NewProject, Project


def start(made: Project, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "imagelane", "run", "gallery.yaml", "--quiet", *options],
        cwd=made.folder,
        env={**os.environ, "PYTHONPATH": str(SRC)},
        stdin=subprocess.DEVNULL,
    )


def recorded(made: Project) -> int:
    """How many tasks the journal holds now."""
    try:
        return sum(1 for _ in made.tasks())
    except Exception:  # noqa: BLE001 - there is no journal yet, or no run in it
        return 0


def wait_for(made: Project, tasks: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until so many tasks are recorded; False if the run ended before."""
    while recorded(made) < tasks:
        if process.poll() is not None:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize("seed", range(3))
def test_killed_anywhere_and_taken_up_the_bytes_are_the_same(
    seed: int, project: NewProject, imagelane: Imagelane
) -> None:
    draw = random.Random(seed)
    undisturbed, made = project(), project()
    imagelane("run", "gallery.yaml", "--quiet", cwd=undisturbed.folder)

    known = 0
    for _ in range(4):
        process = start(made)
        alive = wait_for(made, known + draw.randint(0, 9), process)
        if alive:
            process.send_signal(signal.SIGKILL)
        process.wait(30)
        assert recorded(made) >= known, "what was recorded is lost"
        known = recorded(made)
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)

    assert made.published() == undisturbed.published()
    run = made.runs()[0]
    assert run.status is RunStatus.FINISHED
    succeeded = Counter((task.stage, task.subject) for task in made.tasks())
    assert set(succeeded.values()) == {1}, "something was recorded twice"
    resumed = sum(isinstance(event, e.RunResumed) for event in made.events())
    assert resumed >= 1


def test_ctrl_c_pauses_and_the_same_command_carries_on(
    project: NewProject, imagelane: Imagelane
) -> None:
    made = project()
    process = start(made, "--model", "sequential")
    assert wait_for(made, 3, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 3
    row = made.runs()[0]
    assert row.status is RunStatus.PAUSED
    assert row.reason == "paused by Ctrl-C"
    done = imagelane("run", "gallery.yaml", cwd=made.folder)
    assert f"taking up run {row.run}, which is paused" in done.stderr
    assert [one.run for one in made.runs()] == [row.run]
    assert made.runs()[0].status is RunStatus.FINISHED


def test_a_run_that_somebody_executes_is_not_taken_from_them(
    project: NewProject, imagelane: Imagelane
) -> None:
    made = project()
    process = start(made, "--model", "sequential")
    try:
        assert wait_for(made, 1, process)
        refused = imagelane("run", "gallery.yaml", cwd=made.folder, code=3)
        assert f"is being executed by process {process.pid}" in refused.stderr
    finally:
        process.kill()
        process.wait()


def test_a_killed_coordinator_leaves_no_workers(project: NewProject) -> None:
    made = project()
    process = start(made)
    assert wait_for(made, 1, process)
    workers = [pid for pid, parent in _parents() if parent == process.pid]
    assert workers
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in workers):
        assert time.monotonic() < deadline, "a worker outlived its coordinator"
        time.sleep(0.02)


def _parents() -> list[tuple[int, int]]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return [(pid, int(stat[1])) for pid in pids if (stat := _stat(pid))]


def _alive(pid: int) -> bool:
    stat = _stat(pid)
    return bool(stat) and stat[0] != "Z"


def _stat(pid: int) -> list[str]:
    """State, parent and so on of a process (proc(5)); empty if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
