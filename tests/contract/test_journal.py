"""Every journal keeps the one contract, and all of them tell the same story."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.model.run import RunState, evolve
from imagelane.ports.journal import Journal
from imagelane.testing.histories import history
from imagelane.testing.journal_contract import (
    RUN,
    JournalContract,
    expected_counts,
    observed_counts,
    record,
)
from imagelane.testing.journals import MemoryJournal


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def journal(self) -> Journal:
        return MemoryJournal()


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    def journal(self, tmp_path: Path) -> Iterator[Journal]:
        journal = SqliteJournal(tmp_path / "journal.db")
        yield journal
        journal.close()


@settings(max_examples=60, deadline=None)
@given(choose=st.randoms(use_true_random=False), cuts=st.lists(st.integers(1, 9), max_size=40))
def test_all_journals_agree_at_every_commit(choose: Random, cuts: list[int]) -> None:
    with TemporaryDirectory() as folder:
        sqlite = SqliteJournal(Path(folder, "journal.db"))
        memory = MemoryJournal()
        told = [(journal, journal.create(RUN, {}, "owner")) for journal in (sqlite, memory)]
        state = RunState()
        events = list(history(choose, 60))
        for cut in [*cuts, len(events)]:
            batch, events = events[:cut], events[cut:]
            for event in batch:
                evolve(state, event)
            for journal, claimed in told:
                record(journal, claimed, *batch)

            assert list(sqlite.images(RUN)) == list(memory.images(RUN))
            assert list(sqlite.groups(RUN)) == list(memory.groups(RUN))
            assert sqlite.image_counts(RUN) == memory.image_counts(RUN)
            assert observed_counts(sqlite, RUN) == expected_counts(state)
            assert observed_counts(sqlite, RUN).total() == state.received
        assert list(sqlite.events(RUN)) == list(memory.events(RUN))
        sqlite.close()
