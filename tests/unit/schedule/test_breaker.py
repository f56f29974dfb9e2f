"""The circuit breaker: when a stage is left alone, and how it is found out that it answers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.model.calls import Calls
from imagelane.model.outcome import Failure, Outcome, Success
from imagelane.model.policy import BreakerPolicy
from imagelane.model.states import ErrorClass
from imagelane.schedule.breaker import PATIENCE, Breaker, Heard

POLICY = BreakerPolicy(failures=3, of=4, pause=10.0, max=30.0)
TRANSIENT = Failure(ErrorClass.TRANSIENT, "no answer")


def opened(policy: BreakerPolicy = POLICY) -> Breaker:
    breaker = Breaker(policy, Calls())
    for order in range(policy.failures - 1):
        assert breaker.heard(order, TRANSIENT, 0.0) is Heard.NOTHING
    assert breaker.heard(99, TRANSIENT, 0.0) is Heard.OPENED
    return breaker


def test_it_opens_after_enough_failures_among_the_last_attempts() -> None:
    breaker = Breaker(POLICY, Calls())
    heard: list[Outcome] = [TRANSIENT, TRANSIENT, Success(), Success(), TRANSIENT]
    for order, outcome in enumerate(heard):
        assert breaker.heard(order, outcome, 0.0) is Heard.NOTHING
    assert breaker.allows(0.0)
    assert breaker.heard(6, TRANSIENT, 0.0) is Heard.NOTHING
    assert breaker.heard(7, TRANSIENT, 0.0) is Heard.OPENED
    assert not breaker.allows(9.9)


@pytest.mark.parametrize("error", [ErrorClass.INVALID, ErrorClass.BUG, ErrorClass.WORKER_DIED])
def test_bad_input_never_opens_it(error: ErrorClass) -> None:
    breaker = Breaker(POLICY, Calls())
    for order in range(100):
        breaker.heard(order, Failure(error, "bad"), 0.0)
    assert breaker.allows(0.0)


def test_one_attempt_is_let_through_and_an_answer_closes_it() -> None:
    breaker = opened()
    assert breaker.wake_at(0.0) == 10.0
    assert breaker.allows(10.0)
    breaker.began(100)
    assert not breaker.allows(10.0), "one on probation, not two"
    assert breaker.heard(50, Success(), 10.5) is Heard.NOTHING
    assert not breaker.allows(10.5), "what was in flight says nothing about now"
    assert breaker.heard(100, Failure(ErrorClass.INVALID, "a bad picture"), 11.0) is Heard.CLOSED
    assert breaker.allows(11.0), "bad input is an answer"
    assert breaker.wake_at(11.0) is None


def test_each_failure_on_probation_doubles_the_pause_and_is_not_counted() -> None:
    breaker, now = opened(), 10.0
    for order, pause in zip(itertools.count(100), [20.0, 30.0, 30.0], strict=False):
        breaker.began(order)
        assert breaker.heard(order, TRANSIENT, now) is Heard.SPARED
        assert breaker.wake_at(now) == now + pause
        now += pause


def test_a_service_that_never_comes_back_uses_up_attempts_in_the_end() -> None:
    breaker, now = opened(), 10.0
    for order in range(PATIENCE):
        breaker.began(order)
        assert breaker.heard(order, TRANSIENT, now) is Heard.SPARED
        now += 30.0
    breaker.began(PATIENCE)
    assert breaker.heard(PATIENCE, TRANSIENT, now) is Heard.NOTHING


def test_an_order_that_ends_without_a_word_leaves_the_place_to_another() -> None:
    breaker = opened()
    breaker.began(100)
    breaker.ended(100)
    assert breaker.allows(10.0)


@given(st.lists(st.sampled_from([True, False]), max_size=200))
def test_it_is_open_exactly_after_that_many_of_the_last(bad: list[bool]) -> None:
    breaker = Breaker(POLICY, Calls())
    for order, failed in enumerate(bad):
        heard = breaker.heard(order, TRANSIENT if failed else Success(), 0.0)
        last = bad[max(0, order - POLICY.of + 1) : order + 1]
        assert (heard is Heard.OPENED) == (sum(last) >= POLICY.failures)
        if heard is Heard.OPENED:
            break


def test_a_coordinator_that_takes_over_keeps_to_it_and_looks_at_once() -> None:
    calls = Calls()
    for _ in range(3):
        calls.failed(ErrorClass.TRANSIENT, retry=False, counted=True)
    calls.opened()
    calls.failed(ErrorClass.TRANSIENT, retry=True, counted=True)
    calls.failed(ErrorClass.TRANSIENT, retry=True, counted=False)
    breaker = Breaker(POLICY, calls)
    assert breaker.allows(0.0)
    breaker.began(1)
    assert not breaker.allows(0.0), "one on probation, not two"
    assert breaker.heard(1, TRANSIENT, 1.0) is Heard.SPARED
    assert breaker.wake_at(1.0) == 31.0, "the pause had been doubled once before"


def test_what_was_unanswered_before_it_was_taken_over_counts() -> None:
    calls = Calls()
    for error in (ErrorClass.TIMEOUT, ErrorClass.WORKER_DIED, ErrorClass.TRANSIENT):
        calls.failed(error, retry=False, counted=True)
    breaker = Breaker(POLICY, calls)
    assert breaker.heard(1, TRANSIENT, 0.0) is Heard.OPENED


def test_once_it_was_closed_what_was_before_counts_no_more() -> None:
    calls = Calls()
    for _ in range(3):
        calls.failed(ErrorClass.TRANSIENT, retry=False, counted=True)
    calls.opened()
    calls.succeeded(retry=True)
    calls.closed()
    breaker = Breaker(POLICY, calls)
    assert breaker.heard(1, TRANSIENT, 0.0) is Heard.NOTHING
