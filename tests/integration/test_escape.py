"""A decoder that somebody has taken over: it tries to get out, by every way that it knows."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from imagelane.execute.sandbox.terms import LAYERS, REQUIRED, examine
from imagelane.model import events as e
from tests.conftest import Paint
from tests.crash.conftest import required
from tests.integration.conftest import Project
from tests.integration.reach import as_user, of_this_python

SRC = Path(__file__).parents[2] / "src"
NEEDED = of_this_python(SRC)
REFUSED = {"EACCES", "EPERM", "ENOSYS"}
# What any user may do who is not held. Without a sandbox these must get somewhere, or the test
# would find walls where there are none.
OPEN_WITHOUT = {
    "clone",
    "clone3",
    "connect by TCP",
    "connect to a socket",
    "connect to an abstract socket",
    "cut a file short",
    "date a file",
    "fork",
    "limit the parent",
    "link an image",
    "list beside the pipeline",
    "list the images",
    "list the store",
    "list the work of others",
    "listen",
    "open the parent",
    "open up a file",
    "outlive the parent",
    "read a secret",
    "read another image",
    "read its own image again",
    "read the journal",
    "read the pipeline file",
    "read the users",
    "read through /proc",
    "remove an image",
    "send by UDP",
    "shared memory",
    "signal the parent",
    "start a program",
    "start a program from memory",
    "watch a folder",
    "write beside the pipeline",
    "write over an image",
    "write to /tmp",
}
PIPELINE = """\
pipeline: captive
images: {{from: photos/, group: folder}}
stages:
  validate:
  captive:
    uses: captive:attempt
    with: {{told: {told}}}
    timeout: 60s
    retry: 1
  thumbnails:
    with: {{widths: [80]}}
  store:
    with: {{to: public/}}
  publish:
    scope: group
