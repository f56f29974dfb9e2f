"""Alerts of an engine: durable before they are delivered, and none lost by a crash."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from imagelane.model import events as e
from imagelane.model.alert import Alert
from imagelane.model.outcome import Failure
from imagelane.model.policy import FailurePolicy
from imagelane.model.states import ErrorClass, RunStatus
from imagelane.ports.notifier import NotifierError
from imagelane.testing.journals import MemoryJournal
from imagelane.testing.simulation import Does
from tests.simulation.test_engine import RUN, Rig

HALT = {"on_failure": FailurePolicy.HALT}


@dataclass
class Desk:
    """Somebody who is alerted; remembers what was recorded at that moment."""

    journal: MemoryJournal
    got: list[Alert] = field(default_factory=list)
    recorded: list[bool] = field(default_factory=list)
    works: bool = True

    def deliver(self, alert: Alert) -> None:
        if not self.works:
            raise NotifierError("nobody is there")
        self.recorded.append(
            any(
                isinstance(one.event, e.AlertRaised) and one.event.number == alert.number
                for one in self.journal.events(RUN)
            )
        )
        self.got.append(alert)


def settled(rig: Rig) -> list[e.Event]:
    events = (one.event for one in rig.journal.events(RUN))
    return [event for event in events if isinstance(event, e.AlertSettled)]


def refusing(stage: str, *_: object) -> Does:
    failure = Failure(ErrorClass.INVALID, "no answer\r\nBcc: everybody")
    return Does(1.0, failure) if stage == "moderate" else Does(1.0)


def halting(tmp_path: Path) -> tuple[Rig, Desk]:
    rig = Rig(tmp_path, moderate=dict(HALT), behaviour=refusing)
    desk = Desk(rig.journal)
    rig.notifiers = {"desk": desk}
    return rig, desk


def test_a_halt_alerts_once_after_it_is_durable(tmp_path: Path) -> None:
    rig, desk = halting(tmp_path)
    assert rig.engine().execute().status is RunStatus.HALTED
    (alert,) = desk.got
    assert desk.recorded == [True]
    assert alert.cause == "run_halted"
    assert "no answer��Bcc: everybody" in alert.message
    assert alert.next_command.startswith("imagelane resolve 1.")
    assert settled(rig) == [e.AlertSettled(1, "desk", 1)]


def test_an_alert_that_a_crash_kept_back_is_delivered_by_who_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagelane.engine.loop.LAST_WORDS", 0.0)
    rig, gone = halting(tmp_path)
    gone.works = False
    rig.engine().execute()
    assert settled(rig) == []

    monkeypatch.undo()
    desk = Desk(rig.journal)
    rig.notifiers = {"desk": desk}
    rig.behaviour = lambda *_: Does(1.0)
    rig.engine().execute()
    assert [alert.number for alert in desk.got] == [1]
    assert settled(rig) == [e.AlertSettled(1, "desk", 1)]


def test_a_channel_that_does_not_work_is_recorded_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    rig, desk = halting(tmp_path)
    desk.works = False
    state = rig.engine().execute()
    assert state.status is RunStatus.HALTED
    assert settled(rig) == [e.AlertSettled(1, "desk", 3, "nobody is there")]
