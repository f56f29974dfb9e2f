"""Disks of a test's own, and runs that are watched while they happen to them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest

from imagelane.model import events as e
from tests.conftest import SRC, Paint
from tests.crash.aftermath import published
from tests.integration.conftest import Project

STEADY = """\
pipeline: gallery
images: {from: photos/, group: folder}
stages:
  validate:
  thumbnails: {needs: [validate], with: {widths: [40, 80]}}
  pace: {needs: [validate], uses: command, with: {run: [sleep, "0.1"]}}
  store: {needs: [thumbnails, pace], with: {to: public/}}
  contact-sheet: {scope: group, needs: [thumbnails], with: {cell: 40}}
  publish: {scope: group, needs: [store, contact-sheet]}
run: {model: sequential}
"""
"""Slow enough for something to happen in its middle."""

PATIENCE = 60.0


def rooted_environment() -> dict[str, str]:
    """Variables with which the product and its tests are found from anywhere."""
    paths = os.pathsep.join([str(SRC), str(SRC.parent)])
    return {**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1"}


def required(holds: bool, lacks: str, command: str) -> None:
    """Skip a test that this machine cannot run, and say what would let it; where everything must
    run, it fails."""
    if holds:
        return
    message = f"{lacks}; {command}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def required_program(name: str, package: str) -> str:
    """The path of a program that a Debian package provides."""
    found = shutil.which(name)
    required(found is not None, f"there is no {name}", f"`apt-get install {package}` provides it")
    return str(found)


@dataclass
class Disk:
    """A small file system of its own."""

    path: Path
    _ballast: list[Path] = field(default_factory=list)

    def fill(self) -> None:
        """Take all of its room."""
        ballast = self.path / f"ballast-{len(self._ballast)}"
        self._ballast.append(ballast)
        with ballast.open("wb", buffering=0) as file:
            for piece in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(bytes(piece)):
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        """Give it back."""
        while self._ballast:
            self._ballast.pop().unlink()

    def remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.path)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """One and a half megabytes in memory."""
    root = os.geteuid() == 0
    required(root, "only root may mount a file system", "run the tests as root")
    path = tmp_path / "disk"
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(path)], check=False
    )
    required(done.returncode == 0, "nothing can be mounted here", "run the tests outside a jail")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


class Watched:
    """A run in a process of its own, what it says, and what it has recorded."""

    def __init__(
        self, project: Project, words: Path, *options: str, under: Sequence[str] = ()
    ) -> None:
        self.project = project
        self._words = words
        with words.open("wb") as output:
            self.process = subprocess.Popen(
                [*under, sys.executable, "-m", "imagelane", "run", "gallery.yaml", *options],
                cwd=project.folder,
                env=rooted_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._words.read_text(encoding="utf-8", errors="replace")

    def until(self, happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert self.process.poll() is None, f"it ended: {self.said}"
            assert time.monotonic() < deadline, f"it never happened: {self.said}"
            time.sleep(0.01)

    def until_recorded(self, tasks: int) -> None:
        self.until(lambda: recorded_tasks(self.project) >= tasks)

    def stop_between_commits(self) -> None:
        """Stop its coordinator where it does not hold the journal: others may write meanwhile."""
        journal = apsw.Connection(str(self.project.folder / ".imagelane" / "journal.db"))
        while True:
            self.process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)
            try:
                journal.execute("BEGIN IMMEDIATE; ROLLBACK")
            except apsw.BusyError:
                self.process.send_signal(signal.SIGCONT)
                time.sleep(0.01)
            else:
                journal.close()
                return

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def ends(self, code: int) -> str:
        """What it said until it ended, with this exit code."""
        assert self.process.wait(PATIENCE) == code, self.said
        return self.said


def recorded_tasks(project: Project) -> int:
    """How many tasks the journal holds now."""
    try:
        return sum(1 for _ in project.tasks())
    except Exception:  # noqa: BLE001 - there is no journal yet, or no run in it
        return 0


def failures(project: Project) -> list[e.TaskFailed]:
    """The attempts that counted against an image."""
    return [event for event in project.events() if isinstance(event, e.TaskFailed)]


@dataclass
class Bystander:
    """Makes projects, starts runs, and ends those that a failing test left."""

    paint: Paint
    room: Path
    _started: list[Watched] = field(default_factory=list)

    def project(
        self, name: str = "project", pipeline: str = STEADY, *, within: Path | None = None
    ) -> Project:
        folder = (within or self.room) / name
        for group, images in (("harbour", 4), ("market", 3)):
            for index in range(images):
                self.paint(folder / "photos" / group / f"{index}.jpg", (120 + index, 90))
        (folder / "gallery.yaml").write_text(pipeline, encoding="utf-8")
        return Project(folder)

    def start(self, project: Project, *options: str, under: Sequence[str] = ()) -> Watched:
        words = self.room / f"said-{len(self._started)}.txt"
        self._started.append(Watched(project, words, *options, under=under))
        return self._started[-1]

    def whole(self, project: Project) -> dict[str, str]:
        """A run that nobody disturbs; what it published."""
        self.start(project).ends(0)
        return published(project.public)

    def leave(self) -> None:
        for one in self._started:
            if one.process.poll() is None:
                os.killpg(one.process.pid, signal.SIGKILL)
                one.process.wait()


@pytest.fixture
def bystander(paint: Paint, tmp_path: Path) -> Iterator[Bystander]:
    made = Bystander(paint, tmp_path)
    yield made
    made.leave()


@pytest.fixture(scope="session")
def expected(paint: Paint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a run of the steady pipeline publishes where nothing happens to it."""
    made = Bystander(paint, tmp_path_factory.mktemp("undisturbed"))
    try:
        return made.whole(made.project())
    finally:
        made.leave()
