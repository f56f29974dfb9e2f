"""What `imagelane gc` removes, and what it must leave."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import SRC, Imagelane, Paint
from tests.integration.conftest import NewProject, Project

PIPELINE = """\
pipeline: kept
images: {from: photos/, group: folder}
stages:
  validate:
  slow:
    needs: [validate]
    uses: own:slow
  thumbnails:
    needs: [slow]
    with: {widths: [60, 120]}
  store:
    needs: [thumbnails]
    with: {to: public/}
  publish:
    scope: group
    needs: [store]
"""
OWN = """\
import time
from pathlib import Path

from imagelane import Picture, stage


@stage(sandbox=False)
def slow(picture: Picture) -> Picture:
    while Path("wait.txt").exists():
        time.sleep(0.05)
    return picture
"""


@pytest.fixture
def kept(project: NewProject, paint: Paint, imagelane: Imagelane) -> Project:
    def pictures(folder: Path) -> None:
        paint(folder / "harbour" / "quay.jpg", (300, 200))

    made = project(PIPELINE, pictures=pictures)
    (made.folder / "own.py").write_text(OWN)
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    return made


def stored(made: Project) -> set[str]:
    store = made.folder / ".imagelane" / "artifacts"
    return {
        f"{path.parent.name}{path.name}"
        for path in store.glob("??/*")
        if path.parent.name not in {".tmp", "quarantine"}
    }


def named(made: Project, *, raw: bool) -> set[str]:
    return {
        one.digest for task in made.tasks() for one in task.renditions if raw or one.format != "raw"
    }


def stray(made: Project, digest: str = "ab" * 32) -> Path:
    path = made.folder / ".imagelane" / "artifacts" / digest[:2] / digest[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"nobody's")
    return path


def test_what_a_run_names_stays_and_what_none_names_goes(
    kept: Project, imagelane: Imagelane
) -> None:
    path = stray(kept)
    live = kept.published()
    assert stored(kept) == named(kept, raw=True) | {"ab" * 32}
    assert len(named(kept, raw=True)) == 3, "the picture went from an unbound worker to another"
    told = imagelane("gc", "--dry-run", "--older-than", "0s", cwd=kept.folder)
    assert "ab/" + "ab" * 31 in told.stdout
    assert "2 things would be removed" in told.stdout
    assert path.exists()
    imagelane("gc", "--older-than", "0s", cwd=kept.folder)
    assert stored(kept) == named(kept, raw=False)
    assert kept.published() == live
    imagelane("run", "gallery.yaml", "--new", "--quiet", cwd=kept.folder)
    assert kept.published() == live


def test_what_is_young_stays(kept: Project, imagelane: Imagelane) -> None:
    path = stray(kept)
    told = imagelane("gc", cwd=kept.folder)
    assert "nothing to remove" in told.stdout
    assert path.exists()
    wrong = imagelane("gc", "--older-than", "soon", cwd=kept.folder, code=2)
    assert "expected a time such as 12h" in wrong.stderr


def test_folders_of_runs_that_never_began_go(kept: Project, imagelane: Imagelane) -> None:
    lost = kept.folder / ".imagelane" / "runs" / "20200101-000000-dead"
    lost.mkdir()
    (lost / "source.db").write_bytes(b"x")
    imagelane("gc", "--older-than", "0s", cwd=kept.folder)
    assert not lost.exists()
    assert (kept.folder / ".imagelane" / "runs" / kept.runs()[0].run / "source.db").exists()


def test_nothing_is_removed_while_a_run_is_executed(kept: Project, imagelane: Imagelane) -> None:
    path = stray(kept)
    wait = kept.folder / "wait.txt"
    wait.touch()
    running = subprocess.Popen(
        [sys.executable, "-m", "imagelane", "run", "gallery.yaml", "--fresh", "--quiet"],
        cwd=kept.folder,
        env={**os.environ, "PYTHONPATH": str(SRC)},
        stdin=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            if len(kept.runs()) == 2 and kept.runs()[0].plan:
                break
            time.sleep(0.1)
        told = imagelane("gc", "--older-than", "0s", cwd=kept.folder, code=None)
        assert told.returncode != 0
        assert "is being executed" in told.stderr
        assert path.exists()
    finally:
        wait.unlink()
        running.wait(timeout=120)
    assert running.returncode == 0
