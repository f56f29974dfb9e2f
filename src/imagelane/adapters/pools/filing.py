"""Makes the names of what contained workers stored durable, before anybody hears of it.

To sync a folder one must be able to list it. Who could list the store could read all of it, so
workers cannot: there a file is found only by whoever knows its digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from imagelane.adapters.durable import sync_folder
from imagelane.execute.errors import writing_to
from imagelane.execute.failures import failure_of
from imagelane.model.outcome import Success
from imagelane.model.work import Report, StageReport
from imagelane.ports.artifacts import QUARANTINE, object_path

_Held: TypeAlias = tuple[Report, set[Path]]
"""A report, and the folders that must be synced before it is told."""


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
        self._waiting: list[_Held] = []
        self._round: tuple[list[_Held], Future[dict[Path, Exception]]] | None = None
        self._told: list[Report] = []

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
        self._waiting += [(report, self._folders(report)) for report in reports]
        self._advance()

    def released(self) -> list[Report]:
        """The reports that may be told, each once. One whose folder cannot be synced is a failure:
        what it tells of might not survive a power cut."""
        self._advance()
        told, self._told = self._told, []
        return told

    def close(self, last: Iterable[Report] = ()) -> None:
        """Take in the last reports, and wait until everything is synced."""
        self.add(*last)
        while self._round is not None:
            wait([self._round[1]])
            self._advance()
        self._syncing.shutdown(wait=True)

    def _advance(self) -> None:
        if self._round is not None:
            held, syncing = self._round
            if not syncing.done():
                return
            self._round = None
            failed = syncing.result()
            self._told += [_told(report, folders, failed) for report, folders in held]
        unsynced = {folder for _, folders in self._waiting for folder in folders}
        held, self._waiting = self._waiting, []
        if unsynced:
            # What comes in while these are being synced goes together in the next round.
            self._round = (held, self._syncing.submit(_sync, unsynced))
            self._round[1].add_done_callback(lambda _: self._ring())
        else:
            self._told += [report for report, _ in held]

    def _folders(self, report: Report) -> set[Path]:
        if not self._needed or not isinstance(report, StageReport):
            return set()
        if not isinstance(report.outcome, Success):
            return set()
        made = report.outcome.renditions
        return {(self._artifacts / object_path(one.digest)).parent for one in made}


def _sync(folders: Iterable[Path]) -> dict[Path, Exception]:
    """Sync each; gives what those said that could not be."""
    failed: dict[Path, Exception] = {}
    for folder in folders:
        try:
            with writing_to(folder, 0):
                sync_folder(folder)
        except Exception as error:  # noqa: BLE001 - it is told of by every report that it concerns
            failed[folder] = error
    return failed


def _told(report: Report, folders: Iterable[Path], failed: Mapping[Path, Exception]) -> Report:
    errors = [failed[folder] for folder in folders if folder in failed]
    if errors and isinstance(report, StageReport):
        return replace(report, outcome=failure_of(errors[0]))
    return report
