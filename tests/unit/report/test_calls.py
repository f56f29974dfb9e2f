"""Alerts where people look: in the status, the report, and as data."""

from __future__ import annotations

import io

import pytest

from imagelane.adapters.observers.plain import Plain
from imagelane.adapters.observers.quiet import Quiet
from imagelane.model import events as e
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.states import RunStatus
from imagelane.ports.journal import RunRow
from imagelane.report import text
from imagelane.report.data import run_data
from imagelane.report.html import render
from imagelane.report.ink import Ink
from imagelane.report.outline import read_outline
from imagelane.report.read import Limits, read_run
from imagelane.report.summary import Whereabouts
from imagelane.testing.histories import received
from imagelane.testing.journals import MemoryJournal
from imagelane.testing.simulation import fold
from tests.unit.report.made_up import plan

EVENTS: list[e.Event] = [
    e.RunStarted("news", "0" * 64, "parallel", {"model": "parallel"}),
    e.GroupOpened(Subject(1), "harbour"),
    received(Subject(1, 1)),
    e.AlertRaised(StageName("moderate"), 1, "breaker_opened", "no answer <b>\x1b[31m", "run"),
    e.AlertSettled(1, "mail", 1),
    e.AlertSettled(1, "webhook", 3, "hooks.example answered with status 500"),
    e.WaitedForRoom("/photos/<i>\x1b[31m", 10, 75.0),
    e.RunSettled(RunStatus.HALTED, "moderate failed on 1.1"),
    e.AlertRaised(None, 2, "run_halted", "moderate failed on 1.1", "1.1"),
]


@pytest.fixture
def journal() -> MemoryJournal:
    journal = MemoryJournal()
    claimed = journal.create(RunId("r"), {}, "owner")
    journal.append(claimed, [(1_795_507_200.0, event) for event in EVENTS])
    return journal


def row(journal: MemoryJournal) -> RunRow:
    (found,) = journal.runs()
    return found


@pytest.mark.parametrize("at_a_glance", [False, True])
def test_the_status_shows_alerts_and_what_became_of_them(
    journal: MemoryJournal, at_a_glance: bool
) -> None:
    read = read_outline if at_a_glance else read_run
    lines = "\n".join(text.status(read(journal, row(journal), Limits()), Ink(), 100))
    assert "breaker opened: no answer <b>␛[31m" in lines
    assert "for room on the disk of /photos/<i>␛[31m" in lines
    assert (
        "delivered by mail; not delivered by webhook in 3 tries: hooks.example answered with "
        "status 500" in lines
    )
    assert "run halted: moderate failed on 1.1" in lines


def test_the_report_shows_them_as_text(journal: MemoryJournal) -> None:
    page = render(read_run(journal, row(journal)))
    assert 'id="alerts"' in page
    assert "no answer &lt;b&gt;␛[31m" in page
    assert "not delivered by webhook in 3 tries" in page
    assert "nothing is recorded" in page


def test_programs_get_them_as_data(journal: MemoryJournal) -> None:
    first, second = run_data(read_run(journal, row(journal)))["alerts"]
    assert (first["cause"], first["stage"]) == ("breaker opened", "moderate")
    assert first["deliveries"][1]["tries"] == 3
    assert (second["about"], second["deliveries"]) == ("1.1", [])


def test_a_quiet_run_says_what_it_calls_for_and_what_did_not_arrive() -> None:
    out = io.StringIO()
    Quiet(out).recorded(EVENTS)
    assert out.getvalue().splitlines() == [
        "alert: no answer <b>␛[31m",
        "not delivered by webhook in 3 tries: hooks.example answered with status 500",
        "alert: moderate failed on 1.1",
    ]


def test_a_run_in_a_pipe_says_it_at_once_and_at_the_end() -> None:
    out = io.StringIO()
    observer = Plain(out, Whereabouts(), clock=lambda: 0.0)
    observer.opened(plan(), "r", (1, 1))
    observer.recorded(EVENTS)
    assert "[0:00] alert: no answer <b>␛[31m" in out.getvalue()
    observer.closed(fold(EVENTS))
    at_the_end = out.getvalue().partition("news-gallery halted")[2]
    assert "  alert no answer <b>␛[31m" in at_the_end
    assert "not delivered by webhook in 3 tries: hooks.example answered" in at_the_end
