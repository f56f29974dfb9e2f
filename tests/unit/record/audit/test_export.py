from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import rfc8785

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.adapters.journals.sqlite.audit import SqliteAuditLog
from imagelane.model import events as e
from imagelane.model.canonical import canonical
from imagelane.model.ids import RunId, Subject
from imagelane.model.merkle import ProofError
from imagelane.model.note import Checkpoint, NoteError
from imagelane.record.audit.check import verify
from imagelane.record.audit.export import (
    ExportAccount,
    ExportError,
    Header,
    export,
    sealed_in,
)
from imagelane.record.audit.prove import Opening, Proof, prove
from imagelane.record.audit.reading import JournalAccount, Progress
from imagelane.record.audit.seal import seal
from imagelane.record.audit.sealed import Sealed
from imagelane.testing import audit_runs
from imagelane.testing.audit_runs import PLAN, RUN

START = Progress.at_the_beginning(PLAN)
HEADER = Header(RUN, PLAN, (), (), ())


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteAuditLog]:
    path = tmp_path_factory.mktemp("export") / "journal.db"
    journal = SqliteJournal(path)
    audit_runs.record(journal, 500)
    journal.close()
    found = SqliteAuditLog(path)
    found.make_keys(RUN)
    yield found
    found.close()


@pytest.fixture(scope="module")
def checkpoint(log: SqliteAuditLog) -> Checkpoint:
    return seal(JournalAccount(log, RUN), START, f"here/{RUN}", [], lambda _: None)


@pytest.fixture(scope="module")
def lines(log: SqliteAuditLog) -> list[str]:
    return list(export(log, HEADER))


def test_an_export_has_the_root_of_the_journal(lines: list[str], checkpoint: Checkpoint) -> None:
    assert Header.parse(lines[0]) == HEADER
    found = verify(ExportAccount(lambda: lines), START, [checkpoint], sealed_in(lines))
    assert (found.findings, found.agreed) == ((), checkpoint.size)


def test_leaves_and_contents_are_canonical(lines: list[str], log: SqliteAuditLog) -> None:
    entries = list(JournalAccount(log, RUN).entries(START.copy()))
    for line, entry in zip(lines[1:], entries, strict=True):
        values = json.loads(line)
        assert entry.content.text().encode() == rfc8785.dumps(values["content"])
        leaf = {
            "content": values["digest"],
            "index": values["index"],
            "parents": values["parents"],
            "version": 1,
        }
        assert entry.leaf.text().encode() == canonical(leaf)


def test_a_wrong_parent_is_named(lines: list[str]) -> None:
    place = next(n for n, one in enumerate(lines) if '"stage":"store"' in one)
    values = json.loads(lines[place])
    was = values["parents"]
    values["parents"] = was[:-1]
    changed = [*lines[:place], json.dumps(values), *lines[place + 1 :]]
    found = verify(ExportAccount(lambda: changed), START, [])
    listed = ", ".join(map(str, was))
    assert found.findings == (
        f"event {place:,}: names {', '.join(map(str, was[:-1]))} as its parents; they are {listed}",
    )


@pytest.mark.parametrize("line", ["{}", "[]", "no json", '{"index": 1}'])
def test_what_is_no_event_is_named_by_its_line(lines: list[str], line: str) -> None:
    changed = [*lines[:7], line, *lines[8:]]
    with pytest.raises(ExportError, match="line 8"):
        verify(ExportAccount(lambda: changed), START, [])


@pytest.mark.parametrize("line", ["", "{}", '{"format":"imagelane-audit","version":2}'])
def test_what_is_no_header_is_refused(line: str) -> None:
    with pytest.raises(ExportError, match="line 1"):
        Header.parse(line)


