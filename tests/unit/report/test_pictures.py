from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts
from imagelane.model.ids import Subject
from imagelane.model.outcome import Rendition
from imagelane.report import pictures
from imagelane.report.pictures import read_pictures
from imagelane.report.read import read_run
from imagelane.report.view import RunView
from tests.unit.report.made_up import Recipe, record


def made(
    artifacts: FilesystemArtifacts, width: int, size: int, form: str = "jpeg", name: str = ""
) -> Rendition:
    """A rendition whose bytes are in the store. What they are does not matter to a report."""
    data = f"{width} {name}".encode().ljust(size, b".")
    return Rendition(name or str(width), artifacts.put(data), size, form, width, width // 2)


@pytest.fixture
def artifacts(tmp_path: Path) -> FilesystemArtifacts:
    return FilesystemArtifacts(tmp_path / "artifacts")


def view_of(tmp_path: Path, renditions: Mapping[Subject, tuple[Rendition, ...]]) -> RunView:
    size = max(subject.ordinal for subject in renditions)
    journal, row = record(Recipe({"harbour": size}, renditions=renditions), tmp_path)
    return read_run(journal, row)


def test_a_picture_is_embedded_with_its_own_bytes(
    tmp_path: Path, artifacts: FilesystemArtifacts
) -> None:
    small = made(artifacts, 160, 100)
    shown = read_pictures(view_of(tmp_path, {Subject(1, 1): (small,)}), artifacts)
    picture = shown.cards[1, 1]
    kind, _, encoded = picture.uri.partition(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(encoded) == artifacts.path(small.digest).read_bytes()
    assert (picture.width, picture.height) == (160, 80)


def test_sharp_pictures_are_taken_where_there_is_room(
    tmp_path: Path, artifacts: FilesystemArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = tuple(made(artifacts, width, width) for width in (160, 480, 1080))
    view = view_of(tmp_path, {Subject(1, 1): sizes})
    assert read_pictures(view, artifacts).cards[1, 1].width == 480
    monkeypatch.setattr(pictures, "BUDGET_SHARP", 400)
    assert read_pictures(view, artifacts).cards[1, 1].width == 160


def test_no_more_is_embedded_than_the_budget_allows(
    tmp_path: Path, artifacts: FilesystemArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "BUDGET", 1000)
    all_made = {Subject(1, n): (made(artifacts, 160, 300, name=str(n)),) for n in range(1, 9)}
    shown = read_pictures(view_of(tmp_path, all_made), artifacts)
    assert (len(shown.cards), shown.over_budget) == (3, 5)


def test_what_is_damaged_or_gone_is_counted_and_not_shown(
    tmp_path: Path, artifacts: FilesystemArtifacts
) -> None:
    whole, gone, damaged = (made(artifacts, 160, 50, name=name) for name in "abc")
    artifacts.path(gone.digest).unlink()
    path = artifacts.path(damaged.digest)
    path.chmod(0o644)
    path.write_bytes(b"x" * 50)
    view = view_of(
        tmp_path, {Subject(1, 1): (whole,), Subject(1, 2): (gone,), Subject(1, 3): (damaged,)}
    )
    shown = read_pictures(view, artifacts)
    assert set(shown.cards) == {(1, 1)}
    assert shown.unreadable == 2


def test_only_formats_that_browsers_show_are_shown(
    tmp_path: Path, artifacts: FilesystemArtifacts
) -> None:
    hostile = made(artifacts, 160, 50, form='svg+xml;x="', name="evil")
    internal = replace(made(artifacts, 160, 60, name="picture"), format="raw")
    view = view_of(tmp_path, {Subject(1, 1): (hostile, internal)})
    assert read_pictures(view, artifacts).cards == {}


def test_contact_sheets_have_a_budget_of_their_own(
    tmp_path: Path, artifacts: FilesystemArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = made(artifacts, 1200, 700, name="contact-sheet")
    small = made(artifacts, 160, 50)
    view = view_of(tmp_path, {Subject(1): (sheet,), Subject(1, 1): (small,)})
    assert read_pictures(view, artifacts).sheets[1].width == 1200
    monkeypatch.setattr(pictures, "BUDGET_SHEETS", 600)
    shown = read_pictures(view, artifacts)
    assert (shown.sheets, shown.over_budget, len(shown.cards)) == ({}, 1, 1)
