from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.cli import commands
from imagelane.cli.failures import ENVIRONMENT, _code
from imagelane.config import SandboxError, sandbox_holes, sandbox_layers
from imagelane.execute.sandbox import landlock
from imagelane.execute.sandbox.terms import LAYERS
from imagelane.model.events import RunStarted
from imagelane.model.policy import Sandbox
from tests.conftest import Paint

GALLERY = """\
pipeline: gallery
images: {from: photos/}
stages:
  validate:
  thumbnails: {with: {widths: [32]}}
  store: {with: {to: public/}}
  publish: {scope: group}
"""


@pytest.fixture
def old_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: 1)


@pytest.mark.usefixtures("old_kernel")
def test_what_is_lacking_is_said_and_the_rest_is_used() -> None:
    found = sandbox_layers(Sandbox.AUTO)
    assert [layer for layer in LAYERS if "ABI 1" in found[layer]] == ["files", "tcp", "signals"]
    # What TCP and signals lack there, seccomp holds as well.
    assert [hole.partition(" ")[0] for hole in sandbox_holes()] == ["files"]


@pytest.mark.usefixtures("old_kernel")
def test_what_is_required_and_lacking_is_an_error_that_says_why() -> None:
    with pytest.raises(SandboxError, match=r"lacks files \(Landlock ABI 1.*doctor.*--sandbox auto"):
        sandbox_layers(Sandbox.REQUIRE)


def test_a_process_without_workers_has_no_sandbox() -> None:
    assert all(sandbox_layers(Sandbox.AUTO, workers=False).values())
    with pytest.raises(SandboxError, match="--inline"):
        sandbox_layers(Sandbox.REQUIRE, workers=False)
    assert set(sandbox_layers(Sandbox.OFF).values()) == {"turned off"}


@pytest.mark.usefixtures("old_kernel")
def test_a_run_says_what_is_lacking_or_does_not_begin(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "photos" / "boat.jpg", (64, 48))
    file = tmp_path / "gallery.yaml"
    file.write_text(GALLERY)
    done = CliRunner().invoke(commands, ["run", str(file), "--sandbox", "require"])
    assert isinstance(done.exception, SandboxError)
    assert _code(done.exception) == ENVIRONMENT
    done = CliRunner().invoke(commands, ["run", str(file), "--quiet"])
    assert done.exit_code == 0, done.output
    assert "decoders are not wholly shut in, for lack of files (Landlock ABI 1" in done.output
    assert (tmp_path / "public" / "photos" / "boat-32.jpg").exists()
    journal = SqliteJournal(tmp_path / ".imagelane" / "journal.db", create=False)
    started = next(iter(journal.events(journal.runs()[0].run))).event
    journal.close()
    assert isinstance(started, RunStarted)
    assert started.options["lacking"].keys() == {"files", "tcp", "signals"}
    assert "files" not in started.options["layers"]
    done = CliRunner().invoke(commands, ["run", str(file), "--quiet", "--sandbox", "off"])
    assert "shut in" not in done.output