def test_an_event_is_proven_and_no_other(log: SqliteAuditLog, checkpoint: Checkpoint) -> None:
    stored = next(log.stored(RUN, after=99))
    note = f"{checkpoint}\n— here AAAAAAAA\n"
    made = prove(JournalAccount(log, RUN), START, 100, checkpoint, note, Opening.of(stored))
    proof = Proof.parse(str(made))
    assert proof == made
    assert proof.opening is not None
    assert proof.opening.payload == stored.body
    assert proof.check(lambda _: None) == checkpoint

    def refused(_: object) -> None:
        raise NoteError("nobody who is trusted")

    with pytest.raises(NoteError):
        proof.check(refused)
    text = str(made)
    with pytest.raises(ProofError):
        Proof.parse(text.replace("index 99", "index 98")).check(lambda _: None)
    with pytest.raises(ProofError):
        Proof.parse(text.replace("tlog-proof@v1", "tlog-proof@v2"))
    other = Proof(made.leaf, made.content, made.path, made.note, Opening("{}", proof.opening.salt))
    with pytest.raises(ProofError, match="not what it said"):
        other.check(lambda _: None)


def test_no_proof_leads_to_a_checkpoint_that_does_not_agree(
    log: SqliteAuditLog, checkpoint: Checkpoint
) -> None:
    wrong = Checkpoint(checkpoint.origin, checkpoint.size - 1, checkpoint.root)
    with pytest.raises(ProofError):
        prove(JournalAccount(log, RUN), START, 100, wrong, "", None)


def test_a_salt_gives_away_nothing_of_another_payload(log: SqliteAuditLog) -> None:
    """Events of one image have one key; showing one of them opens no other."""
    image = Subject(1, 1)
    own = [one for one in log.stored(RUN) if one.subject == image]
    openings = [opening for one in own if (opening := Opening.of(one)) is not None]
    assert len(openings) == len(own) > 5
    assert len({opening.salt for opening in openings}) == len(openings)
    assert all(one.key not in {opening.salt for opening in openings} for one in own)


def test_only_what_has_a_key_is_signed(tmp_path: Path) -> None:
    """A coordinator goes on recording while a checkpoint is made."""
    journal = SqliteJournal(tmp_path / "journal.db")
    claimed = journal.create(RUN, {}, "owner")
    journal.append(claimed, [(1.0, e.RunStarted("gallery", "0", "parallel", {}))])
    log = SqliteAuditLog(tmp_path / "journal.db")
    log.make_keys(RUN)
    journal.append(claimed, [(2.0, e.GroupOpened(Subject(1), "a"))])
    first: list[str] = []
    made = seal(JournalAccount(log, RUN, signable=True), START, "here", [], first.append)
    assert made.size == 1
    log.make_keys(RUN)
    again: list[str] = []
    later = seal(JournalAccount(log, RUN, signable=True), START, "here", [made], again.append)
    assert later.size == 2
    assert Sealed.read(again).contents[:1] == Sealed.read(first).contents
    log.close()
    journal.close()


def test_a_role_that_is_no_unicode_is_exported_as_what_was_signed(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    claimed = journal.create(RUN, {}, "owner")
    received = e.ImageReceived(
        Subject(1, 1), 0, "a\udcff.jpg", "/a\udcff.jpg", 1, 1, "r\u00e4\udcff"
    )
    events: list[e.Event] = [
        e.RunStarted("p", "0", "parallel", {}),
        e.GroupOpened(Subject(1), "\udcff"),
        received,
    ]
    journal.append(claimed, [(1.0, event) for event in events])
    journal.close()
    log = SqliteAuditLog(tmp_path / "journal.db")
    lines = list(export(log, HEADER))
    made = seal(JournalAccount(log, RUN, signable=True), START, "here", [], lambda _: None)
    log.close()
    assert json.loads(lines[3])["content"]["role"] == "r\u00e4\\udcff"
    again = "".join(lines).encode().decode().splitlines(keepends=True)
    assert verify(ExportAccount(lambda: again), START, [made]).agreed == 3


def test_a_run_that_is_not_there_is_named(log: SqliteAuditLog) -> None:
    from imagelane.ports.journal import RunNotFoundError

    with pytest.raises(RunNotFoundError, match="nobody"):
        next(log.stored(RunId("nobody")))
