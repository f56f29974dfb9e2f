"""Alerts on their way: each channel by itself, a few tries, and never an exception."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from imagelane.model.alert import Alert
from imagelane.model.events import AlertRaised, AlertSettled
from imagelane.model.ids import RunId, StageName
from imagelane.model.run import RunState, evolve
from imagelane.ports.notifier import Notifier, NotifierError
from imagelane.record.deliveries import TRIES, Deliveries

RAISED = AlertRaised(StageName("moderate"), 1, "breaker_opened", "no\nanswer", "run")


@dataclass
class Channel:
    """Fails as often as it is told to, then delivers."""

    failures: int = 0
    error: Exception = field(default_factory=lambda: NotifierError("answered with status 500"))
    got: list[Alert] = field(default_factory=list)
    held: threading.Event | None = None

    def deliver(self, alert: Alert) -> None:
        if self.held is not None:
            self.held.wait(30)
        if self.failures:
            self.failures -= 1
            raise self.error
        self.got.append(alert)


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Lets go when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def deliveries(**notifiers: Notifier) -> Deliveries:
    return Deliveries(
        RunId("r"), "news", notifiers, lambda: 1_800_000_000.0, lambda: None, pause=0.01
    )


def all_settled(one: Deliveries) -> list[AlertSettled]:
    found: list[AlertSettled] = []
    ends = time.monotonic() + 20
    while one.pending and time.monotonic() < ends:
        found += one.settled(1.0)
    one.close()
    return found


def test_an_alert_reaches_every_channel() -> None:
    a, b = Channel(), Channel()
    one = deliveries(a=a, b=b)
    one.deliver([RAISED])
    assert sorted(event.channel for event in all_settled(one)) == ["a", "b"]
    assert a.got == b.got
    assert (a.got[0].cause, a.got[0].message) == ("breaker_opened", "no�answer")
    assert a.got[0].next_command == "imagelane status r"


def test_it_is_tried_again_and_given_up_after_a_few_tries() -> None:
    late, never = Channel(failures=1), Channel(failures=99)
    one = deliveries(late=late, never=never)
    one.deliver([RAISED])
    settled = {event.channel: event for event in all_settled(one)}
    assert settled["late"] == AlertSettled(1, "late", 2)
    assert settled["never"] == AlertSettled(1, "never", TRIES, "answered with status 500")


def test_what_a_notifier_throws_is_no_exception_of_the_run() -> None:
    broken = Channel(failures=99, error=ValueError("https://hooks.example/secret"))
    one = deliveries(broken=broken)
    one.deliver([RAISED])
    (settled,) = all_settled(one)
    assert settled.problem == "ValueError in the notifier"


def test_a_channel_that_hangs_holds_up_no_other(held: threading.Event) -> None:
    stuck, fine = Channel(held=held), Channel()
    one = deliveries(stuck=stuck, fine=fine)
    one.deliver([RAISED])
    assert [event.channel for event in one.settled(20.0)] == ["fine"]
    assert one.pending == 1
    one.close()


def test_what_was_not_settled_before_is_delivered_after() -> None:
    state = RunState()
    for event in (
        RAISED,
        AlertRaised(None, 2, "run_halted", "moderate failed", "1.2"),
        AlertSettled(1, "a", 1),
        AlertSettled(2, "b", TRIES, "nobody there"),
    ):
        evolve(state, event)
    a, b = Channel(), Channel()
    one = deliveries(a=a, b=b)
    one.take_up(state)
    all_settled(one)
    assert [alert.number for alert in a.got] == [2]
    assert [alert.number for alert in b.got] == [1]
