"""Runs without some guarantees, for measuring: what is left out is really not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.photographs import ROOT, make_tiny
from benchmarks.without.switches import GUARANTEES

PIPELINE = """\
pipeline: without
images: {from: photos/, group: folder}
stages:
  validate:
  thumbnails: {with: {widths: [4]}}
  store: {with: {to: public/}}
  publish: {scope: group}
"""
DAMAGE = """\
import sys, tempfile
from pathlib import Path
from benchmarks.without import switches
from imagelane.execute.shelf import Shelf

def damage(point):
    if point == "shelf: written":
        for path in scratch.iterdir():
            path.chmod(0o600)
            path.write_bytes(b"other")

root, scratch = Path(sys.argv[1], "store"), Path(sys.argv[1], "scratch")
root.mkdir(), scratch.mkdir()
if sys.argv[2] == "unread":
    switches.leave_out_read_back()
Shelf(str(root), str(scratch), fault=damage).put("a", "jpeg", b"what was meant")
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}


def run_without(folder: Path, *guarantees: str) -> None:
    (folder / "pipeline.yaml").write_text(PIPELINE)
    make_tiny(folder / "photos", 4)
    command = [sys.executable, "-m", "benchmarks.without", str(folder / "pipeline.yaml")]
    subprocess.run([*command, *guarantees], env=environment(), check=True)


@pytest.mark.parametrize("guarantees", [(), *((one,) for one in GUARANTEES), GUARANTEES])
def test_a_run_comes_to_the_same_gallery(tmp_path: Path, guarantees: tuple[str, ...]) -> None:
    run_without(tmp_path, *guarantees)
    assert len(list((tmp_path / "public" / "group-0001").glob("*-4.*"))) == 4
    kept = (tmp_path / ".imagelane" / "journal.db").exists()
    assert kept is ("journal" not in guarantees)


def test_what_is_not_read_back_may_be_damaged(tmp_path: Path) -> None:
    """The same damage is noticed where it is read back."""
    for name, code in (("unread", 0), ("read", 1)):
        (tmp_path / name).mkdir()
        done = subprocess.run(
            [sys.executable, "-c", DAMAGE, str(tmp_path / name), name],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
    assert "gave back other bytes" in done.stderr
