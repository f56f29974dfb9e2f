"""The journal alone: what a durable event costs by how many share a commit, and reading it back."""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from benchmarks.measure import median, spread
from benchmarks.quiet import wait_until_quiet
from benchmarks.results import machine, table
from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.model import events as e
from imagelane.model.events import Event
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.record.recover import recover

BATCHES = (1, 10, 100, 1000)
RUN = RunId("bench")


@dataclass(slots=True)
class Times:
    """µs an event, by how many share a commit; and µs an event that is read back."""

    journal: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    bare: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    reading: list[float] = field(default_factory=list)


def measure(scratch: Path, *, share: float, rounds: int, patience: float) -> str:
    """Time appends by batch, bare rows of SQLite beside them, and give the section's text."""
    times = Times()
    before = []
    for _ in range(rounds):
        before.append(wait_until_quiet(patience))
        for batch in BATCHES:
            commits = max(10, round(min(2000, 40_000 / batch) * share))
            folder = scratch / "recording"
            folder.mkdir()
            _journal(folder / "journal.db", batch, commits, times)
            _bare(folder / "bare.db", batch, commits, times)
            shutil.rmtree(folder)
    rows = [
        [
            f"{batch:,}",
            f"{median(times.journal[batch]):,.1f}",
            spread(times.journal[batch], ",.1f"),
            f"{1e6 / median(times.journal[batch]):,.0f}",
            f"{median(times.bare[batch]):,.1f}",
        ]
        for batch in BATCHES
    ]
    head = ["events in a commit", "µs an event", "range", "events/s", "a bare row of SQLite, µs"]
    about = (
        "Each commit is durable (WAL, synchronous=FULL) before the next one begins. An event is "
        f"encoded, appended, and applied to what `status` reads. {rounds} rounds."
    )
    taken_up = f"- taking up a run: {median(times.reading):.1f} µs for each event in its record"
    quiet = f"- others took {max(before):.0%} of the machine at most, just before a round"
    return "\n".join([about, "", table(head, rows), "", taken_up, quiet, machine()])


def _journal(path: Path, batch: int, commits: int, times: Times) -> None:
    journal = SqliteJournal(path)
    claimed = journal.create(RUN, {}, "bench")
    beginning = _beginning(batch * commits)
    journal.append(claimed, beginning)
    began = time.perf_counter()
    for number in range(commits):
        journal.append(claimed, _tasks(number, batch))
    times.journal[batch].append((time.perf_counter() - began) / (commits * batch) * 1e6)
    if batch == BATCHES[-1]:
        began = time.perf_counter()
        recover(journal, RUN)
        events = len(beginning) + commits * batch
        times.reading.append((time.perf_counter() - began) / events * 1e6)
    journal.close()


def _bare(path: Path, batch: int, commits: int, times: Times) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA synchronous = full")
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT)")
    rows = [("x" * 200,)] * batch
    began = time.perf_counter()
    for _ in range(commits):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO rows (body) VALUES (?)", rows)
        connection.execute("COMMIT")
    times.bare[batch].append((time.perf_counter() - began) / (commits * batch) * 1e6)
    connection.close()


def _beginning(images: int) -> list[tuple[float, Event]]:
    started = e.RunStarted("bench", "0" * 64, "parallel", {})
    group = e.GroupOpened(Subject(1, 0), "group")
    received: list[Event] = [
        e.ImageReceived(Subject(1, number), number, f"{number}.jpg", f"photos/{number}.jpg", 1, 0)
        for number in range(1, images + 1)
    ]
    return [(0.0, event) for event in (started, group, *received)]


def _tasks(number: int, batch: int) -> list[tuple[float, Event]]:
    first = number * batch + 1
    stage = StageName("validate")
    return [
        (
            0.0,
            e.TaskSucceeded(Subject(1, ordinal), stage, 1, (), {"width": 8}, None, "p1", 0.0, 1.0),
        )
        for ordinal in range(first, first + batch)
    ]
