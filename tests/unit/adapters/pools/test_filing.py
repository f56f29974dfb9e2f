from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelane.adapters.pools.filing import Filing
from imagelane.model.ids import Digest, StageName
from imagelane.model.outcome import Failure, Rendition, Success
from imagelane.model.states import ErrorClass
from imagelane.model.work import OrderDone, StageReport
from imagelane.ports.artifacts import QUARANTINE

DIGEST = Digest(hashlib.sha256(b"boat").hexdigest())
MADE = Success((Rendition("480", DIGEST, 4, "jpeg", 480, 320),))


class Disk:
    """The disk, which can be made to wait and to fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.broken = False
        self.synced: list[int] = []
        self._sync = os.fsync
        monkeypatch.setattr(os, "fsync", self._fsync)

    def _fsync(self, descriptor: int) -> None:
        assert self.goes_on.wait(30)
        if self.broken:
            raise OSError(5, "Input/output error")
        self._sync(descriptor)
        self.synced.append(os.fstat(descriptor).st_ino)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def rung() -> threading.Event:
    return threading.Event()


@pytest.fixture
def filing(tmp_path: Path, disk: Disk, rung: threading.Event) -> Iterator[Filing]:
    made = Filing(tmp_path / "artifacts", rung.set)
    made.prepare()
    made.prepared()
    yield made
    disk.goes_on.set()
    made.close()


def report(order: int, outcome: Success | Failure = MADE) -> StageReport:
    return StageReport(order, StageName("thumbnails"), outcome, 0.0, 1.0)


def test_a_report_is_told_when_the_folder_of_what_it_made_is_synced(
    filing: Filing, disk: Disk, rung: threading.Event, tmp_path: Path
) -> None:
    disk.goes_on.clear()
    filing.add(report(1))
    filing.add(OrderDone(1))
    assert filing.released() == []
    disk.goes_on.set()
    assert rung.wait(30)
    assert filing.released() == [report(1), OrderDone(1)]
    assert filing.released() == []
    assert disk.synced[-1] == (tmp_path / "artifacts" / DIGEST[:2]).stat().st_ino


def test_what_made_nothing_waits_for_nothing_but_its_turn(filing: Filing, disk: Disk) -> None:
    failed = report(1, Failure(ErrorClass.INVALID, "no picture"))
    filing.add(failed)
    filing.add(report(2, Success()))
    assert filing.released() == [failed, report(2, Success())]
    disk.goes_on.clear()
    filing.add(report(3))
    filing.add(failed)
    assert filing.released() == []


def test_what_may_not_survive_a_power_cut_is_not_told_as_made(filing: Filing, disk: Disk) -> None:
    disk.broken = True
    filing.add(report(1))
    filing.close()
    (told,) = filing.released()
    assert isinstance(told, StageReport)
    assert isinstance(told.outcome, Failure)
    assert told.outcome.error is ErrorClass.TRANSIENT
    assert "input/output error" in told.outcome.message.lower()


def test_the_stores_folders_are_there_before_anybody_needs_them(
    filing: Filing, tmp_path: Path
) -> None:
    assert (tmp_path / "artifacts" / "00").is_dir()
    assert len(list((tmp_path / "artifacts").iterdir())) == 256 + len({QUARANTINE})
    filing.prepare()
    filing.prepared()
