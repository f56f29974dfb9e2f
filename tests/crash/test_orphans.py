"""What a stage started ends with the coordinator, and with its own host."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.crash.aftermath import processes_in, wait_until_alone
from tests.crash.conftest import STEADY, Bystander, Watched
from tests.integration.conftest import Project


@pytest.fixture(
    params=["sleep 300", "sleep 300 & sleep 300", "setsid sleep 300 & sleep 300"],
    ids=["command", "child", "own-session"],
)
def endless(request: pytest.FixtureRequest, bystander: Bystander) -> Watched:
    """A run with a command that does not end by itself, nor does what it started."""
    command = f'{{run: "{request.param}", shell: true}}'
    pipeline = STEADY.replace('{run: [sleep, "0.1"]}', command)
    run = bystander.start(bystander.project(pipeline=pipeline), "--model", "parallel")
    run.until(lambda: sleepers(run.project))
    return run


def sleepers(project: Project) -> list[int]:
    """The commands that run in a project."""
    return [pid for pid in processes_in(project.folder) if name_of(pid) == "sleep"]


def name_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
    return ""


def test_a_killed_coordinator_takes_its_commands_along(endless: Watched) -> None:
    assert sleepers(endless.project)
    endless.process.kill()
    endless.process.wait()
    wait_until_alone(endless.project.folder)


def test_a_second_ctrl_c_takes_its_commands_along(endless: Watched) -> None:
    endless.interrupt()
    # Two signals of one number that come together are one.
    time.sleep(0.5)
    endless.interrupt()
    endless.ends(130)
    wait_until_alone(endless.project.folder)


def test_a_killed_host_takes_its_commands_along(bystander: Bystander) -> None:
    pipeline = STEADY.replace('[sleep, "0.1"]', '[sh, "-c", "test -e again || exec sleep 300"]')
    project = bystander.project(pipeline=pipeline)
    run = bystander.start(project)
    run.until(lambda: sleepers(project))
    (first,) = sleepers(project)
    (project.folder / "again").touch()
    os.kill(parent_of(first), signal.SIGKILL)
    run.ends(0)
    assert sleepers(project) == []


def parent_of(pid: int) -> int:
    found = subprocess.run(
        ["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True, check=True
    )
    return int(found.stdout)
