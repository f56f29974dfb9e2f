"""What is erased is nowhere any more: no file, no version, no row, no word of the record; and the
record stays what it was signed as. Under a legal hold nothing of it is touched."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from imagelane.adapters.erasing import traces
from imagelane.model.states import ImageState
from tests.conftest import Imagelane, Paint
from tests.integration.conftest import NewProject, Project
from tests.integration.test_rollback import PIPELINE, in_the_database, journal_of, listed, names


@pytest.fixture
def twice(project: NewProject, imagelane: Imagelane, paint: Paint) -> Project:
    """A project of two runs, both signed."""
    made = project(PIPELINE)
    imagelane("audit", "key", "new", cwd=made.folder)
    imagelane("run", "gallery.yaml", "-q", cwd=made.folder)
    paint(made.folder / "photos" / "harbour" / "added.jpg", (500, 300))
    imagelane("run", "gallery.yaml", "-q", cwd=made.folder)
    return made


def everything(made: Project) -> dict[Path, bytes]:
    """All regular files of target and workspace."""
    return {
        path: path.read_bytes()
        for root in (made.public, made.folder / ".imagelane")
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_nothing_of_an_erased_image_is_left_and_the_trail_is_as_it_was_signed(
    twice: Project, imagelane: Imagelane
) -> None:
    source = twice.folder / "photos" / "harbour" / "01.jpg"
    shown = [
        image
        for version in (twice.public / ".versions" / "harbour").glob("*/manifest.json")
        for image in json.loads(version.read_bytes())["images"]
        if image["name"] == "01.jpg"
    ]
    assert len(shown) == 2
    digests = {one["digest"] for image in shown for one in image["renditions"]}
    sheets = {
        json.loads(version.read_bytes())["contact_sheet"]["digest"]
        for version in (twice.public / ".versions" / "harbour").glob("*/manifest.json")
    }
    digests |= sheets
    assert len(digests) == 4
    words = [str(source).encode(), hashlib.sha256(source.read_bytes()).hexdigest().encode()]
    before = everything(twice)
    assert any(hashlib.sha256(data).hexdigest() in digests for data in before.values())
    assert all(any(word in data for data in before.values()) for word in words)
    received = len([one for one in twice.events() if type(one).__name__ == "ImageReceived"])

    done = imagelane("erase", "harbour/01.jpg", "--reason", "asked for", "-q", cwd=twice.folder)
    assert "nothing is left" in done.stdout
    assert str(source) in done.stdout
    assert done.stderr == ""

    after = everything(twice)
    assert not {path for path, data in after.items() if hashlib.sha256(data).hexdigest() in digests}
    assert not {path for path, data in after.items() for word in words if word in data}
    assert names(twice) == ["00.jpg", "02.jpg", "03.jpg", "added.jpg"] == in_the_database(twice)
    assert (twice.public / "harbour" / "contact-sheet.jpg").exists()
    assert [one["kept"] for one in listed(twice, imagelane)] == [True, True, False, False]
    assert source.exists()

    # The counts of both runs add up, and both are, leaf by leaf, what was signed.
    for row in twice.runs():
        told = json.loads(imagelane("status", row.run, "--json", cwd=twice.folder).stdout)
        counts = told["images"]
        assert sum(counts.values()) - counts.pop("received", 0) == told["received"]
        assert counts["erased"] == 1
        verified = imagelane("audit", "verify", row.run, cwd=twice.folder).stdout
        assert "Consistent up to event" in verified
        assert "was erased, and recorded to be" in verified
        imagelane("report", row.run, cwd=twice.folder)
    assert received == len([one for one in twice.events() if type(one).__name__ == "ImageReceived"])
    assert "erased" in imagelane("show", "1.2", cwd=twice.folder).stdout


def test_erased_image_is_not_published_again_and_its_group_goes_on(
    twice: Project, imagelane: Imagelane
) -> None:
    imagelane("erase", "harbour/01.jpg", "--reason", "asked for", "-q", cwd=twice.folder)
    photos = twice.folder / "photos" / "harbour"
    # Taken up again after the erasure, its run folds and its group is published as before.
    imagelane("withdraw", "harbour/02.jpg", "--reason", "too", "-q", cwd=twice.folder)
    assert names(twice) == ["00.jpg", "03.jpg", "added.jpg"]
    (photos / "01.jpg").rename(photos / "under-another-name.jpg")
    imagelane("run", "gallery.yaml", "-q", cwd=twice.folder)
    assert names(twice) == ["00.jpg", "03.jpg", "added.jpg"]
    with journal_of(twice) as journal:
        states = {row.name: row.state for row in journal.images(journal.runs()[0].run, group=1)}
    assert states["under-another-name.jpg"] is ImageState.WITHDRAWN


def test_dry_run_lists_and_changes_nothing(twice: Project, imagelane: Imagelane) -> None:
    before = twice.published(), len(twice.events())
    said = imagelane("erase", "harbour/01.jpg", "--reason", "?", "--dry-run", cwd=twice.folder)
    assert said.stdout.count("all that the record says of 1.") == 2
    assert said.stdout.count("version ") == 2
    assert said.stdout.count("artifact ") == 4
    assert (twice.published(), len(twice.events())) == before


@pytest.mark.parametrize("what", ["harbour/01.jpg", "harbour"])
def test_hold_on_an_image_or_its_group_goes_before_an_erasure_until_it_is_removed(
    twice: Project, imagelane: Imagelane, what: str
) -> None:
    imagelane("hold", "add", what, "--reason", "a trial", cwd=twice.folder)
    before = everything(twice)
    older = twice.runs()[1].run
    for run in ([], ["--run", older]):
        for more in ([], ["--dry-run"]):
            done = imagelane(
                *("erase", "harbour/01.jpg", "--reason", "asked for", *more, *run),
                cwd=twice.folder,
                code=2,
            )
            assert "legal hold, which goes before an erasure: a trial" in done.stderr
    assert everything(twice).keys() == before.keys()
    imagelane("hold", "remove", what, "--reason", "over", cwd=twice.folder)
    imagelane("hold", "remove", what, "--reason", "over", cwd=twice.folder, code=2)
    imagelane("erase", "harbour/01.jpg", "--reason", "asked for", "-q", cwd=twice.folder)
    assert "01.jpg" not in names(twice)


def test_search_finds_a_file_by_its_bytes_and_what_says_a_word_across_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagelane.adapters.erasing.PIECE", 8)
    (tmp_path / "renamed.bin").write_bytes(b"the picture itself")
    (tmp_path / "log.txt").write_bytes(b"it was in /photos/one.jpg, I think")
    (tmp_path / "other.txt").write_bytes(b"nothing of it")
    os.link(tmp_path / "renamed.bin", tmp_path / "linked.bin")
    digest = hashlib.sha256(b"the picture itself").hexdigest()
    found = [(one.file.name, one.what) for one in traces([tmp_path], {digest}, ["/photos/one.jpg"])]
    assert found == [
        ("linked.bin", f"is the file {digest[:16]}"),
        ("log.txt", "says '/photos/one.jpg'"),
        ("renamed.bin", f"is the file {digest[:16]}"),
    ]
