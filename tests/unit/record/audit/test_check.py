"""Journals that somebody has changed: that it is found, and where."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from random import Random

import pytest

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.adapters.journals.sqlite.audit import SqliteAuditLog
from imagelane.model.ids import Subject
from imagelane.model.note import Checkpoint
from imagelane.ports.audit import Stored
from imagelane.record.audit.causes import Causes
from imagelane.record.audit.check import Verdict, verify
from imagelane.record.audit.leaf import content_of, erased, said_of
from imagelane.record.audit.reading import Account, Entry, JournalAccount, Progress, entry_of
from imagelane.record.audit.seal import ChangedError, seal
from imagelane.record.audit.sealed import Sealed, line
from imagelane.testing import audit_runs
from imagelane.testing.audit_runs import PLAN, RUN

START = Progress.at_the_beginning(PLAN)
EVERY = 1_000
"""Events between two checkpoints of the long journal."""


def rows_of(path: Path, length: int) -> list[Stored]:
    """A run that was recorded through the real journal, as it is stored."""
    journal = SqliteJournal(path)
    audit_runs.record(journal, length)
    journal.close()
    log = SqliteAuditLog(path)
    log.make_keys(RUN)
    rows = list(log.stored(RUN))
    log.close()
    assert len(rows) >= length
    return rows


@dataclass(frozen=True)
class Rows:
    """A log in memory. ``known`` are digests of contents by row, where somebody has them."""

    rows: Sequence[Stored]

    def entries(self, progress: Progress) -> Iterator[Entry]:
        for row in self.rows[progress.frontier.size :]:
            yield entry_of(row, progress.causes)

    def contents(self, progress: Progress) -> Iterator[tuple[int, str]]:
        for row in self.rows[progress.frontier.size :]:
            yield row.index, content_of(row, said_of(row)).digest()


def sealing(rows: Sequence[Stored]) -> tuple[Checkpoint, Sealed]:
    lines: list[str] = []
    checkpoint = seal(Rows(rows), START, "here", [], lines.append)
    return checkpoint, Sealed.read(lines)


def renumbered(rows: Sequence[Stored]) -> list[Stored]:
    return [replace(row, index=index) for index, row in enumerate(rows, 1)]


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> list[Stored]:
    return rows_of(tmp_path_factory.mktemp("short") / "journal.db", 600)


def check(rows: Sequence[Stored], signed: Sequence[Stored], sizes: Sequence[int] = ()) -> Verdict:
    """Rows held against checkpoints of what was signed, at these sizes and at its end."""
    checkpoints = [sealing(signed[:size])[0] for size in sizes]
    last, sealed = sealing(signed)
    return verify(Rows(rows), START, [*checkpoints, last], sealed)


def test_what_was_not_changed_is_consistent(short: list[Stored]) -> None:
    assert check(short, short, [1, 100, 256]) == Verdict(len(short), len(short))


def test_what_came_later_is_told_apart(short: list[Stored]) -> None:
    found = check(short, short[:400])
    assert (found.events, found.agreed, found.findings) == (len(short), 400, ())


def edited(row: Stored) -> Stored:
    return replace(row, body=row.body.replace('"attempt":1', '"attempt":2'))


def test_an_edit_is_named(short: list[Stored]) -> None:
    place = next(n for n, row in enumerate(short) if '"attempt":1' in row.body and n > 300)
    rows = [*short[:place], edited(short[place]), *short[place + 1 :]]
    found = check(rows, short, [100])
    assert found.findings == (f"event {place + 1:,}: edited",)
    assert found.agreed == 100


@pytest.mark.parametrize(
    "change",
    [
        lambda row: replace(row, at=row.at + 2.4e-7),
        lambda row: replace(row, fence=row.fence + 1),
        lambda row: replace(row, type="task_skipped"),
        lambda row: replace(row, stage="store"),
        lambda row: replace(row, body=row.body + " "),
        lambda row: replace(row, body='{"erased":"' + "0" * 64 + '","outcome":"","role":""}'),
        lambda row: replace(row, key=bytes(32)),
        lambda row: replace(row, run="another"),
        lambda row: replace(row, at=inf),
        lambda row: replace(row, body="no json"),
        lambda row: replace(row, body="[]"),
        lambda row: replace(row, body='{"erased":5}'),
        lambda row: replace(row, type=""),
        lambda row: replace(row, stage=None),
        lambda row: replace(row, stage="\x00\udcff"),
        lambda row: replace(row, subject=Subject(-1, -1)),
        lambda row: replace(row, subject=Subject(1 << 60, 1 << 60)),
        lambda row: replace(row, fence=-1),
    ],
    ids=[
        *("time", "fence", "type", "stage", "blank", "erased", "key", "run", "infinity", "no json"),
        *("a list", "no commitment", "no type", "no stage", "a faulty stage", "nobody", "far away"),
        "an old fence",
    ],
)
def test_whatever_is_edited_is_found(
    short: list[Stored], change: Callable[[Stored], Stored]
) -> None:
    place = next(n for n, row in enumerate(short) if row.type == "task_succeeded" and n > 200)
    rows = [*short[:place], change(short[place]), *short[place + 1 :]]
    assert check(rows, short).findings == (f"event {place + 1:,}: edited",)


def test_an_event_that_is_said_of_another_image_is_found_there_and_nowhere_else(
    short: list[Stored],
) -> None:
    """Its image's later events would have other parents: that follows from the one edit."""
    place = next(n for n, row in enumerate(short) if row.stage == "validate" and n > 100)
    other = short[place].subject._replace(ordinal=short[place].subject.ordinal % 20 + 1)
    rows = [*short[:place], replace(short[place], subject=other), *short[place + 1 :]]
    assert check(rows, short).findings == (f"event {place + 1:,}: edited",)


