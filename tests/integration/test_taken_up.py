"""What failed is taken up again, by the commands that a person would type: only the unfinished part
is done, and what goes live in the end is what would have gone live at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelane.model import events as e
from imagelane.model.states import RunStatus
from imagelane.ports.journal import JournalError
from tests.conftest import SRC, Imagelane
from tests.integration.conftest import NewProject, Project

FLAKY = '''
from pathlib import Path

from imagelane import Picture, stage


@stage
def flaky(picture: Picture) -> Picture:
    """Fails on pictures of the widths that the file says."""
    widths = Path("fails.txt").read_text().split()
    if str(picture.width) in widths:
        raise RuntimeError(f"it is {picture.width} wide")
    return picture


@stage(waits=True)
def slow(picture: Picture) -> dict[str, str]:
    """Waits until it may go on."""
    import time

    while not Path("go.txt").exists():
        time.sleep(0.01)
    return {"slow": "yes"}
'''

PIPELINE = """\
pipeline: flaky
images: {from: photos/, group: folder}
stages:
  validate:
  flaky:
    needs: [validate]
    uses: flaky:flaky
    sandbox: off
    on_failure: %s
  thumbnails:
    needs: [flaky]
    with: {widths: [60]}
  small:
    needs: [validate]
    uses: thumbnails
    with: {widths: [30]}
  store:
    needs: [small]
    with: {to: public/}
  store-more:
    needs: [thumbnails]
    uses: store
    with: {to: public/}
  publish:
    scope: group
    needs: [store, store-more]
    with: {to: public/}
