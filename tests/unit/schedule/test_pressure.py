from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imagelane.ports.memory import Room
from imagelane.schedule.pressure import Pressure

MIB = 1 << 20
GIB = 1 << 30


def test_with_room_enough_the_budget_is_the_plans() -> None:
    pressure = Pressure(GIB)
    assert pressure.budget(Room(4 * GIB, 8 * GIB)) == GIB
    assert not pressure.short


def test_less_is_begun_the_less_there_is() -> None:
    pressure = Pressure(GIB)
    # 256 MiB are left alone.
    assert pressure.budget(Room(400 * MIB, 8 * GIB)) == 144 * MIB
    assert pressure.budget(Room(300 * MIB, 8 * GIB)) == 44 * MIB
    assert not pressure.short


def test_where_it_is_short_nothing_is_begun_beside_what_is_in_hand() -> None:
    pressure = Pressure(GIB)
    assert pressure.budget(Room(255 * MIB, 8 * GIB)) == 0
    assert pressure.short


def test_a_small_container_keeps_a_sixteenth() -> None:
    pressure = Pressure(GIB)
    pressure.budget(Room(33 * MIB, 512 * MIB))
    assert not pressure.short
    pressure.budget(Room(31 * MIB, 512 * MIB))
    assert pressure.short


def test_it_lasts_until_there_is_twice_what_is_left_alone() -> None:
    pressure = Pressure(GIB)
    said = []
    for available in (300, 250, 300, 500, 513, 300):
        pressure.budget(Room(available * MIB, 8 * GIB))
        said.append(pressure.short)
    assert said == [False, True, True, True, False, False]


def test_a_machine_that_only_moves_pages_about_is_short() -> None:
    pressure = Pressure(GIB)
    said = []
    for stalled in (0.1, 0.3, 0.15, 0.05):
        pressure.budget(Room(4 * GIB, 8 * GIB, stalled))
        said.append(pressure.short)
    assert said == [False, True, True, False]


@given(
    st.lists(st.tuples(st.integers(0, 64 * GIB), st.floats(0, 1)), min_size=1),
    st.integers(1, 64 * GIB),
)
def test_the_budget_is_never_above_the_plans(looks: list[tuple[int, float]], limit: int) -> None:
    pressure = Pressure(GIB)
    for available, stalled in looks:
        room = Room(min(available, limit), limit, stalled)
        budget = pressure.budget(room)
        assert 0 <= budget <= min(GIB, room.available)
        assert not (pressure.short and budget)