"""


@pytest.fixture(scope="module")
def layers() -> Mapping[str, str]:
    """What this machine has. A machine that lacks something proves nothing; where changes are
    checked it must not lack anything."""
    found = examine()
    lacking = [f"{layer}: {found[layer]}" for layer in LAYERS if layer in REQUIRED and found[layer]]
    if lacking:
        assert not os.environ.get("CI"), lacking
        pytest.skip(f"this machine has no whole sandbox: {'; '.join(lacking)}")
    return found


@pytest.fixture(params=["as it is", "nobody"])
def user(request: pytest.FixtureRequest) -> str | None:
    """Who runs it: whoever runs the tests, and if that is root, somebody who may do little, too."""
    if request.param == "as it is":
        return None
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else; the other case is no root's already")
    reach = [*as_user("nobody", NEEDED), sys.executable, "-c", "import imagelane, pyvips"]
    done = subprocess.run(
        reach, env={**os.environ, "PYTHONPATH": str(SRC)}, check=False, cwd="/", capture_output=True
    )
    lacks = f"nobody may not run {sys.executable}: {done.stderr.decode()}"
    required(done.returncode == 0, lacks, "let root mount file systems, or open the folders above")
    return "nobody"


class Place:
    """A project that everybody may enter, with what a captive looks for around it."""

    def __init__(self, root: Path, paint: Paint, stack: ExitStack) -> None:
        self.project = Project(root / "project")
        for name in ("own", "other"):
            paint(self.project.folder / "photos" / "quay" / f"{name}.jpg", (120, 90))
        shutil.copy(Path(__file__).with_name("captive.py"), self.project.folder)
        for name in ("secret", "victim"):
            (root / name).write_text("secret")
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        line = stack.enter_context(socket.socket(socket.AF_UNIX))
        line.bind(str(root / "line"))
        line.listen(16)
        hidden = stack.enter_context(socket.socket(socket.AF_UNIX))
        hidden.bind(f"\0imagelane-{os.getpid()}")
        hidden.listen(16)
        photos = self.project.folder / "photos" / "quay"
        self.elsewhere = root / "elsewhere"
        targets = {
            "image": photos / "other.jpg",
            "own": photos / "own.jpg",
            "secret": root / "secret",
            "victim": root / "victim",
            "journal": self.project.folder / ".imagelane" / "journal.db",
            "pipeline": self.project.pipeline,
            "folder": self.project.folder,
            "elsewhere": self.elsewhere,
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "unix": root / "line",
            "abstract": f"imagelane-{os.getpid()}",
        }
        told = json.dumps({name: str(value) for name, value in targets.items()})
        self.project.pipeline.write_text(PIPELINE.format(told=json.dumps(told)))

    def run(self, *options: str, user: str | None = None) -> subprocess.CompletedProcess[str]:
        root = self.project.folder.parent
        if user is not None:
            number = pwd.getpwnam(user).pw_uid
            for path in (root, *root.rglob("*")):
                os.chown(path, number, number)
        command = [sys.executable, "-m", "imagelane", "run", *options, str(self.project.pipeline)]
        return subprocess.run(
            command if user is None else [*as_user(user, NEEDED), *command],
            cwd=self.project.folder,
            env={**os.environ, "PYTHONPATH": str(SRC), "NO_COLOR": "1", "HOME": str(root)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def outcomes(self) -> list[Mapping[str, Any]]:
        """What came of every attempt, for each image."""
        return [task.facts for task in self.project.tasks() if task.stage == "captive"]


@pytest.fixture
def place(paint: Paint) -> Iterator[Place]:
    # Not below pytest's own folder, which only its owner may enter.
    with tempfile.TemporaryDirectory() as root, ExitStack() as stack:
        Path(root).chmod(0o755)
        yield Place(Path(root), paint, stack)


def test_a_captured_decoder_gets_nowhere_and_the_run_goes_on(
    layers: Mapping[str, str], place: Place, user: str | None
) -> None:
    done = place.run("--sandbox", "require", user=user)
    assert done.returncode == 0, done.stderr
    outcomes = place.outcomes()
    assert len(outcomes) == 2
    for found in outcomes:
        assert {name: said for name, said in found.items() if said not in REFUSED} == {}
        assert len(found) > len(OPEN_WITHOUT)
    root = place.project.folder.parent
    assert (root / "secret").read_text() == (root / "victim").read_text() == "secret"
    assert not place.elsewhere.exists()
    assert len(place.project.manifest("quay")["images"]) == 2
    started = next(event for event in place.project.events() if isinstance(event, e.RunStarted))
    assert set(started.options["layers"]) >= REQUIRED
    assert started.options["lacking"] == {name: lack for name, lack in layers.items() if lack}


def test_what_holds_it_is_the_sandbox_and_nothing_else(
    layers: Mapping[str, str], place: Place, user: str | None
) -> None:
    place.run("--sandbox", "off", "--workers", "1", user=user)
    first, *_ = place.outcomes()
    assert {name for name, said in first.items() if said.startswith("ESCAPED")} >= OPEN_WITHOUT
    started = next(event for event in place.project.events() if isinstance(event, e.RunStarted))
    assert started.options["layers"] == []
    assert set(started.options["lacking"]) == set(LAYERS)


def test_a_stage_that_says_so_is_not_shut_in_and_the_others_are(
    layers: Mapping[str, str], place: Place
) -> None:
    text = place.project.pipeline.read_text()
    again = "  captive:\n    sandbox: off\n"
    place.project.pipeline.write_text(text.replace("  captive:\n", again, 1))
    place.run("--sandbox", "require", "--workers", "1")
    first, *_ = place.outcomes()
    assert first["read the users"].startswith("ESCAPED")
    workers = {str(task.stage): task.worker for task in place.project.tasks()}
    assert workers["captive"] not in {workers["validate"], workers["thumbnails"]}


def test_a_function_that_is_refused_something_is_told_what_to_say(
    layers: Mapping[str, str], place: Place
) -> None:
    (place.project.folder / "captive.py").write_text(
        "from imagelane import Picture\n\n"
        "def attempt(picture: Picture, *, told: str) -> dict:\n"
        "    return {'users': open('/etc/passwd').read()}\n"
    )
    place.run()
    failures = [event for event in place.project.events() if isinstance(event, e.TaskFailed)]
    assert len(failures) == 2
    assert failures[0].error == "bug"
    assert "/etc/passwd" in failures[0].message
    assert "sandbox: off" in failures[0].message
