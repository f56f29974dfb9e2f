"""Replays of whole runs through the command line, as a stage's author or an auditor would do it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import apsw
import pytest
from PIL import Image

from imagelane.model import events as e
from tests.conftest import SRC, Imagelane, Paint
from tests.integration.conftest import NewProject, Project

PIPELINE = """\
pipeline: own
images: {from: photos/, group: folder}
stages:
  validate:
  warm:
    needs: [validate]
    uses: own:warm
    with: {by: 10}
  crop:
    needs: [warm]
    with: {aspect: "1:1"}
  thumbnails:
    needs: [crop]
    with: {widths: [60, 120]}
  weigh:
    needs: [validate]
    uses: own:weigh
  count:
    needs: [validate]
    uses: command
    with: {run: [sh, -c, "echo once >> ran.txt; echo '{{\\"times\\": 1}}'"], facts: json}
  store:
    needs: [thumbnails, weigh, count]
    with: {to: public/}
  publish:
    scope: group
    needs: [store]
"""
OWN = """\
from imagelane import Picture, stage


@stage
def warm(picture: Picture, *, by: int = 10) -> Picture:
    more = (picture.array.astype(int) + by).clip(0, 255)
    return picture.with_array(more)


@stage
def weigh(picture: Picture) -> dict[str, float]:
    return {"weight": float(picture.array.mean())}
"""


@pytest.fixture
def own(project: NewProject, paint: Paint, imagelane: Imagelane) -> Project:
    """Run once: a pipeline with stages of the user's own, and a command."""

    def pictures(folder: Path) -> None:
        paint(folder / "harbour" / "quay.jpg", (300, 200), gps=True)
        paint(folder / "harbour" / "tide.png", (200, 200))

    made = project(PIPELINE, pictures=pictures)
    (made.folder / "own.py").write_text(OWN)
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    return made


@pytest.fixture(scope="module")
def gallery(project: NewProject, imagelane: Imagelane) -> Project:
    made = project()
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    return made


def edit(made: Project, old: str, new: str) -> None:
    text = (made.folder / "own.py").read_text()
    assert old in text
    (made.folder / "own.py").write_text(text.replace(old, new))


def verdict(told: subprocess.CompletedProcess[str]) -> str:
    return told.stdout.rpartition("\n\n")[2]


def test_every_image_replays_to_every_digest(gallery: Project, imagelane: Imagelane) -> None:
    events = gallery.events()
    subjects = [event.subject for event in events if isinstance(event, e.ImageReceived)]
    assert len(subjects) == 9
    for subject in subjects:
        told = imagelane("replay", str(subject), cwd=gallery.folder)
        recorded = sum(
            one.format != "raw"
            for event in events
            if isinstance(event, e.TaskSucceeded) and event.subject == subject
            for one in event.renditions
        )
        assert recorded >= 4
        assert "Everything is as recorded: 6 of 8 stages executed" in told.stdout
        assert f"{recorded} digests" in verdict(told)
    assert len(gallery.events()) == len(events), "nothing is recorded"


def test_nothing_acts_outside_and_nothing_stays(own: Project, imagelane: Imagelane) -> None:
    before = {path for path in own.folder.rglob("*") if "__pycache__" not in path.parts}
    told = imagelane("replay", "quay.jpg", cwd=own.folder)
    assert (own.folder / "ran.txt").read_text() == "once\n" * 2, "once an image, by the run alone"
    assert re.search(r"count +not executed: it may act on the world outside", told.stdout)
    after = {path for path in own.folder.rglob("*") if "__pycache__" not in path.parts}
    assert after == before


def test_an_edited_stage_is_named(own: Project, imagelane: Imagelane) -> None:
    edit(own, '"weight": float(', '"weight": 1 + float(')
    told = imagelane("replay", "quay.jpg", cwd=own.folder, code=1)
    assert "It first differs at weigh." in told.stdout
    assert re.search(r"fact weight is [\d.]+, recorded [\d.]+", told.stdout)
    assert re.search(
        r"stage weigh was edited: own:weigh has version 1-\w+, recorded 1-\w+", told.stdout
    )
    assert "thumbnails" in told.stdout
    assert told.stdout.count("DIFFERS") == 1


def test_an_edit_that_shows_only_further_down_is_named_too(
    own: Project, imagelane: Imagelane
) -> None:
    edit(own, "+ by)", "+ by + 7)")
    told = imagelane("replay", "quay.jpg", cwd=own.folder, code=1)
    assert "It first differs at thumbnails." in told.stdout
    assert "stage warm was edited" in told.stdout
    assert "stage crop was edited" not in told.stdout


def test_a_stage_that_is_never_the_same_is_told(own: Project, imagelane: Imagelane) -> None:
    edit(own, '"weight": float(', '"at": __import__("time").monotonic(), "weight": float(')
    told = imagelane("replay", "quay.jpg", cwd=own.folder, code=1)
    assert "weigh, executed twice with the same input, gives two results" in told.stdout


def test_a_touched_source_is_the_same_and_a_changed_one_is_blamed(
    own: Project, imagelane: Imagelane
) -> None:
    photo = own.folder / "photos" / "harbour" / "quay.jpg"
    os.utime(photo, (1, 1))
    imagelane("replay", "quay.jpg", cwd=own.folder)
    photo.write_bytes(photo.read_bytes() + b"x")
    told = imagelane("replay", "quay.jpg", cwd=own.folder, code=1)
    assert "It first differs at validate." in told.stdout
    assert "the source quay.jpg was changed" in told.stdout