def test_missing_events_are_named(short: list[Stored]) -> None:
    rows = [*short[:99], *short[103:]]
    assert check(rows, short).findings == (
        f"the log is shorter than checkpoint {len(short):,}: it has {len(short) - 4:,} events",
        "events 100–103: missing",
    )
    assert check(renumbered(rows), short).findings[1] == (
        "events 100–103: missing; those after were given their numbers"
    )


def test_events_that_were_put_in_are_named(short: list[Stored]) -> None:
    rows = renumbered([*short[:200], replace(short[50], at=1.0), *short[200:]])
    assert check(rows, short).findings == ("event 201: put in",)


def test_exchanged_and_reordered_events_are_named(short: list[Stored]) -> None:
    rows = list(short)
    rows[120], rows[300] = rows[300], rows[120]
    assert check(renumbered(rows), short).findings == ("events 121 and 301: exchanged",)
    rows = [*short[:50], *reversed(short[50:55]), *short[55:]]
    (found,) = check(renumbered(rows), short).findings
    assert found.startswith("events 51")
    assert found.endswith("reordered")


def test_several_changes_are_all_named(short: list[Stored]) -> None:
    rows = [*short[:50], *short[52:150], replace(short[150], at=2.0), *short[151:]]
    assert check(renumbered(rows), short).findings[1:] == (
        "events 51–52: missing; those after were given their numbers",
        "event 151: edited",
    )


def test_an_old_copy_is_shorter(short: list[Stored]) -> None:
    found = check(short[:250], short, [200])
    assert found.agreed == 200
    assert found.findings[0] == (
        f"the log is shorter than checkpoint {len(short):,}: it has 250 events"
    )
    assert found.findings[1] == f"events 251–{len(short):,}: missing"


def test_an_old_copy_that_went_on_is_another_history(short: list[Stored]) -> None:
    other = [replace(row, at=row.at + 10) for row in short[250:]]
    found = check([*short[:250], *other], short)
    assert found.findings == (f"events 251–{len(short):,}: edited",)


def test_without_its_leaves_a_change_is_found_between_two_checkpoints(short: list[Stored]) -> None:
    rows = [*short[:250], replace(short[250], at=0.5), *short[251:]]
    checkpoints = [sealing(short[:size])[0] for size in (200, 400, len(short))]
    found = verify(Rows(rows), START, checkpoints)
    assert found.agreed == 200
    assert len(found.findings) == 1
    assert found.findings[0].startswith(f"events 201–{len(short):,}: not what checkpoint")
    assert not found.located


def test_leaves_that_were_forged_with_the_record_are_not_believed(short: list[Stored]) -> None:
    rows = [*short[:250], replace(short[250], at=0.5), *short[251:]]
    _, forged = sealing(rows)
    found = verify(Rows(rows), START, [sealing(short)[0]], forged)
    assert not found.sound
    assert not found.located


