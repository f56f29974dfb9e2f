"""What only the SQLite journal can get wrong: its file, its schema, other processes, full disks."""

from __future__ import annotations

import signal
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.adapters.journals.sqlite.file import APPLICATION, migrations
from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.states import ImageState
from imagelane.ports.journal import JournalError, JournalFullError, StaleFenceError
from imagelane.testing.histories import NAMES, received
from imagelane.testing.journal_contract import OTHER, RUN, record
from tests.unit.adapters.child import run, start

PACKAGE = "imagelane.adapters.journals.sqlite"

_PRAGMAS = ("table_list", "table_xinfo", "foreign_key_list", "index_list", "index_xinfo")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(path)
    yield journal
    journal.close()


def shape(connection: apsw.Connection) -> list[object]:
    """Tables, columns, keys and indexes, without the wording of their SQL."""
    found: list[object] = []
    for kind, name in connection.execute(
        "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
    ):
        found.append((kind, name))
        found.extend(
            (pragma, list(connection.execute(f"PRAGMA {pragma}({name})"))) for pragma in _PRAGMAS
        )
    return found


def test_migrations_from_the_first_version_give_the_schema(journal: SqliteJournal) -> None:
    migrated = apsw.Connection(":memory:")
    for step in migrations():
        migrated.execute(step)

    assert shape(migrated) == shape(journal._connection)
    assert len(shape(migrated)) > 10


def test_older_file_is_brought_up_to_date(path: Path) -> None:
    first = apsw.Connection(str(path))
    first.execute(migrations()[0])
    first.execute(f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1")
    first.close()

    journal = SqliteJournal(path)
    assert journal._connection.execute("PRAGMA user_version").get == len(migrations())
    record(journal, journal.create(RUN, {}, "owner"), e.GroupOpened(Subject(1), "a"))
    journal.close()


def test_newer_file_is_left_alone(journal: SqliteJournal, path: Path) -> None:
    newer = len(migrations()) + 1
    journal._connection.execute(f"PRAGMA user_version = {newer}")
    with pytest.raises(JournalError, match=rf"later imagelane \(journal version {newer}"):
        SqliteJournal(path)


def test_file_of_another_program_is_left_alone(path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE messages (text)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="another program"):
        SqliteJournal(path)
    assert path.read_bytes() == before


def test_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"\xff\xd8\xff\xe0" * 2000)
    with pytest.raises(JournalError, match="is not a journal"):
        SqliteJournal(path)


def test_damage_is_named(journal: SqliteJournal, path: Path) -> None:
    claimed = journal.create(RUN, {}, "owner")
    record(journal, claimed, e.GroupOpened(Subject(1), "a"))
    record(journal, claimed, *(received(Subject(1, n)) for n in range(1, 3000)))
    journal.close()
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xa5" * (len(data) - 8192)
    path.write_bytes(data)

    damaged = SqliteJournal(path)
    with pytest.raises(JournalError, match=r"journal\.db is damaged .* backup"):
        list(damaged.events(RUN))
    damaged.close()


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="check the path"):
        SqliteJournal(tmp_path / "missing" / "journal.db")


def test_missing_journal_is_not_made_by_looking(path: Path) -> None:
    with pytest.raises(JournalError, match="nothing was run"):
        SqliteJournal(path, create=False)
    assert not path.exists()


def test_commits_are_durable_by_default(journal: SqliteJournal) -> None:
    def pragma(name: str) -> object:
        return journal._connection.execute(f"PRAGMA {name}").get

    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)


def test_full_disk_loses_nothing_and_goes_on_when_there_is_room(journal: SqliteJournal) -> None:
    claimed = journal.create(RUN, {}, "owner")
    record(journal, claimed, e.GroupOpened(Subject(1), "a"))
    pages = journal._connection.execute("PRAGMA page_count").get
    journal._connection.execute(f"PRAGMA max_page_count = {pages + 4}")
    batch = [received(Subject(1, n)) for n in range(1, 1001)]

    with pytest.raises(JournalFullError, match=r"no room left on the disk of .*journal\.db"):
        record(journal, claimed, *batch)
    assert len(list(journal.events(RUN))) == 1

    journal._connection.execute("PRAGMA max_page_count = 1000000")
    record(journal, claimed, *batch)
    assert journal.image_counts(RUN) == {ImageState.RECEIVED: 1000}


FAILING_DISK = """
import resource, signal, sys
from pathlib import Path
from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.ports.journal import Claimed, JournalError
from imagelane.testing.journal_contract import RUN, record
from imagelane.testing.histories import received
from imagelane.model.ids import Subject
journal = SqliteJournal(Path(sys.argv[1]))
claimed = Claimed(RUN, int(sys.argv[2]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
for attempt in range(2):
    try:
        for n in range(1, 10_000):
            record(journal, claimed, received(Subject(1, n)))
    except JournalError as error:
        print(error)
print(len(list(journal.events(RUN))))
"""


def test_disk_that_fails_is_named_and_not_tried_again(journal: SqliteJournal, path: Path) -> None:
    claimed = journal.create(RUN, {}, "owner")
    record(journal, claimed, e.GroupOpened(Subject(1), "a"))
    journal.close()

    done = run(FAILING_DISK, path, claimed.fence)
    first, again, count = done.stdout.splitlines()
    assert "the disk failed under" in first
    assert again == first

    reopened = SqliteJournal(path)
    assert reopened.image_counts(RUN).get(ImageState.RECEIVED, 0) == int(count) - 1 > 5
    record(reopened, claimed, received(Subject(1, 20_000)))
    reopened.close()


