"""What is withdrawn is shown no more, in this run and in later ones, until somebody undoes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from imagelane.control import ControlError
from imagelane.model import events as e
from imagelane.model.ids import Subject
from imagelane.model.states import GroupState, ImageState
from imagelane.versions.withdraw import Why, withdraw_images
from tests.conftest import SRC, Imagelane, Paint
from tests.integration.conftest import NewProject, Project
from tests.integration.test_rollback import (
    PIPELINE,
    SLOW,
    WITH_SLOW,
    group_state,
    in_the_database,
    journal_of,
    listed,
    names,
    put_back,
)


@pytest.fixture
def published(project: NewProject, imagelane: Imagelane) -> Project:
    made = project(PIPELINE)
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    return made


def states(made: Project) -> dict[str, ImageState]:
    """Of the harbour's pictures, in the newest run."""
    with journal_of(made) as journal:
        return {row.name: row.state for row in journal.images(journal.runs()[0].run, group=1)}


def front(made: Project) -> list[str]:
    content = json.loads((made.public / "index.json").read_bytes())
    return [one["slug"] for one in content["galleries"]]


def settled(made: Project, subject: Subject) -> bool:
    """Whether an image of the newest run is."""
    return any(
        isinstance(event, e.ImageSettled) and event.subject == subject for event in made.events()
    )


def test_withdrawn_image_leaves_with_its_rows_and_its_cell_and_the_sheet_is_made_anew(
    published: Project, imagelane: Imagelane, project: NewProject
) -> None:
    before = published.published()
    imagelane("withdraw", "01.jpg", "--reason", "no release", "-q", cwd=published.folder)
    assert names(published) == ["00.jpg", "02.jpg", "03.jpg"] == in_the_database(published)
    assert states(published)["01.jpg"] is ImageState.WITHDRAWN
    assert group_state(published) is GroupState.PUBLISHED

    # It is, byte by byte, what it would be had the picture never been there.
    never = project(PIPELINE)
    (never.folder / "photos" / "harbour" / "01.jpg").unlink()
    imagelane("run", "gallery.yaml", "--quiet", cwd=never.folder)
    assert published.published() == never.published()

    imagelane("withdraw", "01.jpg", "--undo", "--reason", "it came", "-q", cwd=published.folder)
    assert published.published() == before
    assert set(states(published).values()) == {ImageState.PUBLISHED}
    whys = [one["why"] for one in listed(published, imagelane)]
    assert any("without 01.jpg: withdrawn by" in why and "no release" in why for why in whys)
    imagelane("audit", "verify", cwd=published.folder, code=1)


def test_it_is_gone_before_anything_is_made_anew_and_with_it_what_shows_the_whole_group(
    published: Project,
) -> None:
    class Killed(BaseException):
        pass

    def fault(reached: str) -> None:
        if reached == "withdraw: taken out":
            raise Killed

    with journal_of(published) as journal:
        row = journal.runs()[0]
        at = published.folder / ".imagelane"
        why = Why("why", "I")
        with pytest.raises(Killed):
            withdraw_images(journal, at, row, [Subject(1, 2)], why, 30, fault)
        assert names(published) == ["00.jpg", "02.jpg", "03.jpg"] == in_the_database(published)
        assert not (published.public / "harbour" / "contact-sheet.jpg").exists()
        assert "contact_sheet" not in published.manifest("harbour")
        # What a crash came before is done by saying it again.
        assert withdraw_images(journal, at, row, [Subject(1, 2)], why, 30).remade
        assert [mark.path for mark in journal.marks()] == [
            str(published.folder / "photos" / "harbour" / "01.jpg")
        ]


def test_later_runs_do_not_publish_it_under_its_name_or_another(
    published: Project, imagelane: Imagelane
) -> None:
    imagelane("withdraw", "01.jpg", "--reason", "no release", "-q", cwd=published.folder)
    photos = published.folder / "photos" / "harbour"
    (photos / "01.jpg").rename(photos / "99.jpg")
    (photos / "00.jpg").rename(photos / "01.jpg")
    imagelane("run", "gallery.yaml", "-q", cwd=published.folder)
    # 99 is the withdrawn file, and 01 bears the name of what was withdrawn.
    assert names(published) == ["02.jpg", "03.jpg"]
    assert states(published) == {
        "01.jpg": ImageState.WITHDRAWN,
        "02.jpg": ImageState.PUBLISHED,
        "03.jpg": ImageState.PUBLISHED,
        "99.jpg": ImageState.WITHDRAWN,
    }
    imagelane("withdraw", "01.jpg", "--undo", "--reason", "another", "-q", cwd=published.folder)
    assert names(published) == ["01.jpg", "02.jpg", "03.jpg"]


def test_group_that_is_withdrawn_stays_away_until_that_is_undone(
    published: Project, imagelane: Imagelane
) -> None:
    before = published.published()
    imagelane("withdraw", "harbour", "--reason", "embargo", cwd=published.folder)
    assert not os.path.lexists(published.public / "harbour")
    assert in_the_database(published) == []
    assert front(published) == ["market", "tower"]
    assert group_state(published) is GroupState.WITHDRAWN
    assert set(states(published).values()) == {ImageState.WITHDRAWN}
    imagelane("withdraw", "harbour", "--reason", "again", cwd=published.folder)

    imagelane("withdraw", "harbour", "--undo", "--reason", "over", cwd=published.folder)
    assert published.published() | {"index.json": ""} == before | {"index.json": ""}
    assert sorted(front(published)) == ["harbour", "market", "tower"]
    assert group_state(published) is GroupState.PUBLISHED
    assert set(states(published).values()) == {ImageState.PUBLISHED}

    imagelane("withdraw", "harbour", "--reason", "embargo", cwd=published.folder)
    imagelane("run", "gallery.yaml", "-q", cwd=published.folder)
    assert not os.path.lexists(published.public / "harbour"), "there was nothing to do"
    imagelane("run", "gallery.yaml", "--new", "-q", cwd=published.folder, code=1)
    assert not os.path.lexists(published.public / "harbour")
    assert set(states(published).values()) == {ImageState.WITHDRAWN}
    imagelane("withdraw", "harbour", "--undo", "--reason", "over", "-q", cwd=published.folder)
    assert published.published() == before