"""


@pytest.fixture
def broken(project: NewProject) -> Project:
    """A project in which two of four pictures of one gallery of three fail."""
    made = project(PIPELINE % "partial")
    prepare(made)
    return made


def prepare(made: Project) -> None:
    (made.folder / "flaky.py").write_text(FLAKY, encoding="utf-8")
    fails(made, 400, 430)


def fails(made: Project, *widths: int) -> None:
    """From now on pictures of these widths fail."""
    (made.folder / "fails.txt").write_text(" ".join(map(str, widths)), encoding="utf-8")


def policy(made: Project, word: str) -> None:
    made.pipeline.write_text(PIPELINE % word, encoding="utf-8")


def whole(project: NewProject, imagelane: Imagelane) -> dict[str, str]:
    """What is published where nothing fails."""
    made = project(PIPELINE % "partial")
    prepare(made)
    fails(made)
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    return made.published()


def executed(made: Project) -> Counter[tuple[str, str]]:
    """How often each stage succeeded on each subject."""
    return Counter((str(task.subject), task.stage) for task in made.tasks())


def states(made: Project, imagelane: Imagelane) -> dict[str, int]:
    """Images by state, which add up to what was received."""
    found = json.loads(imagelane("status", "--json", cwd=made.folder).stdout)
    counts: dict[str, int] = found["images"]
    counts.pop("received", None)
    assert sum(counts.values()) == found["received"] == 9
    return {state: count for state, count in counts.items() if count}


def test_a_partial_gallery_is_completed_and_is_what_it_would_have_been(
    broken: Project, project: NewProject, imagelane: Imagelane
) -> None:
    imagelane("run", "gallery.yaml", "--quiet", cwd=broken.folder, code=1)
    assert states(broken, imagelane) == {"published": 7, "partial": 2}
    assert len(broken.manifest("harbour")["images"]) == 4
    assert broken.manifest("harbour")["images"][0]["missing"], "the gap is marked"

    letters = imagelane("dead-letters", "--json", cwd=broken.folder).stdout.splitlines()
    assert [(one["subject"], one["stage"], one["error"]) for one in map(json.loads, letters)] == [
        ("1.1", "flaky", "bug"),
        ("1.4", "flaky", "bug"),
    ]
    before = executed(broken)
    fails(broken)
    imagelane("regenerate", "harbour", "--quiet", cwd=broken.folder)

    assert broken.published() == whole(project, imagelane)
    assert states(broken, imagelane) == {"published": 9}
    again = executed(broken) - before
    assert set(again.values()) == {1}
    assert {stage for _, stage in again} == {"flaky", "thumbnails", "store-more", "publish"}
    assert {subject for subject, _ in again} == {"1.1", "1.4", "1"}, "only the unfinished part"
    assert imagelane("dead-letters", cwd=broken.folder).stdout.startswith("no dead letters")


def test_only_those_letters_that_are_meant_go_round_again(
    broken: Project, imagelane: Imagelane
) -> None:
    imagelane("run", "gallery.yaml", "--quiet", cwd=broken.folder, code=1)
    fails(broken)
    asked = ("redrive", "--image", "03.jpg", "--reason", "the service is back")
    dry = imagelane(*asked, "--dry-run", cwd=broken.folder)
    assert dry.stdout.splitlines() == ["1.4", "1 would go round again"]
    assert imagelane("redrive", "--error", "timeout", "--dry-run", cwd=broken.folder).stdout == (
        "nothing would go round again\n"
    )
    imagelane(*asked, "--quiet", cwd=broken.folder, code=1)
    assert states(broken, imagelane) == {"published": 8, "partial": 1}
    told = imagelane("show", "1.4", cwd=broken.folder).stdout
    assert "redrive by" in told
    assert "the service is back" in told


def test_a_redrive_that_fails_again_loses_nothing(broken: Project, imagelane: Imagelane) -> None:
    imagelane("run", "gallery.yaml", "--quiet", cwd=broken.folder, code=1)
    before = broken.published()
    imagelane("redrive", "--quiet", cwd=broken.folder, code=1)
    assert broken.published() == before
    letters = imagelane("dead-letters", "--json", cwd=broken.folder).stdout.splitlines()
    assert len(letters) == 2


def test_a_skipped_image_joins_its_gallery_later(
    broken: Project, project: NewProject, imagelane: Imagelane
) -> None:
    policy(broken, "skip")
    imagelane("run", "gallery.yaml", "--quiet", cwd=broken.folder, code=1)
    assert states(broken, imagelane) == {"published": 7, "skipped": 2}
    assert len(broken.manifest("harbour")["images"]) == 2
    fails(broken)
    imagelane("redrive", "--quiet", cwd=broken.folder)
    assert broken.published() == whole(project, imagelane)


def test_an_aborted_gallery_goes_live_once_its_dead_do(
    broken: Project, project: NewProject, imagelane: Imagelane
) -> None:
    policy(broken, "abort")
    imagelane("run", "gallery.yaml", "--quiet", cwd=broken.folder, code=1)
    assert not (broken.public / "harbour").exists()
    fails(broken, 430)
    imagelane("redrive", "--image", "1.1", "--quiet", cwd=broken.folder, code=1)
    assert not (broken.public / "harbour").exists(), "another one of it fails still"
    fails(broken)
    imagelane("redrive", "--quiet", cwd=broken.folder)
    assert broken.published() == whole(project, imagelane)
    assert states(broken, imagelane) == {"published": 9}


def test_an_aborted_gallery_goes_live_without_its_dead_if_somebody_says_so(
    broken: Project, imagelane: Imagelane
) -> None:
    policy(broken, "abort")
    imagelane("run", "gallery.yaml", "--quiet", cwd=broken.folder, code=1)
    imagelane("resolve", "0[03].jpg", "skip", "--reason", "not needed", cwd=broken.folder)
    assert broken.runs()[0].status is RunStatus.PAUSED, "a decision waits to be carried out"
    imagelane("resume", "--quiet", cwd=broken.folder, code=1)
    assert states(broken, imagelane) == {"published": 7, "skipped": 2}
    assert [one["name"] for one in broken.manifest("harbour")["images"]] == ["01.jpg", "02.jpg"]


def test_a_halted_run_waits_for_a_decision_and_goes_on_with_it(
    broken: Project, project: NewProject, imagelane: Imagelane
) -> None:
    policy(broken, "halt")
    run = ("run", "gallery.yaml", "--quiet", "--model", "sequential")
    imagelane(*run, cwd=broken.folder, code=3)
    assert broken.runs()[0].status is RunStatus.HALTED
    assert broken.published() == {}
    fails(broken)
    imagelane("resolve", "held", "retry", "--reason", "fixed", cwd=broken.folder)
    imagelane("resume", "--quiet", cwd=broken.folder)
    assert broken.published() == whole(project, imagelane)
    reopened = [one for one in broken.events() if isinstance(one, e.ImageReopened)]
    assert [(one.decision, one.reason, bool(one.actor)) for one in reopened] == [
        ("retry", "fixed", True)
    ]


def test_what_cannot_be_decided_says_why(broken: Project, imagelane: Imagelane) -> None:
    imagelane("run", "gallery.yaml", "--quiet", cwd=broken.folder, code=1)

    def refused(*arguments: str) -> str:
        return imagelane(*arguments, cwd=broken.folder, code=2).stderr

    assert "1.2 is whole: expected one that is" in refused(
        "resolve", "1.2", "retry", "--reason", "x"
    )
    assert "expected one that is held" in refused("resolve", "1.1", "approve", "--reason", "x")
    assert "nothing is held" in refused("resolve", "held", "skip", "--reason", "x")
    assert "no image and no group" in refused("resolve", "nope.jpg", "skip", "--reason", "x")
    assert "Missing option '--reason'" in refused("resolve", "1.1", "retry")
    assert "nothing to resume" in refused("resume")
    assert "expected one that is being executed" in refused("pause")
    assert "nothing to cancel" in refused("cancel", "--reason", "x")
    assert not [one for one in broken.events() if isinstance(one, e.ImageReopened)]


def test_what_the_artifact_store_lost_is_made_again(broken: Project, imagelane: Imagelane) -> None:
    fails(broken)
    imagelane("run", "gallery.yaml", "--quiet", cwd=broken.folder)
    before = broken.published()
    lost, damaged = [
        rendition.digest
        for task in broken.tasks()
        if task.stage == "thumbnails" and str(task.subject) in {"1.1", "2.1"}
        for rendition in task.renditions
    ]
    artifacts = broken.folder / ".imagelane" / "artifacts"
    (artifacts / lost[:2] / lost[2:]).unlink()
    place = artifacts / damaged[:2] / damaged[2:]
    content = bytearray(place.read_bytes())
    content[100] ^= 1
    place.unlink()
    place.write_bytes(content)
    known = executed(broken)
    dry = imagelane("regenerate", "--stale", "--dry-run", cwd=broken.folder).stdout
    assert "2 would go round again" in dry
    imagelane("regenerate", "--quiet", cwd=broken.folder)
    assert broken.published() == before
    again = {subject for subject, stage in executed(broken) - known if stage == "thumbnails"}
    assert again == {"1.1", "2.1"}
    assert (
        imagelane("regenerate", "--dry-run", cwd=broken.folder).stdout
        == "nothing would go round again\n"
    )


def test_a_redrive_keeps_to_its_rate(broken: Project, imagelane: Imagelane) -> None:
    policy(broken, "skip")
    fails(broken, 400, 410, 420, 430, 200, 320, 300, 333)
    imagelane("run", "gallery.yaml", "--quiet", cwd=broken.folder, code=1)
    fails(broken)
    imagelane("redrive", "--rate", "8", "--quiet", cwd=broken.folder)
    assert states(broken, imagelane) == {"published": 9}
    reopened = [
        (recorded.at, recorded.event.subject.group)
        for recorded in broken.recorded()
        if isinstance(recorded.event, e.ImageReopened)
    ]
    groups = {group: at for at, group in reopened}
    images = Counter(group for _, group in reopened)
    # The next group is not taken up before its time has come, however fast the one before was.
    assert groups[2] - groups[1] >= images[1] / 8 - 0.05
    assert groups[3] - groups[2] >= images[2] / 8 - 0.05


SLOW = """\
pipeline: slow
images: {from: photos/, group: folder}
stages:
  validate:
  slow:
    needs: [validate]
    uses: flaky:slow
    workers: 2
  thumbnails:
    needs: [validate]
    with: {widths: [60]}
  store:
    needs: [thumbnails]
    with: {to: public/}
  publish:
    scope: group
    needs: [store, slow]
