"""Ctrl-C at any moment and twice, a closed terminal, a pipe that nobody reads."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelane.model.states import RunStatus
from tests.crash.aftermath import processes_in, published
from tests.crash.conftest import (
    PATIENCE,
    Bystander,
    Watched,
    failures,
    recorded_tasks,
    rooted_environment,
)
from tests.integration.conftest import Project

ENDS = {0, 3, 130, -signal.SIGINT}
"""Finished, paused, stopped at once; and by the signal itself, before anything was begun."""


def began_nothing(run: Watched) -> bool:
    """Whether the interpreter itself was interrupted, before it had read a line of the product."""
    return run.process.returncode == 1 and run.said.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("twice", [False, True])
def test_ctrl_c_at_any_moment_loses_nothing(
    bystander: Bystander, expected: dict[str, str], seed: int, *, twice: bool
) -> None:
    draw = random.Random(seed)
    project = bystander.project()
    for _ in range(5):
        run = bystander.start(project)
        time.sleep(draw.uniform(0.0, 1.5))
        run.interrupt()
        if twice:
            time.sleep(draw.uniform(0.0, 0.15))
            run.interrupt()
        code = run.process.wait(PATIENCE)
        assert code in ENDS or began_nothing(run), run.said
        # A worker that is still starting finds out that it is alone when it has.
        deadline = time.monotonic() + PATIENCE
        while processes_in(project.folder):
            assert time.monotonic() < deadline, processes_in(project.folder)
            time.sleep(0.01)
        if code == 0:
            break
    bystander.start(project).ends(0)
    assert published(project.public) == expected
    assert failures(project) == []


def test_a_terminal_that_is_closed_pauses_the_run(
    bystander: Bystander, expected: dict[str, str]
) -> None:
    project = bystander.project()
    ours, theirs = os.openpty()
    # A leader of a session that opens a terminal by its name gets it as its own.
    within = ["sh", "-c", 'exec <"$0" >"$0" 2>&1; exec "$@"', os.ttyname(theirs)]
    run = bystander.start(project, under=within)
    os.set_blocking(ours, False)
    shown = b""
    while recorded_tasks(project) < 3:
        with contextlib.suppress(BlockingIOError):
            shown += os.read(ours, 1 << 16)
        assert run.process.poll() is None, shown
        time.sleep(0.01)
    os.close(theirs)
    os.close(ours)
    run.ends(3)
    assert b"gallery" in shown, "something was drawn on it"
    (row,) = project.runs()
    assert (row.status, row.reason) == (RunStatus.PAUSED, "paused by SIGHUP")
    assert processes_in(project.folder) == []
    bystander.start(project).ends(0)
    assert published(project.public) == expected


class Piped:
    """A run that tells its events into a pipe of four kilobytes."""

    def __init__(self, project: Project) -> None:
        self.ours, theirs = os.pipe()
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "imagelane", "run", "gallery.yaml", "--json-lines"],
            cwd=project.folder,
            env=rooted_environment(),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
        )
        os.close(theirs)

    def wait_until_full(self) -> None:
        """Until it waits for somebody to read."""
        where = Path(f"/proc/{self.process.pid}/wchan")
        while "pipe" not in where.read_text(encoding="ascii"):
            assert self.process.poll() is None
            time.sleep(0.01)


@pytest.fixture
def piped(bystander: Bystander) -> Iterator[Piped]:
    made = Piped(bystander.project())
    try:
        made.wait_until_full()
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def test_a_full_pipe_is_waited_for(piped: Piped, expected: dict[str, str], tmp_path: Path) -> None:
    with os.fdopen(piped.ours, encoding="ascii") as reader:
        said = [json.loads(line) for line in reader]
    assert piped.process.wait(PATIENCE) == 0
    assert said[-1]["type"] == "closed"
    assert said[-1]["status"] == "finished"
    assert published(tmp_path / "project" / "public") == expected


def test_a_reader_that_leaves_stops_nothing(
    piped: Piped, expected: dict[str, str], tmp_path: Path
) -> None:
    os.close(piped.ours)
    assert piped.process.wait(PATIENCE) == 0
    assert published(tmp_path / "project" / "public") == expected


def test_ctrl_c_twice_ends_a_run_that_waits_for_its_reader(
    piped: Piped, expected: dict[str, str], tmp_path: Path, bystander: Bystander
) -> None:
    piped.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    piped.process.send_signal(signal.SIGINT)
    assert piped.process.wait(PATIENCE) == 130
    os.close(piped.ours)
    project = Project(tmp_path / "project")
    bystander.start(project).ends(0)
    assert published(project.public) == expected
