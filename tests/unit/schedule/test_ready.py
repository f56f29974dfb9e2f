"""The queues of what could begin."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imagelane.model.ids import Subject
from imagelane.schedule.ready import ReadyQueues


def test_oldest_group_first_and_blocked_segments_are_passed_over() -> None:
    ready = ReadyQueues(2)
    ready.push(0, Subject(2, 1), (2, 5, 0))
    ready.push(0, Subject(1, 1), (1, 0, 0))
    ready.push(1, Subject(1, 2), (1, 1, 1))
    assert ready.pop_first(lambda segment: segment == 1) == (1, Subject(1, 2))
    assert ready.pop_first(lambda _: True) == (0, Subject(1, 1))
    assert ready.pop_first(lambda _: True) == (0, Subject(2, 1))
    assert ready.pop_first(lambda _: True) is None


def test_a_subject_stands_in_a_queue_once() -> None:
    ready = ReadyQueues(1)
    for _ in range(3):
        ready.push(0, Subject(1, 1), (1, 0, 0))
    assert ready.waiting(0) == 1
    assert ready.pop_first(lambda _: True) is not None
    assert ready.pop_first(lambda _: True) is None


def test_what_was_discarded_can_come_again() -> None:
    ready = ReadyQueues(1)
    ready.push(0, Subject(1, 1), (1, 0, 0))
    ready.discard(0, Subject(1, 1))
    assert ready.pop_first(lambda _: True) is None
    ready.push(0, Subject(1, 1), (1, 0, 0))
    ready.discard(0, Subject(1, 1))
    ready.push(0, Subject(1, 1), (1, 0, 0))
    assert ready.waiting(0) == 1
    assert ready.pop_first(lambda _: True) == (0, Subject(1, 1))
    assert ready.pop_first(lambda _: True) is None


@given(st.lists(st.tuples(st.sampled_from("pdo"), st.integers(1, 5), st.integers(0, 2))))
def test_it_holds_what_a_set_would(script: list[tuple[str, int, int]]) -> None:
    ready = ReadyQueues(3)
    model: set[tuple[int, Subject]] = set()
    for what, number, segment in script:
        subject = Subject(number, 1)
        if what == "p":
            ready.push(segment, subject, (number, 0, segment))
            model.add((segment, subject))
        elif what == "d":
            ready.discard(segment, subject)
            model.discard((segment, subject))
        else:
            picked = ready.pop_first(lambda _: True)
            assert (picked is None) == (not model)
            if picked is not None:
                assert picked in model
                assert picked[1] == min(one for _, one in model)
                model.discard(picked)
        assert len(ready) == len(model)
