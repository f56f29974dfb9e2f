"""Artifacts are cut short, or one bit of them turns over: found, put aside, made again."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.aftermath import published
from tests.crash.conftest import STEADY, Bystander, failures
from tests.integration.conftest import Project

SPOIL = """\
import os, pathlib, sys
how, *stores = sys.argv[1:]
try:
    os.close(os.open("spoiled", os.O_CREAT | os.O_EXCL))
except FileExistsError:
    sys.exit()
inodes = set()
for store in stores:
    for file in sorted(pathlib.Path(store).glob("??/*")):
        content = bytearray(file.read_bytes())
        if how == "cut":
            del content[len(content) // 2:]
        elif how == "flipped":
            content[len(content) // 2] ^= 8
        os.chmod(file, 0o644)
        if how == "gone":
            file.unlink()
        elif file.stat().st_ino not in inodes:
            # Two stores may share a file, and a bit that is turned over twice is as it was.
            inodes.add(file.stat().st_ino)
            file.write_bytes(content)
"""
"""Once in a run: what lies in these stores by then is not what it was."""

ARTIFACTS, OBJECTS = ".imagelane/artifacts", "public/.objects"


def spoiling(how: str, needs: str, needed_by: str, *stores: str) -> str:
    """The steady pipeline with a stage between two others that spoils what is stored."""
    run = [sys.executable, "spoil.py", how, *stores]
    pipeline = STEADY.replace(
        "  store:", f"  spoil: {{needs: [{needs}], uses: command, with: {{run: {run}}}}}\n  store:"
    )
    before, _, after = pipeline.partition(f"  {needed_by}: {{")
    return before + f"  {needed_by}: {{" + after.replace("needs: [", "needs: [spoil, ", 1)


def spoiled(bystander: Bystander, pipeline: str) -> Project:
    project = bystander.project(pipeline=pipeline)
    (project.folder / "spoil.py").write_text(SPOIL, encoding="utf-8")
    return project


def put_aside(project: Project) -> list[Path]:
    found = [
        *(project.folder / ARTIFACTS / "quarantine").glob("*"),
        *(project.folder / OBJECTS / "quarantine").glob("*"),
    ]
    for path in found:
        digest = path.name.partition("-")[0]
        assert hashlib.sha256(path.read_bytes()).hexdigest() != digest, "it was not damaged"
    return found


def assert_healed(project: Project, expected: dict[str, str]) -> None:
    assert published(project.public) == expected
    assert failures(project) == [], "damage is no image's doing"
    done = Counter((task.stage, task.subject) for task in project.tasks())
    assert set(done.values()) == {1}, "what is made again is not recorded again"


@pytest.mark.parametrize("how", ["cut", "flipped", "gone"])
@pytest.mark.parametrize("needed_by", ["store", "contact-sheet"])
def test_damage_between_two_stages_is_made_good_in_the_same_run(
    bystander: Bystander, expected: dict[str, str], how: str, needed_by: str
) -> None:
    project = spoiled(bystander, spoiling(how, "thumbnails", needed_by, ARTIFACTS))
    bystander.start(project).ends(0)
    assert_healed(project, expected)
    assert bool(put_aside(project)) == (how != "gone")


@pytest.mark.parametrize("how", ["cut", "flipped", "gone"])
def test_damage_between_store_and_publish_never_gets_out(
    bystander: Bystander, expected: dict[str, str], how: str
) -> None:
    project = spoiled(bystander, spoiling(how, "store", "publish", OBJECTS, ARTIFACTS))
    bystander.start(project).ends(0)
    assert_healed(project, expected)
    assert bool(put_aside(project)) == (how != "gone")


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_damage_in_what_is_published_is_mended_by_the_next_run(
    bystander: Bystander, expected: dict[str, str], how: str
) -> None:
    project = bystander.project()
    assert bystander.whole(project) == expected
    victim = project.public / "harbour" / "1-80.jpg"
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 8
    victim.chmod(0o644)
    victim.write_bytes(content if how == "flipped" else content[:-7])
    assert published(project.public) != expected
    bystander.start(project, "--new").ends(0)
    assert_healed(project, expected)
    assert put_aside(project)


def test_what_comes_out_otherwise_when_made_again_is_lost_and_says_so(bystander: Bystander) -> None:
    """A command that never says the same twice: what it made cannot be made again."""
    every = spoiling("cut", "thumbnails, noise", "store", ARTIFACTS)
    run = "printf '%s' $(date +%N) > {output}"
    noise = f'  noise: {{needs: [validate], uses: command, with: {{run: "{run}", '
    pipeline = every.replace("  spoil:", f"{noise}shell: true, output: n.txt}}}}\n  spoil:")
    project = spoiled(bystander, pipeline.replace("needs: [spoil, ", "needs: [spoil, noise, "))
    said = bystander.start(project).ends(1)
    lost = failures(project)
    assert {failure.stage for failure in lost} == {"store"}
    assert len({failure.subject for failure in lost}) == 1
    assert "'n' is" in lost[-1].message
    assert "6 published" in said or "1 skipped" in said, said
