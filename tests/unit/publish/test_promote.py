from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts
from imagelane.adapters.publishers.folder import FolderPublisher
from imagelane.model.ids import StageName
from imagelane.model.outcome import Failure, Outcome, Rendition, Success
from imagelane.model.states import ErrorClass
from imagelane.ports.journal import StaleFenceError
from imagelane.publish.promote import publish_group, publish_index, read_members


@pytest.fixture
def artifacts(tmp_path: Path) -> FilesystemArtifacts:
    return FilesystemArtifacts(tmp_path / "artifacts")


@pytest.fixture
def publisher(tmp_path: Path) -> FolderPublisher:
    return FolderPublisher(tmp_path / "public", artifacts=tmp_path / "artifacts")


@pytest.fixture
def members(tmp_path: Path, artifacts: FilesystemArtifacts) -> Path:
    def member(name: str, **changes: Any) -> str:
        digest = artifacts.put(name.encode(errors="replace"))
        line = {
            "name": name,
            "state": "processing",
            "renditions": {"thumbnails": [["480", digest, len(name), "jpeg", 480, 320]]},
        }
        return json.dumps({**line, **changes}) + "\n"

    path = tmp_path / "members.jsonl"
    path.write_text(member("a \udcff.jpg") + member("gone.jpg", state="dead") + member("b.jpg"))
    return path


def publish(
    publisher: FolderPublisher, members: Path, fence: int = 1, slug: str = "harbour"
) -> Outcome:
    return publish_group(
        publisher,
        fence,
        pipeline="news",
        group_name="Harbour \udcff",
        slug=slug,
        members=members,
        title="Am Hafen",
    )


def test_group_goes_live_and_says_what_it_is(
    publisher: FolderPublisher, members: Path, tmp_path: Path
) -> None:
    outcome = publish(publisher, members)
    assert isinstance(outcome, Success)
    assert outcome.facts == {
        "manifest": publisher.live("harbour"),
        "slug": "harbour",
        "images": 2,
    }
    names = {path.name for path in (tmp_path / "public" / "harbour").iterdir()}
    assert names == {"a _-480.jpg", "b-480.jpg", "manifest.json"}
    assert publish(publisher, members) == outcome


def test_missing_file_is_a_failure_that_no_other_attempt_mends(
    publisher: FolderPublisher, members: Path, artifacts: FilesystemArtifacts
) -> None:
    first = next(read_members(members))
    artifacts.path(first["renditions"]["thumbnails"][0][1]).unlink()
    outcome = publish(publisher, members)
    assert isinstance(outcome, Failure)
    assert outcome.error is ErrorClass.INVALID
    assert "a _-480.jpg" in outcome.message
    assert publisher.live("harbour") is None


def test_damaged_file_is_a_failure(
    publisher: FolderPublisher, members: Path, artifacts: FilesystemArtifacts
) -> None:
    path = artifacts.path(artifacts.put(b"b.jpg"))
    path.chmod(0o644)
    path.write_bytes(b"B.jpg")
    outcome = publish(publisher, members)
    assert isinstance(outcome, Failure)
    assert "damaged" in outcome.message


def test_full_disk_is_a_failure_that_may_pass(
    publisher: FolderPublisher, members: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imagelane.adapters.publishers.folder.sync_folder", full)
    outcome = publish(publisher, members)
    assert isinstance(outcome, Failure)
    assert outcome.error is ErrorClass.TRANSIENT


def test_later_coordinator_stops_this_one(publisher: FolderPublisher, members: Path) -> None:
    publish(publisher, members, fence=2)
    with pytest.raises(StaleFenceError):
        publish(publisher, members, fence=1)


def test_index_lists_what_is_live(
    publisher: FolderPublisher, members: Path, tmp_path: Path, artifacts: FilesystemArtifacts
) -> None:
    publish(publisher, members, slug="b")
    sheet = Rendition("contact-sheet", artifacts.put(b"sheet"), 5, "jpeg", 8, 8)
    publish_group(
        publisher,
        1,
        pipeline="news",
        group_name="Market",
        slug="a",
        members=members,
        group_outputs={StageName("contact-sheet"): [sheet]},
    )
    outcome = publish_index(publisher, 1, pipeline="news", slugs=["b", "never-live", "a"])
    assert outcome == Success(facts={"galleries": 2})
    index = json.loads((tmp_path / "public" / "index.json").read_bytes())
    assert [one["slug"] for one in index["galleries"]] == ["b", "a"]
    assert [one["title"] for one in index["galleries"]] == ["Am Hafen", "Market"]


def test_index_of_a_user_makes_it_fail(publisher: FolderPublisher, tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.json").write_text("mine")
    outcome = publish_index(publisher, 1, pipeline="news", slugs=[])
    assert isinstance(outcome, Failure)
    assert outcome.error is ErrorClass.INVALID