def test_without_a_checkpoint_what_does_not_fit_is_still_found(short: list[Stored]) -> None:
    assert verify(Rows(short), START, []) == Verdict(len(short), 0)
    found = verify(Rows([*short[:99], *short[103:]]), START, [])
    assert found.findings[0] == "events 100–103: missing"
    rows = list(short)
    rows[120], rows[300] = rows[300], rows[120]
    assert verify(Rows(renumbered(rows)), START, []).findings
    assert verify(Rows([*short[:9], edited(short[8]), *short[9:]]), START, []).findings


def test_an_erased_payload_leaves_the_tree_as_it_was(short: list[Stored]) -> None:
    image = short[300].subject
    assert image.ordinal
    ending = replace(short[-1], index=len(short) + 1, type="image_erased", subject=image, body="{}")
    signed = [*short, ending]
    rows = [
        replace(row, body=erased(row, row.key), key=None)
        if row.subject == image and row.type != "image_erased" and row.key
        else row
        for row in signed
    ]
    gone = sum(1 for row in rows if row.body.startswith('{"erased"'))
    assert gone > 3
    found = check(rows, signed, [100])
    assert (found.findings, found.erased, found.agreed) == ((), gone, len(signed))


def test_a_payload_that_was_taken_away_without_an_erasure_is_found(short: list[Stored]) -> None:
    key = short[300].key
    assert key
    rows = [*short[:300], replace(short[300], body=erased(short[300], key)), *short[301:]]
    assert check(rows, short).findings == (
        "events 301: what they said was taken away, and no erasure is recorded",
    )


def test_nothing_is_signed_over_a_change(short: list[Stored]) -> None:
    earlier, _ = sealing(short[:400])
    assert seal(Rows(short), START, "here", [earlier], lambda _: None).size == len(short)
    for rows in (short[:399], [*short[:9], edited(short[20]), *short[10:]]):
        with pytest.raises(ChangedError, match="checkpoint 400"):
            seal(Rows(rows), START, "here", [earlier], lambda _: None)


def test_a_damaged_file_of_leaves_is_good_for_what_precedes_the_damage(
    short: list[Stored],
) -> None:
    causes = Causes(PLAN)
    lines = [line(entry_of(row, causes).leaf) for row in short]
    assert len(Sealed.read([*lines[:10], "torn", *lines[11:]]).hashes) == 10


# A hundred thousand events


@dataclass(frozen=True)
class Long:
    """The long journal, its checkpoints, and how far reading had come at each of them."""

    rows: list[Stored]
    by_row: dict[int, str]
    """The digest of each row's content, by the row's identity."""
    checkpoints: list[Checkpoint]
    progress: list[Progress]
    sealed: Sealed


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Long:
    rows = rows_of(tmp_path_factory.mktemp("long") / "journal.db", 100_000)
    progress, checkpoints, stages, sealed = START.copy(), [], [START.copy()], Sealed()
    for entry in Rows(rows).entries(progress):
        progress.frontier.append(entry.hash)
        progress.expected += 1
        sealed.add(entry.leaf)
        if progress.frontier.size % EVERY == 0 or progress.frontier.size == len(rows):
            checkpoints.append(Checkpoint("here", progress.frontier.size, progress.frontier.root()))
            stages.append(progress.copy())
    by_row = {id(row): digest for row, digest in zip(rows, sealed.contents, strict=True)}
    return Long(rows, by_row, checkpoints, stages, sealed)


@dataclass(frozen=True)
class Tampered:
    """Rows from ``first`` on are as somebody has left them. Of rows that were not changed the
    digest is known, so that a thousand such logs can be looked at."""

    long: Long
    rows: list[Stored]
    first: int
    kind: str
    told: str
    """What must be said of it."""

    def entries(self, progress: Progress) -> Iterator[Entry]:
        shifted = self.kind != "gap"
        for place in range(progress.frontier.size, len(self.rows)):
            row = self.rows[place]
            if shifted and row.index != place + 1:
                row = replace(row, index=place + 1)
            yield entry_of(row, progress.causes)

    def contents(self, progress: Progress) -> Iterator[tuple[int, str]]:
        size, known = progress.frontier.size, self.long.by_row
        rows = self.rows[size:]
        digests = [known.get(id(row)) or content_of(row, said_of(row)).digest() for row in rows]
        if self.kind == "gap":
            return zip((row.index for row in rows), digests, strict=True)
        return zip(range(size + 1, len(self.rows) + 1), digests, strict=True)


