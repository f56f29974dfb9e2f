"""Makes the names of what contained workers stored durable, before anybody hears of it.

To sync a folder one must be able to list it. Who could list the store could read all of it, so
workers cannot: there a file is found only by whoever knows its digest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from imagelane.adapters.durable import sync_folder
from imagelane.execute.errors import writing_to
from imagelane.execute.failures import failure_of
from imagelane.model.outcome import Success
from imagelane.model.work import Report, StageReport
from imagelane.ports.artifacts import QUARANTINE, object_path


class Filing:
    """Holds reports back, in order, until the store's folders that they tell of are synced.

    ``ring`` is called from another thread whenever `released` may have more to give. Where it is
    not ``needed``, because workers sync for themselves, nothing is held back.
    """

    def __init__(self, artifacts: Path, ring: Callable[[], None], *, needed: bool = True) -> None:
        self._artifacts = artifacts
        self._needed = needed
        self._ring = ring
        self._syncing = ThreadPoolExecutor(1, "filing")
        self._preparing: Future[None] | None = None
        self._held: deque[tuple[Report, Future[None] | None]] = deque()

    def prepare(self) -> None:
        """Begin to make the folders of the store, so that no worker needs to."""
        if self._needed and self._preparing is None:
            self._preparing = self._syncing.submit(self._make_folders)

    def prepared(self) -> None:
        """Wait until they are there.

        Raises:
            OSError: the store cannot be written to.
        """
        if self._preparing is not None:
            self._preparing.result()

    def _make_folders(self) -> None:
        self._artifacts.mkdir(parents=True, exist_ok=True)
        there = {path.name for path in self._artifacts.iterdir()}
        lacking = {*(f"{number:02x}" for number in range(256)), QUARANTINE} - there
        for name in sorted(lacking):
            (self._artifacts / name).mkdir(exist_ok=True)
        if lacking:
            sync_folder(self._artifacts)

    def add(self, *reports: Report) -> None:
        """Take in the next reports."""
        for report in reports:
            folders = self._folders(report)
            syncing = self._syncing.submit(_sync, *folders) if folders else None
            if syncing is not None:
                syncing.add_done_callback(lambda _: self._ring())
            self._held.append((report, syncing))

    def released(self) -> list[Report]:
        """The reports that may be told, each once. One whose folder cannot be synced is a failure:
        what it tells of might not survive a power cut."""
        free: list[Report] = []
        while self._held and ((syncing := self._held[0][1]) is None or syncing.done()):
            report, _ = self._held.popleft()
            error = None if syncing is None else syncing.exception()
            if error is not None and isinstance(report, StageReport):
                report = replace(report, outcome=failure_of(error))
            free.append(report)
        return free

    def close(self, last: Iterable[Report] = ()) -> None:
        """Take in the last reports, and wait until everything is synced."""
        self.add(*last)
        self._syncing.shutdown(wait=True)

    def _folders(self, report: Report) -> set[Path]:
        if not self._needed or not isinstance(report, StageReport):
            return set()
        if not isinstance(report.outcome, Success):
            return set()
        made = report.outcome.renditions
        return {(self._artifacts / object_path(one.digest)).parent for one in made}


def _sync(*folders: Path) -> None:
    for folder in folders:
        with writing_to(folder, 0):
            sync_folder(folder)
