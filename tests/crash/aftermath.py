"""What must hold after a process was killed at any moment, and once the run is over."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.model import events as e
from imagelane.model.ids import RunId
from imagelane.model.states import ImageState, RunStatus
from imagelane.record.recover import recover

LEFTOVERS = (
    ".imagelane/scratch/*",
    ".imagelane/artifacts/.tmp/*",
    ".imagelane/artifacts/quarantine/*",
    "public/.objects/.new-*",
    "public/.versions/*/.unfinished-*",
    "public/.versions/.index/.unfinished-*",
)
"""What a run that is over must not leave behind."""


class BrokenGuaranteeError(AssertionError):
    """Something that is promised did not hold."""


def claim(*, holds: bool, otherwise: str) -> None:
    """Say that a guarantee holds."""
    if not holds:
        raise BrokenGuaranteeError(otherwise)


def galleries(public: Path) -> list[Path]:
    """The live pointers."""
    return sorted(entry for entry in public.glob("*") if entry.is_symlink())


def live_manifests(public: Path) -> dict[str, bytes]:
    """The manifest of each gallery that a visitor would be shown now."""
    return {
        gallery.name: (gallery.resolve() / "manifest.json").read_bytes()
        for gallery in galleries(public)
    }


def published(public: Path) -> dict[str, str]:
    """Every file that a visitor can see, with its SHA-256."""
    return {
        f"{gallery.name}/{file.name}": hashlib.sha256(file.read_bytes()).hexdigest()
        for gallery in galleries(public)
        for file in gallery.iterdir()
    }


def processes_in(folder: Path) -> list[int]:
    """The processes that stand in a folder: workers, and the commands that they started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                state = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
                if state not in "ZX" and (entry / "cwd").readlink() == folder:
                    found.append(int(entry.name))
    return found


def wait_until_alone(folder: Path, seconds: float = 10.0) -> None:
    """Nobody works in the folder any more, without being asked to go."""
    deadline = time.monotonic() + seconds
    while orphans := processes_in(folder):
        claim(holds=time.monotonic() < deadline, otherwise=f"orphans: {orphans}")
        time.sleep(0.005)


@dataclass(slots=True)
class Aftermath:
    """Compares what each death left with what was known before it.

    ``versions`` are the manifests that each gallery may show: the old one and the new one.
    """

    folder: Path
    versions: Mapping[str, frozenset[bytes]]
    runs_before: frozenset[RunId]
    _known: list[e.Event] = field(default_factory=list)

    @property
    def public(self) -> Path:
        return self.folder / "public"

    def check(self, acknowledged: int) -> None:
        """After a death; ``acknowledged`` is how many events the dead had been told are durable."""
        wait_until_alone(self.folder)
        self.check_visible()
        for gallery in galleries(self.public):
            check_whole(gallery)
        with self._journal() as journal:
            run = self.run(journal)
            if run is None:
                claim(holds=acknowledged == 0, otherwise="a run that was recorded is gone")
                return
            events = [recorded.event for recorded in journal.events(run)]
            claim(
                holds=len(events) >= acknowledged,
                otherwise=f"{acknowledged} events were acknowledged, {len(events)} are there",
            )
            claim(
                holds=events[: len(self._known)] == self._known,
                otherwise="the record was changed",
            )
            self._known = events
            _check_recorded_once(events)
            counts = journal.image_counts(run)
            received = sum(isinstance(event, e.ImageReceived) for event in events)
            state = recover(journal, run)
            folded = len(state.images) + state.image_counts.total()
            folded += sum(group.settled_total for group in state.groups.values())
            claim(
                holds=sum(counts.values()) == received == folded,
                otherwise=f"{received} received, {counts} counted, {folded} folded",
            )

    def check_visible(self) -> None:
        """Each gallery shows its old version or its new one."""
        shown = live_manifests(self.public)
        claim(holds=shown.keys() == self.versions.keys(), otherwise=f"galleries: {sorted(shown)}")
        for name, manifest in shown.items():
            claim(
                holds=manifest in self.versions[name],
                otherwise=f"{name} shows neither its old version nor its new one",
            )

    @property
    def finished(self) -> bool:
        """Whether the record says that the run is over."""
        last = self._known[-1] if self._known else None
        return isinstance(last, e.RunSettled) and last.status is RunStatus.FINISHED

    def check_end(self, expected: Mapping[str, str]) -> None:
        """Once the run is finished: the same bytes, everything counted, nothing left behind."""
        claim(
            holds=published(self.public) == dict(expected),
            otherwise="other bytes than without a kill",
        )
        with self._journal() as journal:
            run = self.run(journal)
            row = next(row for row in journal.runs() if row.run == run)
            claim(holds=row.status is RunStatus.FINISHED, otherwise=f"the run is {row.status}")
            counts = Counter(journal.image_counts(row.run))
            claim(holds=set(counts) == {ImageState.PUBLISHED}, otherwise=f"images: {counts}")
        left = [path for pattern in LEFTOVERS for path in self.folder.glob(pattern)]
        claim(holds=not left, otherwise=f"left behind: {left}")

    def run(self, journal: SqliteJournal) -> RunId | None:
        """The run that is disturbed; None while it is not begun."""
        rows = [row for row in journal.runs() if row.run not in self.runs_before and row.plan]
        claim(holds=len(rows) < 2, otherwise=f"{len(rows)} runs where one is taken up")
        return rows[0].run if rows else None

    @contextlib.contextmanager
    def _journal(self) -> Iterator[SqliteJournal]:
        journal = SqliteJournal(self.folder / ".imagelane" / "journal.db")
        try:
            yield journal
        finally:
            journal.close()


def _check_recorded_once(events: list[e.Event]) -> None:
    succeeded = Counter(
        (event.stage, event.subject) for event in events if isinstance(event, e.TaskSucceeded)
    )
    twice = [task for task, count in succeeded.items() if count > 1]
    claim(holds=not twice, otherwise=f"recorded twice: {twice}")


def check_whole(gallery: Path) -> None:
    """A gallery's files are those of its manifest."""
    folder = Path(os.path.realpath(gallery))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    rows = [one for image in manifest["images"] for one in image["renditions"]]
    for row in rows:
        found = hashlib.sha256((folder / row["file"]).read_bytes()).hexdigest()
        claim(holds=found == row["digest"], otherwise=f"{gallery.name}/{row['file']} is another")
