"""Versions of groups: listed, put back and brought forward again, while visitors look and others
publish; by the commands that a person would type."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from imagelane import wiring
from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.adapters.publishers.folder import FolderPublisher
from imagelane.adapters.publishers.room import Room
from imagelane.control import ControlError
from imagelane.model import events as e
from imagelane.model.ids import StageName
from imagelane.model.states import GroupState
from imagelane.ports.journal import Journal, StaleFenceError
from imagelane.ports.publisher import Version
from imagelane.publish.promote import go_live
from imagelane.publish.versions import version_of
from imagelane.versions.rollback import Rollback, Wish, rollback
from tests.conftest import SRC, Imagelane, Paint
from tests.integration.conftest import NewProject, Project
from tests.integration.readers import Readers

PIPELINE = """\
pipeline: news
images: {from: photos/, group: folder}
stages:
  validate:
  thumbnails:
    needs: [validate]
    with: {widths: [40, 60]}
  store:
    needs: [thumbnails]
    with: {to: public/}
  contact-sheet:
    scope: group
    needs: [thumbnails]
    with: {cell: 80}
  publish:
    scope: group
    needs: [store, contact-sheet]
  front:
    scope: run
    uses: publish
    needs: [publish]
    with: {to: public/}
"""


@pytest.fixture
def twice(project: NewProject, imagelane: Imagelane, paint: Paint) -> Project:
    """A project of two runs: in the second one the harbour has a fifth picture."""
    made = project(PIPELINE)
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    paint(made.folder / "photos" / "harbour" / "added.jpg", (500, 300))
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    return made


def listed(made: Project, imagelane: Imagelane, group: str = "harbour") -> list[dict[str, Any]]:
    """The versions of a group, by `imagelane history`, the newest first."""
    said = json.loads(imagelane("history", group, "--json", cwd=made.folder).stdout)
    versions: list[dict[str, Any]] = said["versions"]
    return versions


def names(made: Project, group: str = "harbour") -> list[str]:
    return [image["name"] for image in made.manifest(group)["images"]]


def in_the_database(made: Project, group: str = "harbour") -> list[str]:
    database = apsw.Connection(str(made.public / "galleries.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows = database.execute(
            "SELECT name FROM images WHERE gallery = ? ORDER BY position", (group,)
        )
        return [str(name) for (name,) in rows]
    finally:
        database.close()


@contextmanager
def journal_of(made: Project) -> Iterator[Journal]:
    journal = SqliteJournal(made.folder / ".imagelane" / "journal.db", create=False)
    try:
        yield journal
    finally:
        journal.close()


def put_back(
    made: Project, to: str | None = None, fault: Callable[[str], None] = lambda _: None
) -> Rollback:
    """The harbour, by the newest run, as the command does it."""
    with journal_of(made) as journal:
        row = journal.runs()[0]
        workspace = made.folder / ".imagelane"
        return rollback(journal, workspace, row, 1, Wish("why", "I", to), 30, fault)


def rollbacks(made: Project) -> list[e.GroupRolledBack]:
    return [event for event in made.events() if isinstance(event, e.GroupRolledBack)]


def group_state(made: Project) -> GroupState:
    with journal_of(made) as journal:
        return next(journal.groups(journal.runs()[0].run)).state


def test_history_tells_versions_with_runs_images_and_which_is_live(
    twice: Project, imagelane: Imagelane
) -> None:
    second, first = listed(twice, imagelane)
    newer, older = (row.run for row in twice.runs())
    assert (first["number"], first["run"], first["images"], first["live"]) == (1, older, 4, False)
    assert (second["number"], second["run"], second["images"], second["live"]) == (
        2,
        newer,
        5,
        True,
    )
    assert first["at"] < second["at"]
    assert [one["why"] for one in (first, second)] == ["published", "published"]
    text = imagelane("history", "harbour", cwd=twice.folder).stdout
    assert f"*         2  {second['digest'][:16]}" in text


def test_earlier_version_is_put_back_with_rows_and_list_and_later_one_again(
    twice: Project, imagelane: Imagelane
) -> None:
    before = twice.published()
    imagelane("rollback", "harbour", "--reason", "blurred", cwd=twice.folder)
    assert names(twice) == ["00.jpg", "01.jpg", "02.jpg", "03.jpg"] == in_the_database(twice)
    front = json.loads((twice.public / "index.json").read_bytes())["galleries"]
    assert [(one["slug"], one["images"]) for one in front] == [
        ("harbour", 4),
        ("market", 3),
        ("tower", 2),
    ]
    assert group_state(twice) is GroupState.ROLLED_BACK
    live, _ = sorted(listed(twice, imagelane), key=lambda one: not one["live"])
    assert (live["number"], "blurred" in live["why"]) == (1, True)

    imagelane("rollback", "harbour", "--to", "2", cwd=twice.folder)
    assert twice.published() == before
    assert group_state(twice) is GroupState.PUBLISHED
    assert [one.state for one in rollbacks(twice)] == [
        GroupState.ROLLED_BACK,
        GroupState.PUBLISHED,
    ]
    assert "Nothing was changed" in imagelane("audit", "verify", cwd=twice.folder, code=1).stdout


def test_saying_it_again_changes_nothing(twice: Project, imagelane: Imagelane) -> None:
    imagelane("rollback", "harbour", cwd=twice.folder)
    seen, events = twice.published(), len(twice.events())
    for arguments in ([], ["--to", "1"], ["--to", listed(twice, imagelane)[1]["digest"][:8]]):
        said = imagelane("rollback", "harbour", *arguments, cwd=twice.folder).stdout
        assert "showed already" in said
    assert (twice.published(), len(twice.events())) == (seen, events)


def test_whole_run_is_undone_where_it_had_put_something_in_the_place_of_another(
    twice: Project, imagelane: Imagelane
) -> None:
    newest = twice.runs()[0].run
    done = imagelane("rollback", newest, cwd=twice.folder, code=1)
    assert names(twice) == ["00.jpg", "01.jpg", "02.jpg", "03.jpg"]
    # The two others are as they were before the run, so no other version of them is kept.
    assert "1 rolled back, 2 left as they are" in done.stdout
    assert "has no earlier version" in done.stderr


def test_version_of_a_later_run_is_not_undone_with_an_earlier_one(
    twice: Project, imagelane: Imagelane
) -> None:
    before = twice.published()
    first = twice.runs()[1].run
    done = imagelane("rollback", first, cwd=twice.folder, code=1)
    assert "harbour: left as it is, something else was published since" in done.stderr
    assert twice.published() == before


def test_what_a_version_lacks_is_said_and_nothing_is_changed(
    twice: Project, imagelane: Imagelane
) -> None:
    before, events = twice.published(), len(twice.events())
    _, first = listed(twice, imagelane)
    version = twice.public / ".versions" / "harbour" / first["digest"][:16]
    sheet = json.loads((version / "manifest.json").read_bytes())["contact_sheet"]
    stored = [
        path
        for path in [*twice.public.rglob("*"), *(twice.folder / ".imagelane").rglob("*")]
        if path.is_file() and sheet["digest"].endswith(path.name) and len(path.name) == 62
    ]
    assert stored
    for path in stored:
        path.unlink()
    # Elsewhere it is still stored, so it is brought back from there; nowhere, and it is missing.
    (version / "contact-sheet.jpg").unlink()
    done = imagelane("rollback", "harbour", cwd=twice.folder, code=2)
    assert "lacks 1 of its 9 files (contact-sheet.jpg)" in done.stderr
    (version / "manifest.json").unlink()
    done = imagelane("rollback", "harbour", cwd=twice.folder, code=2)
    assert f"version {first['digest'][:16]} of harbour is gone" in done.stderr
    assert (twice.published(), len(twice.events())) == (before, events)
    assert listed(twice, imagelane)[1]["kept"] is False


def test_file_of_a_kept_version_that_somebody_changed_is_brought_back(
    twice: Project, imagelane: Imagelane
) -> None:
    _, first = listed(twice, imagelane)
    version = twice.public / ".versions" / "harbour" / first["digest"][:16]
    changed = version / "00-60.jpg"
    right = changed.read_bytes()
    changed.unlink()
    changed.write_bytes(b"changed")
    imagelane("rollback", "harbour", cwd=twice.folder)
    assert (twice.public / "harbour" / "00-60.jpg").read_bytes() == right


@pytest.mark.parametrize("to", ["3", "0", "abc", "ffffffff", "-1", "\x1b"])
def test_version_that_is_not_there_is_refused(twice: Project, to: str) -> None:
    before = twice.published()
    with pytest.raises(ControlError, match="imagelane history 1` lists those that are"):
        put_back(twice, to)
    assert twice.published() == before


POINTS = ("rollback: claimed", "rollback: swapped", "rollback: recorded")


@pytest.mark.parametrize("point", POINTS)
def test_crash_at_any_point_leaves_one_version_whole_and_the_next_try_completes_it(
    twice: Project, imagelane: Imagelane, point: str
) -> None:
    class Killed(BaseException):
        pass

    def fault(reached: str) -> None:
        if reached == point:
            raise Killed

    with pytest.raises(Killed):
        put_back(twice, fault=fault)
    pictures = names(twice)
    assert len(pictures) == (5 if point == POINTS[0] else 4)
    assert in_the_database(twice) == pictures
    put_back(twice)
    assert len(names(twice)) == 4
    (told,) = rollbacks(twice)
    second, first = listed(twice, imagelane)
    assert (told.before, told.manifest) == (second["digest"], first["digest"])


def test_coordinator_with_an_earlier_fence_cannot_overwrite_what_was_put_back(
    twice: Project, imagelane: Imagelane
) -> None:
    second, _ = listed(twice, imagelane)
    spec = wiring.load(twice.pipeline)
    publisher = wiring.publishers(spec)[StageName("publish")]
    fence = max(row.fence for row in twice.runs())
    manifest = publisher.kept("harbour", second["digest"])
    assert manifest is not None
    late: Version = version_of("harbour", manifest)
    put_back(twice)
    with pytest.raises(StaleFenceError, match="published gallery harbour"):
        go_live(publisher, late, fence)
    assert len(names(twice)) == 4


SLOW = '''
from pathlib import Path

from imagelane import Picture, stage


@stage(waits=True)
def slow(picture: Picture) -> dict[str, str]:
    """Waits for pictures that are 777 wide, until it may go on."""
    import time

    while picture.width == 777 and not Path("go.txt").exists():
        time.sleep(0.01)
    return {"slow": "yes"}
'''
WITH_SLOW = PIPELINE.replace(
    "  store:\n    needs: [thumbnails]",
    "  slow: {needs: [validate], uses: 'slow:slow', sandbox: off}\n"
    "  store:\n    needs: [thumbnails, slow]",
)


def test_run_that_is_at_work_on_the_group_is_paused_before_anything_is_put_back(
    twice: Project, imagelane: Imagelane, paint: Paint
) -> None:
    (twice.folder / "slow.py").write_text(SLOW)
    twice.pipeline.write_text(WITH_SLOW)
    paint(twice.folder / "photos" / "harbour" / "wide.jpg", (777, 300))
    second = twice.runs()[0].run
    with subprocess.Popen(
        [sys.executable, "-m", "imagelane", "run", "gallery.yaml", "--quiet"],
        cwd=twice.folder,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    ) as process:
        try:
            while len(twice.runs()) < 3 or not list(twice.tasks()):
                assert process.poll() is None
                time.sleep(0.05)
            third = twice.runs()[0].run
            impatient = imagelane(
                "rollback", "harbour", "--run", second, "--wait", "0.5", cwd=twice.folder, code=2
            )
            assert f"run {third} is at work on what would be changed" in impatient.stderr
            assert len(names(twice)) == 5
            (twice.folder / "go.txt").touch()
            assert process.wait(60) == 3
        finally:
            process.send_signal(signal.SIGKILL)
    imagelane("rollback", "harbour", "--run", second, cwd=twice.folder)
    assert len(names(twice)) == 4
    imagelane("resume", third, "--quiet", cwd=twice.folder)
    assert len(names(twice)) == 6


VISITORS, LOOKS = 4, 100_000


@pytest.mark.slow
def test_no_visitor_sees_a_mixture_while_versions_are_put_back_and_forth(
    twice: Project, record_property: Callable[[str, object], None]
) -> None:
    readers = Readers(twice.public / "harbour", VISITORS, LOOKS // VISITORS)
    swaps = 0
    try:
        while readers.reading():
            swaps += sum(put.changed for put in put_back(twice, "12"[swaps % 2]).put)
        seen = readers.seen()
    finally:
        readers.leave()
    record_property("looks", sum(seen.versions.values()))
    record_property("swaps", swaps)
    looks = sum(seen.versions.values())
    sys.stdout.write(f"{looks:,} looks, {swaps} swaps, {seen.mixtures} mixtures\n")
    assert seen.wrong == ()
    assert sum(seen.versions.values()) >= LOOKS
    assert len(seen.versions) == 2
    assert min(seen.versions.values()) > LOOKS // 50
    assert swaps > 50


def _in_two_steps(publisher: FolderPublisher, room: Room, version: Version) -> None:
    pointer = publisher._target / version.slug
    pointer.unlink(missing_ok=True)
    # Where a busy machine may stop a process for as long.
    time.sleep(0.02)
    pointer.symlink_to(f".versions/{version.slug}/{room.version(version.digest).name}")


def test_visitors_notice_a_swap_in_two_steps(
    twice: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderPublisher, "_point", _in_two_steps)
    readers = Readers(twice.public / "harbour", 2, 4_000)
    turn = 0
    try:
        while readers.reading():
            put_back(twice, "12"[turn % 2])
            turn += 1
        assert readers.seen().mixtures > 0
    finally:
        readers.leave()


def test_visitors_notice_files_that_are_replaced_one_by_one(twice: Project, tmp_path: Path) -> None:
    versions = twice.public / ".versions" / "harbour"
    copies = [
        shutil.copytree(path, tmp_path / path.name) for path in versions.iterdir() if path.is_dir()
    ]
    live = (twice.public / "harbour").resolve()
    readers = Readers(twice.public / "harbour", 2, 1_000)
    turn = 0
    try:
        while readers.reading():
            for path in sorted(copies[turn % 2].iterdir()):
                beside = live / f".{path.name}"
                shutil.copyfile(path, beside)
                beside.replace(live / path.name)
            turn += 1
        assert readers.seen().mixtures > 0
    finally:
        readers.leave()