def shorter(long: Long, has: int) -> str:
    return f"the log is shorter than checkpoint {len(long.rows):,}: it has {has:,} events"


def tamper(long: Long, choose: Random) -> Tampered:
    rows = list(long.rows)
    place = choose.randrange(1, len(rows) - 10)
    kind = choose.choice(["edit", "delete", "gap", "insert", "swap", "truncate", "restore"])
    match kind:
        case "edit":
            row = rows[place]
            what = choose.choice(["body", "at", "type", "stage"])
            change = {
                "body": {"body": row.body.replace("}", ' ,"x":1}', 1)},
                "at": {"at": row.at + 1},
                "type": {"type": "task_skipped" if row.type != "task_skipped" else "x"},
                "stage": {"stage": f"{row.stage}-other"},
            }[what]
            rows[place] = replace(row, **change)  # type: ignore[arg-type]
            told = f"event {place + 1:,}: edited"
        case "delete" | "gap":
            many = choose.choice([1, 1, 4, 9])
            del rows[place : place + many]
            named = f"events {place + 1:,}–{place + many:,}" if many > 1 else f"event {place + 1:,}"
            told = f"{named}: missing"
        case "insert":
            rows.insert(place, replace(rows[choose.randrange(len(rows))], at=7.0))
            told = f"event {place + 1:,}: put in"
        case "swap":
            other = place
            while abs(other - place) < 2:
                other = choose.randrange(1, len(rows) - 10)
            rows[place], rows[other] = rows[other], rows[place]
            place, other = sorted((place, other))
            told = f"events {place + 1:,} and {other + 1:,}: exchanged"
        case "truncate":
            del rows[place:]
            told = shorter(long, place)
        case _:
            # An old copy was put back, and recorded something else since.
            later = [replace(row, at=row.at + 60) for row in rows[place : place + 20]]
            rows[place:] = later
            told = shorter(long, len(rows))
    return Tampered(long, rows, place, kind, told)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_changes_of_a_hundred_thousand_events_are_found_and_named(
    long: Long, seed: int
) -> None:
    choose = Random(seed)
    sizes = [one.size for one in long.checkpoints]
    kinds: dict[str, int] = {}
    for trial in range(250):
        changed = tamper(long, choose)
        kinds[changed.kind] = kinds.get(changed.kind, 0) + 1
        # What precedes the change was verified before; from there on it is read.
        start = long.progress[bisect_right(sizes, changed.first)]
        found = verify(changed, start, long.checkpoints, long.sealed)
        assert any(changed.told in one for one in found.findings), (
            trial,
            changed.kind,
            changed.told,
            found.findings[:3],
        )
        assert found.agreed <= changed.first, trial
    assert min(kinds.values()) > 20
    assert len(kinds) == 7


@pytest.mark.slow
def test_one_checkpoint_at_the_end_is_enough(long: Long) -> None:
    choose = Random(7)
    for _ in range(7):
        changed = tamper(long, choose)
        found = verify(changed, START, long.checkpoints[-1:], long.sealed)
        assert any(changed.told in one for one in found.findings)
        assert found.agreed == 0
    whole: Account = Rows(long.rows)
    assert verify(whole, START, long.checkpoints).sound


def test_a_real_journal_that_is_edited_with_sql_is_found(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    signed = rows_of(path, 400)
    last, sealed = sealing(signed)
    journal = SqliteJournal(path)
    try:
        connection = journal._connection
        connection.execute(
            "UPDATE events SET body = replace(body, 'worker-1', 'worker-2') WHERE log_index = 123"
        )
        connection.execute("DELETE FROM events WHERE log_index BETWEEN 200 AND 203")
    finally:
        journal.close()
    log = SqliteAuditLog(path)
    try:
        found = verify(JournalAccount(log, RUN), START, [last], sealed)
    finally:
        log.close()
    said = " | ".join(found.findings)
    assert re.search(r"events 200–203: missing$", said)
    if signed[122].body.count("worker-1"):
        assert "event 123: edited" in said