"""


@pytest.fixture
def slow(project: NewProject) -> Iterator[tuple[Project, subprocess.Popen[bytes]]]:
    """A run that waits for `go.txt`."""
    made = project(SLOW)
    prepare(made)
    process = subprocess.Popen(
        [sys.executable, "-m", "imagelane", "run", "gallery.yaml", "--quiet"],
        cwd=made.folder,
        env={**os.environ, "PYTHONPATH": str(SRC)},
        stdin=subprocess.DEVNULL,
    )
    try:
        while not (made.folder / ".imagelane" / "journal.db").exists() or not _begun(made):
            assert process.poll() is None
            time.sleep(0.02)
        yield made, process
    finally:
        process.kill()
        process.wait()


def _begun(made: Project) -> bool:
    try:
        return any(task.stage == "validate" for task in made.tasks())
    except (IndexError, JournalError):
        return False


def test_a_run_at_work_is_paused_and_resumed_from_elsewhere(
    slow: tuple[Project, subprocess.Popen[bytes]], imagelane: Imagelane
) -> None:
    made, process = slow
    told = imagelane("pause", "--wait", "0.5", "--reason", "lunch", cwd=made.folder, code=None)
    assert told.returncode in {0, 3}
    (made.folder / "go.txt").touch()
    assert process.wait(60) == 3
    row = made.runs()[0]
    assert row.status is RunStatus.PAUSED
    assert "lunch" in row.reason
    assert sum(task.stage == "slow" for task in made.tasks()) < 9, "nothing more was begun"
    imagelane("resume", "--quiet", cwd=made.folder)
    assert made.runs()[0].status is RunStatus.FINISHED
    assert set(executed(made).values()) == {1}


def test_a_cancelled_run_is_over_for_good(
    slow: tuple[Project, subprocess.Popen[bytes]], imagelane: Imagelane
) -> None:
    made, process = slow
    (made.folder / "go.txt").touch()
    imagelane("cancel", "--reason", "wrong folder", cwd=made.folder, code=None)
    process.wait(60)
    row = made.runs()[0]
    if row.status is not RunStatus.FINISHED:
        assert row.status is RunStatus.CANCELLED
        assert "wrong folder" in row.reason
        assert "was cancelled" in imagelane("resume", cwd=made.folder, code=2).stderr
        told = imagelane("resolve", "1.1", "skip", "--reason", "x", cwd=made.folder, code=2)
        assert "was cancelled" in told.stderr


def test_an_interrupted_run_can_be_cancelled(
    slow: tuple[Project, subprocess.Popen[bytes]], imagelane: Imagelane
) -> None:
    made, process = slow
    process.kill()
    process.wait()
    imagelane("cancel", "--reason", "never mind", cwd=made.folder)
    assert made.runs()[0].status is RunStatus.CANCELLED


def test_a_stage_is_reproduced_on_the_side(broken: Project, imagelane: Imagelane) -> None:
    imagelane("run", "gallery.yaml", "--quiet", cwd=broken.folder, code=1)
    letter = json.loads(
        imagelane("dead-letters", "--json", cwd=broken.folder).stdout.splitlines()[0]
    )
    command = letter["reproduce"].split()[1:]
    before, events = tree(broken.folder), len(broken.events())
    told = imagelane(*command, cwd=broken.folder, code=1)
    assert "it is 400 wide" in told.stdout
    fails(broken)
    assert "flaky  done in" in imagelane(*command, cwd=broken.folder).stdout
    assert len(broken.events()) == events, "nothing is recorded"
    after = tree(broken.folder)
    after["fails.txt"] = before["fails.txt"]
    assert after == before, "nothing is left behind"


def tree(folder: Path) -> dict[str, int]:
    """Files and their sizes, without what Python and SQLite keep beside them."""
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "journal.db-" not in path.name
    }