def test_last_image_of_a_group_takes_the_group_with_it(
    published: Project, imagelane: Imagelane
) -> None:
    imagelane("withdraw", "tower/*", "--reason", "embargo", "-q", cwd=published.folder, code=1)
    assert not os.path.lexists(published.public / "tower")
    assert in_the_database(published, "tower") == []
    assert "tower" not in front(published)


def test_version_that_shows_what_is_withdrawn_is_not_put_back(
    published: Project, imagelane: Imagelane, paint: Paint
) -> None:
    paint(published.folder / "photos" / "harbour" / "added.jpg", (500, 300))
    imagelane("run", "gallery.yaml", "-q", cwd=published.folder)
    imagelane("withdraw", "01.jpg", "--reason", "no release", "-q", cwd=published.folder)
    for version in ("1", "2"):
        with pytest.raises(ControlError, match=r"shows '01\.jpg', which was withdrawn"):
            put_back(published, version)
    assert "01.jpg" not in names(published)


def test_same_file_under_another_name_leaves_its_group_too(
    project: NewProject, imagelane: Imagelane
) -> None:
    made = project(PIPELINE)
    photos = made.folder / "photos" / "harbour"
    (photos / "twin.jpg").write_bytes((photos / "01.jpg").read_bytes())
    imagelane("run", "gallery.yaml", "-q", cwd=made.folder)
    imagelane("withdraw", "01.jpg", "--reason", "no release", "-q", cwd=made.folder)
    assert names(made) == ["00.jpg", "02.jpg", "03.jpg"]


def test_gate_that_requires_all_does_not_ask_for_what_is_withdrawn(
    project: NewProject, imagelane: Imagelane
) -> None:
    made = project(
        PIPELINE.replace(
            "    needs: [store, contact-sheet]\n",
            "    needs: [store, contact-sheet]\n    gate: {require: all}\n",
        )
    )
    imagelane("run", "gallery.yaml", "-q", cwd=made.folder)
    imagelane("withdraw", "01.jpg", "--reason", "no release", "-q", cwd=made.folder)
    assert names(made) == ["00.jpg", "02.jpg", "03.jpg"]
    assert (made.public / "harbour" / "contact-sheet.jpg").exists()


def test_run_that_is_at_work_on_the_image_does_not_publish_it_when_it_goes_on(
    published: Project, imagelane: Imagelane, paint: Paint
) -> None:
    (published.folder / "slow.py").write_text(SLOW)
    published.pipeline.write_text(WITH_SLOW)
    paint(published.folder / "photos" / "harbour" / "wide.jpg", (777, 300))
    first = published.runs()[0].run
    with subprocess.Popen(
        [sys.executable, "-m", "imagelane", "run", "gallery.yaml", "--quiet"],
        cwd=published.folder,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    ) as process:
        try:
            while len(published.runs()) < 2 or not settled(published, Subject(1, 2)):
                assert process.poll() is None
                time.sleep(0.05)
            with subprocess.Popen(
                [
                    *(sys.executable, "-m", "imagelane", "withdraw", "1.2", "--run", first),
                    *("--reason", "no release", "--quiet"),
                ],
                cwd=published.folder,
                env={**os.environ, "PYTHONPATH": str(SRC)},
            ) as withdrawing:
                requests = published.folder / ".imagelane" / "runs" / published.runs()[0].run
                while not list((requests / "requests").glob("*.json")):
                    assert withdrawing.poll() is None
                    time.sleep(0.01)
                # Listened to once it is gone.
                while list((requests / "requests").glob("*.json")):
                    time.sleep(0.01)
                (published.folder / "go.txt").touch()
                assert withdrawing.wait(60) == 0
            assert process.wait(60) == 3
        finally:
            process.kill()
    assert "01.jpg" not in names(published)
    imagelane("resume", published.runs()[0].run, "--quiet", cwd=published.folder)
    assert names(published) == ["00.jpg", "02.jpg", "03.jpg", "wide.jpg"]


def test_withdrawal_in_an_earlier_run_does_not_bring_back_what_that_had_published(
    published: Project, imagelane: Imagelane, paint: Paint
) -> None:
    first = published.runs()[0].run
    paint(published.folder / "photos" / "harbour" / "added.jpg", (500, 300))
    imagelane("run", "gallery.yaml", "-q", cwd=published.folder)
    imagelane("withdraw", "1.2", "--run", first, "--reason", "why", "-q", cwd=published.folder)
    assert names(published) == ["00.jpg", "02.jpg", "03.jpg", "added.jpg"]
    assert in_the_database(published) == names(published)


@pytest.mark.parametrize("what", ["nowhere.jpg", "7.1", "*.jpg", "1.9"])
def test_what_is_not_there_or_of_several_groups_is_refused(
    published: Project, imagelane: Imagelane, what: str
) -> None:
    before = published.published()
    imagelane("withdraw", what, "--reason", "no", cwd=published.folder, code=2)
    imagelane("withdraw", "01.jpg", "--undo", "--reason", "no", cwd=published.folder, code=2)
    assert published.published() == before
