"""`status`, `show` and `report` over a workspace with a made-up run in it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from imagelane.cli import commands
from imagelane.cli.failures import ENVIRONMENT, WRONG, CommandError
from imagelane.model.codec import to_json
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.spec import ImagesSpec, PipelineSpec, StageSpec, StageTraits
from imagelane.model.states import ErrorClass
from imagelane.ports.journal import RunNotFoundError
from tests.unit.report.made_up import HOSTILE, RUN, WALL, MadeUp, Recipe

RECIPE = Recipe(
    {"harbour": 4, "market day": 3},
    failing={
        Subject(2, 2): ("validate", ErrorClass.INVALID, "the file ends after 81,920 bytes", 1)
    },
    names={Subject(1, 2): HOSTILE},
)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from imagelane.adapters.journals.sqlite import SqliteJournal

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ".imagelane"
    folder.mkdir()
    store = StageSpec(StageName("store"), "store", StageTraits(), parameters={"to": "public/"})
    spec = PipelineSpec(
        "news-gallery", ImagesSpec("photos/"), (store,), str(tmp_path), file="gallery.yaml"
    )
    journal = SqliteJournal(folder / "journal.db", clock=lambda: WALL)
    claimed = journal.create(RUN, {"spec": to_json(spec)}, "tests")
    journal.append(claimed, MadeUp(RECIPE).events())
    journal.close()
    return folder


def call(*arguments: str) -> Result:
    return CliRunner().invoke(commands, arguments)


@pytest.mark.usefixtures("workspace")
def test_status_of_the_newest_run() -> None:
    done = call("status")
    assert done.exit_code == 0
    assert "6 of 7 images are live in 2 galleries." in done.output
    assert "imagelane show 2.2" in done.output
    assert "\x1b" not in done.output


@pytest.mark.usefixtures("workspace")
def test_whoever_reads_may_leave_early() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    main = "from imagelane.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", main, "status", "--json"]
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.usefixtures("workspace")
def test_status_as_json() -> None:
    data = json.loads(call("status", "k3f9", "--json").output)
    assert sum(data["images"].values()) == data["received"] == 7


@pytest.mark.usefixtures("workspace")
def test_runs_of_a_workspace() -> None:
    assert RUN in call("status", "--runs").output
    assert json.loads(call("status", "--runs", "--json").output)[0]["run"] == RUN


def test_a_run_whose_process_is_gone_is_interrupted(workspace: Path) -> None:
    from imagelane.adapters.journals.sqlite import SqliteJournal

    journal = SqliteJournal(workspace / "journal.db", clock=lambda: WALL + 60)
    claimed = journal.create(RunId("20261124-000000-dead"), {"spec": {}}, "gone:1:x-1")
    journal.append(claimed, MadeUp(Recipe({"a": 2}, finish=False)).events()[:5])
    journal.close()
    done = call("status")
    assert "interrupted" in done.output
    assert "`imagelane run PIPELINE` takes it up" in done.output


@pytest.mark.usefixtures("workspace")
def test_a_large_run_is_shown_at_a_glance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagelane.cli.status.AT_A_GLANCE", 5)
    glance, whole = call("status").output, call("status", "--all").output
    assert "--all reads every event" in glance
    assert "watermark" not in glance
    assert "watermark" in whole
    assert (
        glance.split("Images")[1].split("Groups")[0] == whole.split("Images")[1].split("Groups")[0]
    )
    assert json.loads(call("status", "--json").output)["stages"]


def test_nothing_was_run_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["status"], ["show", "1.1"], ["report"]):
        done = call(*command)
        assert isinstance(done.exception, RunNotFoundError)
        assert "nothing was run here yet" in str(done.exception)
    assert list(tmp_path.iterdir()) == [], "looking leaves nothing behind"


@pytest.mark.usefixtures("workspace")
def test_a_run_that_is_not_there() -> None:
    done = call("status", "nope")
    assert isinstance(done.exception, CommandError)
    assert done.exception.code == WRONG
    assert RUN in str(done.exception)


def test_the_folder_that_holds_a_workspace_will_do(workspace: Path) -> None:
    assert call("status", "--workspace", str(workspace.parent)).exit_code == 0


@pytest.mark.usefixtures("workspace")
def test_show_an_image_by_name() -> None:
    done = call("show", "IMG_2002")
    assert done.exit_code == 0
    assert "validate      failed" in done.output
    assert "the file ends after 81,920 bytes" in done.output


@pytest.mark.usefixtures("workspace")
def test_show_tells_hostile_text_without_obeying_it() -> None:
    done = call("show", "1.2")
    assert done.exit_code == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.output)


@pytest.mark.usefixtures("workspace")
def test_show_lists_what_a_pattern_matches() -> None:
    done = call("show", "IMG_2*")
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.output.splitlines()[1:4]] == ["2.1", "2.2", "2.3"]


def test_show_asks_back_where_a_name_is_not_clear(workspace: Path) -> None:
    from imagelane.adapters.journals.sqlite import SqliteJournal

    journal = SqliteJournal(workspace / "journal.db", clock=lambda: WALL + 60)
    claimed = journal.create(RunId("20261124-000000-twin"), {}, "tests")
    twins = {Subject(1, 1): "same.jpg", Subject(2, 1): "same.jpg"}
    journal.append(claimed, MadeUp(Recipe({"a": 1, "b": 1}, names=twins)).events())
    journal.close()
    done = call("show", "same.jpg", "--run", "twin")
    assert done.exit_code == WRONG
    assert "same.jpg can be any of 2:" in done.output
    matches = json.loads(call("show", "same.jpg", "--run", "twin", "--json").output)
    assert [one["subject"] for one in matches["matches"]] == ["1.1", "2.1"]


def test_show_names_the_published_files(workspace: Path) -> None:
    """As the publishing room lays them out: a version's manifest under its digest."""
    from imagelane.adapters.journals.sqlite import SqliteJournal
    from imagelane.model import events as e
    from imagelane.model.states import GroupState

    journal = SqliteJournal(workspace / "journal.db")
    recorded = list(journal.events(RUN, subject=Subject(1, 1)))
    made = next(
        one.event.renditions
        for one in recorded
        if isinstance(one.event, e.TaskSucceeded) and one.event.renditions
    )
    manifest = json.dumps(
        {
            "images": [
                {
                    "name": "IMG_1001.jpg",
                    "renditions": [{"digest": made[0].digest, "file": "IMG_1001-160.jpg"}],
                }
            ]
        }
    ).encode()
    digest = hashlib.sha256(manifest).hexdigest()
    claimed = journal.claim(RUN, "tests")
    published = e.TaskSucceeded(
        Subject(1), StageName("publish"), 1, (), {"slug": "harbour"}, None, "c", 0.0, 0.0
    )
    settled = e.GroupSettled(Subject(1), GroupState.PUBLISHED, manifest=digest)  # type: ignore[arg-type]
    journal.append(claimed, [(WALL + 50, published), (WALL + 51, settled)])
    journal.close()
    version = workspace.parent / "public" / ".versions" / "harbour" / digest[:16]
    version.mkdir(parents=True)
    (version / "manifest.json").write_bytes(manifest)
    assert "public/harbour/IMG_1001-160.jpg" in call("show", "1.1").output
    data = json.loads(call("show", "1.1", "--json").output)
    files = [r.get("published") for entry in data["entries"] for r in entry["renditions"]]
    assert files == ["public/harbour/IMG_1001-160.jpg", None, None]
    (version / "manifest.json").write_bytes(b"{}")
    assert "IMG_1001-160.jpg" not in call("show", "1.1").output


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("what", ["harbor", "9.9", ""])
def test_show_of_what_is_not_there(what: str) -> None:
    done = call("show", what)
    assert isinstance(done.exception, CommandError)
    assert done.exception.code == WRONG


def test_report_is_written_beside_the_run(workspace: Path) -> None:
    done = call("report")
    assert done.exit_code == 0
    file = workspace / "runs" / RUN / "report.html"
    name, size = done.output.split("  ")
    assert name == f".imagelane/runs/{RUN}/report.html"
    assert file.stat().st_size > 20_000
    assert float(size.split()[0]) * 1000 == pytest.approx(file.stat().st_size, rel=0.01)
    page = file.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<code>public</code>" in page
    assert list(file.parent.iterdir()) == [file], "nothing half-written is left"


@pytest.mark.usefixtures("workspace")
def test_report_goes_where_it_is_asked_to(tmp_path: Path) -> None:
    (tmp_path / "out.html").write_text("old")
    assert call("report", "--out", "out.html", "--no-pictures").exit_code == 0
    assert (tmp_path / "out.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.usefixtures("workspace")
def test_report_that_cannot_be_written(tmp_path: Path) -> None:
    done = call("report", "--out", str(tmp_path / "no" / "such" / "out.html"))
    assert isinstance(done.exception, CommandError)
    assert done.exception.code == ENVIRONMENT
    assert "--out FILE" in str(done.exception)
