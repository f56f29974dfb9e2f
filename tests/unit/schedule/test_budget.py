"""The retry budget: how much a failing stage may ask beyond its first attempts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imagelane.model.calls import LOOKED_BACK, Calls
from imagelane.schedule.budget import FLOOR, QUIET, SAVED, RetryBudget


def test_five_first_attempts_earn_one_retry_of_a_fifth() -> None:
    budget = RetryBudget(0.2, Calls())
    while budget.take(0.0):
        pass
    for _ in range(4):
        budget.first(0.0)
        assert not budget.take(0.0)
    budget.first(0.0)
    assert budget.take(0.0)
    assert not budget.take(0.0)


def test_a_retry_goes_beyond_it_only_when_the_stage_was_quiet() -> None:
    budget = RetryBudget(0.0, Calls())
    while budget.take(10.0):
        pass
    assert budget.wake_at() == 10.0 + QUIET
    assert not budget.take(10.0 + 0.9 * QUIET)
    assert budget.take(budget.wake_at())
    assert not budget.take(10.0 + 1.5 * QUIET), "one a second, no more"
    budget.first(11.9)
    assert not budget.take(12.0), "a first attempt is an attempt"


def test_a_long_quiet_time_does_not_pay_for_a_storm() -> None:
    budget = RetryBudget(1.0, Calls())
    for _ in range(100_000):
        budget.first(0.0)
    assert sum(budget.take(0.0) for _ in range(1000)) == SAVED


@given(
    share=st.floats(0.0, 1.0),
    steps=st.lists(st.tuples(st.booleans(), st.floats(0.0, 0.4)), max_size=300),
)
def test_retries_stay_within_the_share_and_one_a_second(
    share: float, steps: list[tuple[bool, float]]
) -> None:
    budget, now, firsts, retries = RetryBudget(share, Calls()), 0.0, 0, 0
    for is_first, passes in steps:
        now += passes
        if is_first:
            budget.first(now)
            firsts += 1
        else:
            retries += budget.take(now)
        assert retries <= FLOOR + share * firsts + now / QUIET + 1e-6


@given(
    share=st.sampled_from([0.0, 0.1, 0.2, 1.0]),
    attempts=st.lists(st.booleans(), max_size=200),
)
def test_a_coordinator_that_takes_over_comes_to_the_same_balance(
    share: float, attempts: list[bool]
) -> None:
    budget, calls = RetryBudget(share, Calls()), Calls()
    for now, retry in enumerate(attempts):
        if not retry:
            budget.first(0.1 * now)
        elif not budget.take(0.1 * now):
            continue
        calls.succeeded(retry=retry)
    taken_over = RetryBudget(share, calls)
    taken_over.take(1000.0)
    budget.take(1000.0)
    left = sum(budget.take(1000.0) for _ in range(100))
    assert sum(taken_over.take(1000.0) for _ in range(100)) == left


def test_a_long_storm_is_not_forgotten_by_a_coordinator_that_takes_over() -> None:
    calls = Calls()
    for _ in range(2 * LOOKED_BACK):
        calls.succeeded(retry=True)
    budget = RetryBudget(0.2, calls)
    assert budget.take(0.0), "the stage was quiet, for all that is known"
    assert not budget.take(0.0)
