"""Backoff with jitter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.model.outcome import Failure
from imagelane.model.policy import RetryPolicy
from imagelane.model.states import ErrorClass
from imagelane.schedule.retry import retry_delay

TRANSIENT = Failure(ErrorClass.TRANSIENT, "later")


@pytest.mark.parametrize("error", list(ErrorClass))
def test_only_what_can_help_is_retried(error: ErrorClass) -> None:
    delay = retry_delay(RetryPolicy(), Failure(error, ""), 1, 0.5)
    assert (delay is None) == (error in {ErrorClass.INVALID, ErrorClass.BUG})


def test_attempts_are_used_up() -> None:
    policy = RetryPolicy(attempts=3)
    assert retry_delay(policy, TRANSIENT, 2, 0.5) is not None
    assert retry_delay(policy, TRANSIENT, 3, 0.5) is None


def test_without_jitter_delays_double_up_to_the_maximum() -> None:
    policy = RetryPolicy(attempts=9, initial=0.5, backoff=2.0, max=3.0, jitter="none")
    assert [retry_delay(policy, TRANSIENT, n, 0.9) for n in range(1, 6)] == [
        0.5,
        1.0,
        2.0,
        3.0,
        3.0,
    ]


@given(attempt=st.integers(1, 10_000), draw=st.floats(0, 1, exclude_max=True))
def test_full_jitter_stays_below_its_bound(attempt: int, draw: float) -> None:
    policy = RetryPolicy(attempts=20_000, initial=0.5, backoff=3.0, max=30.0)
    delay = retry_delay(policy, TRANSIENT, attempt, draw)
    assert delay is not None
    assert 0 <= delay <= min(30.0, 0.5 * 3.0 ** min(attempt - 1, 64))


def test_what_the_other_side_asks_for_is_kept() -> None:
    asked = Failure(ErrorClass.TRANSIENT, "busy", retry_after=7.0)
    assert retry_delay(RetryPolicy(), asked, 1, 0.0) == 7.0
    impudent = Failure(ErrorClass.TRANSIENT, "busy", retry_after=86400.0)
    assert retry_delay(RetryPolicy(max=30.0), impudent, 1, 0.0) == 30.0