def test_a_library_that_changed_is_named(own: Project, imagelane: Imagelane) -> None:
    edit(own, '"weight": float(', '"weight": 1 + float(')
    started = next(one for one in own.events() if isinstance(one, e.RunStarted))
    assert started.versions["pyvips"]
    database = apsw.Connection(str(own.folder / ".imagelane" / "journal.db"))
    versions = {**started.versions, "numpy": "1.0.0"}
    database.execute(
        "UPDATE events SET body = json_set(body, '$.versions', json(?)) WHERE type = 'run_started'",
        (json.dumps(versions),),
    )
    database.close()
    told = imagelane("replay", "quay.jpg", cwd=own.folder, code=1)
    assert f"numpy is {started.versions['numpy']}, recorded 1.0.0" in told.stdout


def test_an_image_that_failed_fails_the_same(
    project: NewProject, paint: Paint, imagelane: Imagelane
) -> None:
    def pictures(folder: Path) -> None:
        whole = paint(folder / "harbour" / "quay.jpg", (300, 200))
        (folder / "harbour" / "torn.jpg").write_bytes(whole.read_bytes()[:-2000])

    made = project(pictures=pictures)
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder, code=1)
    told = imagelane("replay", "torn.jpg", cwd=made.folder)
    assert "as recorded: it fails with invalid: the jpeg is damaged" in told.stdout


def test_up_to_a_stage(own: Project, imagelane: Imagelane) -> None:
    told = imagelane("replay", "quay.jpg", "--stage", "crop", cwd=own.folder)
    assert re.findall(r"^ +\d+ +(\w+)", told.stdout, re.MULTILINE) == ["validate", "warm", "crop"]
    refused = imagelane("replay", "quay.jpg", "--stage", "publish", cwd=own.folder, code=2)
    assert "no stage 'publish' of images" in refused.stderr


def test_step_prints_everything_where_nobody_can_answer(own: Project, imagelane: Imagelane) -> None:
    told = imagelane("replay", "quay.jpg", "--step", cwd=own.folder)
    assert "uses own:warm" in told.stdout
    assert re.search(r"with +by +10", told.stdout)
    assert re.search(r"made +120\.jpg", told.stdout)


def test_what_was_made_can_be_kept(own: Project, imagelane: Imagelane) -> None:
    imagelane("replay", "quay.jpg", "--out", "kept", cwd=own.folder)
    with Image.open(own.folder / "kept" / "02-warm" / "picture.png") as picture:
        assert picture.size == (300, 200)
        assert picture.getpixel((299, 199)) is not None
    step = json.loads((own.folder / "kept" / "05-weigh" / "step.json").read_text())
    assert step["facts"]["weight"] > 0
    live = (own.folder / "public" / "harbour" / "quay-120.jpg").read_bytes()
    assert (own.folder / "kept" / "04-thumbnails" / "120.jpg").read_bytes() == live
    refused = imagelane("replay", "quay.jpg", "--out", "kept", cwd=own.folder, code=2)
    assert "kept is not empty" in refused.stderr


class Page(HTMLParser):
    """What a page loads, and the pictures in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for name in ("src", "href"):
            value = values.get(name) or ""
            if tag == "img" and name == "src":
                self.pictures.append(value)
            if value and not value.startswith(("data:", "#")):
                self.loads.append(value)


def test_the_strip_shows_each_step_and_loads_nothing(own: Project, imagelane: Imagelane) -> None:
    told = imagelane("replay", "quay.jpg", "--html", cwd=own.folder)
    file = re.search(r"^(\S+replay-1\.1\.html)", told.stdout, re.MULTILINE)
    assert file
    text = (own.folder / file[1]).read_text(encoding="utf-8")
    page = Page(text)
    assert not page.loads
    # Before and after warm and crop, before thumbnails and its two files, before weigh.
    assert len(page.pictures) >= 8
    assert all(one.startswith("data:image/") for one in page.pictures)
    assert '<h2 id="step-2"><small>2</small> warm</h2>' in text


Debug = Callable[[str], str]


@pytest.fixture
def debug(own: Project) -> Debug:
    def typed(text: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "imagelane", "replay", "1.1", "--stage", "warm", "--debug"],
            cwd=own.folder,
            env={**os.environ, "PYTHONPATH": str(SRC), "NO_COLOR": "1"},
            input=text,
            capture_output=True,
            text=True,
            check=True,
            timeout=180,
        )
        return done.stdout

    return typed


def test_the_debugger_stops_where_the_function_begins(debug: Debug) -> None:
    told = debug("p by * 4\np picture\nc\n")
    assert "own.py" in told
    assert "-> more = (picture.array" in told
    assert "(Pdb) 40\n" in told
    assert "<Picture 300 x 200>" in told
    assert "Everything is as recorded" in told


def test_only_functions_of_ones_own_are_debugged(own: Project, imagelane: Imagelane) -> None:
    told = imagelane("replay", "1.1", "--stage", "crop", "--debug", cwd=own.folder, code=2)
    assert "crop is a built-in stage" in told.stderr
    told = imagelane("replay", "1.1", "--debug", cwd=own.folder, code=2)
    assert "say which with --stage" in told.stderr
