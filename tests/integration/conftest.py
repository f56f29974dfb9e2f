"""Whole runs through the command line, and what they left behind."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.model import events as e
from imagelane.model.ids import RunId
from imagelane.ports.journal import Recorded, RunRow
from tests.conftest import Paint

GALLERY = """\
pipeline: gallery
images:
  from: photos/
  group: folder
stages:
  validate:
  metadata:
    needs: [validate]
  thumbnails:
    needs: [validate]
    with: {widths: [80, 200]}
  crop:
    needs: [validate]
    with: {aspect: "1:1", at: attention}
  watermark:
    needs: [crop, metadata]
    with: {text: "© {copyright|Gazette} {stem}", width: 180}
  encode:
    needs: [watermark]
    with: {formats: [avif, webp], widths: [60, 120]}
  check:
    needs: [validate]
    uses: command
    with: {run: ["true"]}
    workers: 2
  store:
    needs: [thumbnails, encode, check]
    with: {to: public/}
  contact-sheet:
    scope: group
    needs: [thumbnails]
    with: {cell: 80}
  publish:
    scope: group
    needs: [store, contact-sheet]
"""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a pipeline in it."""

    folder: Path

    @property
    def pipeline(self) -> Path:
        return self.folder / "gallery.yaml"

    @property
    def public(self) -> Path:
        return self.folder / "public"

    def published(self) -> dict[str, str]:
        """Every file that a visitor can see, with its SHA-256. Links are followed."""
        found = {}
        for place, folders, files in os.walk(self.public, followlinks=True):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                path = Path(place, name)
                if not name.startswith((".", "galleries.db")):
                    key = str(path.relative_to(self.public))
                    found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def manifest(self, group: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.public / group / "manifest.json").read_bytes())
        return loaded

    def runs(self) -> list[RunRow]:
        journal = SqliteJournal(self.folder / ".imagelane" / "journal.db", create=False)
        try:
            return journal.runs()
        finally:
            journal.close()

    def events(self, run: RunId | None = None) -> list[e.Event]:
        """All events of a run; of the newest, unless said otherwise."""
        return [recorded.event for recorded in self.recorded(run)]

    def recorded(self, run: RunId | None = None) -> list[Recorded]:
        """The same, with when each was recorded."""
        journal = SqliteJournal(self.folder / ".imagelane" / "journal.db", create=False)
        try:
            return list(journal.events(run or journal.runs()[0].run))
        finally:
            journal.close()

    def tasks(self) -> Iterator[e.TaskSucceeded]:
        return (event for event in self.events() if isinstance(event, e.TaskSucceeded))


Photos = Callable[[Path], None]


@pytest.fixture(scope="session")
def photos(paint: Paint) -> Photos:
    """Three galleries of small pictures, of every kind that takes another way through the code."""

    def write(folder: Path) -> None:
        for index in range(4):
            paint(folder / "harbour" / f"{index:02}.jpg", (400 + 10 * index, 300), gps=True)
        paint(folder / "market" / "tall.jpg", (200, 420), orientation=6)
        paint(folder / "market" / "flat.png", (320, 240))
        paint(folder / "market" / "web.webp", (300, 200))
        paint(folder / "tower" / "odd.jpg", (333, 251), copyright="Quayside Press")
        paint(folder / "tower" / "small.jpg", (70, 50))

    return write


NewProject = Callable[..., Project]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, photos: Photos) -> NewProject:
    def new(pipeline: str = GALLERY, *, pictures: Photos | None = None) -> Project:
        folder = tmp_path_factory.mktemp("project")
        (folder / "gallery.yaml").write_text(pipeline, encoding="utf-8")
        (pictures or photos)(folder / "photos")
        return Project(folder)

    return new
