"""Semaphores and the budget of decoded bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imagelane.schedule.limits import Budget, Semaphores


def test_all_places_are_taken_together_or_none() -> None:
    places = Semaphores({"cpu": 2, "stage": 1})
    places.take(("cpu", "stage"))
    assert not places.available(("cpu", "stage"))
    assert places.available(("cpu",))
    places.give_back(("cpu", "stage"))
    assert places.available(("cpu", "stage"))


def test_a_claim_waits_until_it_fits() -> None:
    budget = Budget(100, 10)
    for order in (1, 2):
        assert budget.available()
        budget.reserve(order)
    budget.claim(1, 95)
    assert budget.grants() == []
    assert not budget.available(), "nothing new begins while a large picture waits"
    budget.release(2)
    assert budget.grants() == [1]
    assert budget.used == 95
    budget.release(1)
    assert budget.available()


def test_two_that_claim_do_not_wait_for_each_other() -> None:
    budget = Budget(100, 10)
    budget.reserve(1)
    budget.reserve(2)
    budget.claim(1, 300)
    budget.claim(2, 300)
    assert budget.grants() == [1], "larger than the whole budget: alone"
    assert budget.grants() == []
    budget.release(1)
    assert budget.grants() == [2]


def test_an_order_that_dies_while_it_waits_is_forgotten() -> None:
    budget = Budget(100, 10)
    budget.reserve(1)
    budget.reserve(2)
    budget.claim(1, 100)
    budget.release(1)
    assert budget.grants() == []
    assert budget.available()


def test_a_claim_that_is_said_twice_counts_once() -> None:
    budget = Budget(100, 10)
    budget.reserve(1)
    budget.reserve(2)
    budget.claim(1, 80)
    budget.claim(1, 80)
    assert budget.grants() == [1]
    budget.claim(1, 80)
    assert budget.grants() == []
    assert budget.available(), "nobody waits"


@given(
    total=st.integers(20, 200),
    script=st.lists(st.tuples(st.sampled_from("bcf"), st.integers(1, 400)), max_size=60),
)
def test_never_over_the_budget_but_for_one_alone(total: int, script: list[tuple[str, int]]) -> None:
    budget = Budget(total, 20)
    running: list[int] = []
    waiting: list[int] = []
    has: dict[int, int] = {}
    number = 0
    for what, size in script:
        if what == "b" and budget.available():
            number += 1
            budget.reserve(number)
            running.append(number)
            has[number] = 20
        elif what == "c" and running:
            order = running.pop(0)
            has[order] += size
            budget.claim(order, has[order])
            waiting.append(order)
        elif what == "f" and running:
            budget.release(running.pop())
        granted = budget.grants()
        assert granted == waiting[: len(granted)], "claims are granted in their order"
        waiting = waiting[len(granted) :]
        running += granted
        assert budget.used <= total or len(running) == 1, "over it only where one is left to go on"
        assert running or not waiting, "somebody can always go on"
