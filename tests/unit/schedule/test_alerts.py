"""When a human is alerted: once, not a thousand times."""

from __future__ import annotations

from imagelane.model import events as e
from imagelane.model.alert import AlertCause, plain
from imagelane.model.ids import StageName
from imagelane.model.run import RunState, evolve
from imagelane.model.states import RunStatus
from imagelane.schedule.alerts import MOST, alert_of, raised

MODERATE = StageName("moderate")


def alert(state: RunState, cause: AlertCause, about: str, stage: StageName | None = None) -> bool:
    found = raised(state, cause, "said", about, stage)
    if found is not None:
        evolve(state, found)
    return found is not None


def test_the_same_cause_and_subject_alert_once() -> None:
    state = RunState()
    assert alert(state, AlertCause.BREAKER_OPENED, "run", MODERATE)
    assert not alert(state, AlertCause.BREAKER_OPENED, "run", MODERATE)
    assert alert(state, AlertCause.BREAKER_OPENED, "run", StageName("other"))
    assert alert(state, AlertCause.GATE_TIMED_OUT, "3")
    assert alert(state, AlertCause.GATE_TIMED_OUT, "4")


def test_images_that_one_stage_holds_alert_once() -> None:
    state = RunState()
    assert alert(state, AlertCause.IMAGE_HELD, "1.1", MODERATE)
    assert not alert(state, AlertCause.IMAGE_HELD, "1.2", MODERATE)


def test_a_thousand_late_groups_are_not_a_thousand_alerts() -> None:
    state = RunState()
    sent = sum(alert(state, AlertCause.GATE_TIMED_OUT, str(group)) for group in range(1000))
    assert sent == MOST
    assert "no more alerts of this kind" in state.alerts[MOST].message


def test_a_run_that_halts_again_alerts_again() -> None:
    state = RunState()
    for _ in range(2):
        evolve(state, e.StopDecided(RunStatus.HALTED, "moderate failed", "1.2"))
        event = e.RunSettled(RunStatus.HALTED, "moderate failed")
        found = alert_of(event, state)
        assert found is not None
        assert (found.cause, found.about) == ("run_halted", "1.2")
        evolve(state, event)
        evolve(state, found)
        evolve(state, e.RunResumed("parallel"))
    assert len(state.alerts) == 2


def test_a_message_is_one_printable_line() -> None:
    assert plain("a\r\nBcc: b\x1b[2J\u202e") == "a��Bcc: b�[2J�"
    assert len(plain("x" * 10_000)) == 1000