WRITER = """
import sys
from pathlib import Path
from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.testing.journal_contract import RUN, record
from imagelane.testing.histories import received
from imagelane.model import events as e
from imagelane.model.ids import Subject
journal = SqliteJournal(Path(sys.argv[1]))
claimed = journal.create(RUN, {}, "owner")
record(journal, claimed, e.GroupOpened(Subject(1), "a"))
for n in range(1, 100_000, 3):
    record(journal, claimed, *(received(Subject(1, n + i)) for i in range(3)))
    print(n + 2, flush=True)
"""


def test_what_was_acknowledged_survives_sigkill_and_others_may_read_meanwhile(path: Path) -> None:
    with start(WRITER, path) as writer:
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline())
        reader = SqliteJournal(path, create=False)
        for _ in range(20):
            acknowledged = int(writer.stdout.readline())
            seen = reader.image_counts(RUN)[ImageState.RECEIVED]
            assert seen >= acknowledged
            assert seen % 3 == 0
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().splitlines()
    acknowledged = int(rest[-1]) if rest else acknowledged

    reopened = SqliteJournal(path)
    count = reopened.image_counts(RUN)[ImageState.RECEIVED]
    assert count in {acknowledged, acknowledged + 3}
    assert [one.index for one in reopened.events(RUN)] == list(range(1, count + 2))
    reopened.close()
    reader.close()


def test_another_connection_takes_the_run_over(journal: SqliteJournal, path: Path) -> None:
    claimed = journal.create(RUN, {}, "owner-1")
    other = SqliteJournal(path)
    later = other.claim(RUN, "owner-2")
    record(other, later, e.GroupOpened(Subject(1), "a"))
    with pytest.raises(StaleFenceError, match="taken 20261123-120000-aaaa over"):
        record(journal, claimed, e.GroupOpened(Subject(2), "b"))
    assert [row.group for row in journal.groups(RUN)] == [1]
    other.close()


def test_lock_of_another_program_is_waited_for_and_then_named(
    journal: SqliteJournal, path: Path
) -> None:
    claimed = journal.create(RUN, {}, "owner")
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    journal._connection.set_busy_timeout(50)
    with pytest.raises(JournalError, match="locked by another program"):
        record(journal, claimed, e.GroupOpened(Subject(1), "a"))
    other.execute("ROLLBACK")
    record(journal, claimed, e.GroupOpened(Subject(1), "a"))
    other.close()


def test_fences_rise_even_when_the_clock_goes_back_or_the_file_is_new(tmp_path: Path) -> None:
    times = iter([1000.0, 500.0, 400.0])
    old = SqliteJournal(tmp_path / "old.db", clock=lambda: next(times))
    fences = [old.create(RUN, {}, "o").fence, old.create(OTHER, {}, "o").fence]
    fences.append(old.claim(RUN, "o").fence)
    assert fences == [1_000_000, 1_000_001, 1_000_002]
    old.close()

    new = SqliteJournal(tmp_path / "new.db", clock=lambda: 2000.0)
    assert new.create(RUN, {}, "o").fence > fences[-1]
    new.close()


@pytest.mark.parametrize("name", [*NAMES, "lone \ud800 half", "nul \x00 in it", "x" * 300])
def test_names_of_any_bytes_come_back(journal: SqliteJournal, name: str) -> None:
    claimed = journal.create(RUN, {"file": name}, "owner")
    record(journal, claimed, e.RunStarted(name, "d", "parallel", {}))
    record(journal, claimed, e.GroupOpened(Subject(1), name))
    record(journal, claimed, received(Subject(1, 1), name=name))
    record(journal, claimed, e.ImageSettled(Subject(1, 1), ImageState.DEAD, None, name))

    (image,) = journal.images(RUN)
    (group,) = journal.groups(RUN)
    (run,) = journal.runs()
    told = [one.event for one in journal.members(RUN, 1)]
    assert (image.name, image.reason, group.name) == (name, name, name)
    assert (run.pipeline, run.definition) == (name, {"file": name})
    assert told[0] == received(Subject(1, 1), name=name)


def test_value_that_json_cannot_say_is_refused_whole(journal: SqliteJournal) -> None:
    claimed = journal.create(RUN, {}, "owner")
    bad = e.TaskSucceeded(
        Subject(1, 1), StageName("x"), 1, (), {"score": float("nan")}, None, "w", 0.0, 1.0
    )
    with pytest.raises(ValueError, match="JSON"):
        record(journal, claimed, e.GroupOpened(Subject(1), "a"), bad)
    assert list(journal.groups(RUN)) == []
    record(journal, claimed, e.GroupOpened(Subject(1), "a"))


def test_reading_holds_a_page_and_does_not_stand_in_the_way(journal: SqliteJournal) -> None:
    claimed = journal.create(RUN, {}, "owner")
    record(journal, claimed, e.GroupOpened(Subject(1), "a"))
    for first in range(1, 20_001, 1000):
        record(journal, claimed, *(received(Subject(1, n)) for n in range(first, first + 1000)))

    tracemalloc.start()
    peaks = []
    for read in (
        lambda: journal.events(RUN),
        lambda: journal.members(RUN, 1),
        lambda: journal.images(RUN),
    ):
        tracemalloc.reset_peak()
        base = tracemalloc.get_traced_memory()[0]
        assert sum(1 for _ in read()) >= 20_000
        peaks.append(tracemalloc.get_traced_memory()[1] - base)
    tracemalloc.stop()
    assert max(peaks) < 3_000_000

    half_read = journal.events(RUN)
    next(half_read)
    record(journal, claimed, received(Subject(1, 30_000)))
    assert sum(1 for _ in half_read) == 20_001
