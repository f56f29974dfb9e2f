from __future__ import annotations

import random

from imagelane.advise.shape import Shape, choose
from tests.unit.advise.made import items


def test_a_shape_gives_its_own_images_back() -> None:
    shape = Shape(items(25, a_group=10))
    assert (shape.images, shape.groups) == (25, 3)
    listed = list(shape.items(25))
    assert [one.sequence for one in listed] == list(range(25))
    assert [one.sequence for one in listed if one.last] == [9, 19, 24]


def test_more_images_than_there_are_come_round_again_in_groups_of_their_own() -> None:
    listed = list(Shape(items(25, a_group=10)).items(60))
    assert [one.sequence for one in listed] == list(range(60))
    assert [one.group for one in listed if one.last] == [1, 2, 3, 4, 5, 6, 7]
    assert listed[-1].last


def test_fewer_cut_the_last_group_short() -> None:
    listed = list(Shape(items(25, a_group=10)).items(13))
    assert [(one.group, one.ordinal) for one in listed][-1] == (2, 3)
    assert listed[-1].last
    assert listed[-1].group_size == 3


def test_a_sample_has_all_sizes_in_their_shares() -> None:
    draw = random.Random(1)
    sizes = [draw.choice([1, 10, 100]) for _ in range(3000)]
    source = [one for n, size in enumerate(sizes) for one in items(1, 1, size)]
    chosen = choose(source, 60)
    counts = [sum(one.bytes == size for one in chosen) for size in (1, 10, 100)]
    assert all(17 <= count <= 23 for count in counts)


def test_a_sample_is_numbered_anew_in_groups_of_several_sizes() -> None:
    chosen = choose(items(1000, a_group=100), 50)
    assert [one.sequence for one in chosen] == list(range(50))
    ends = [one.group_size for one in chosen if one.last]
    assert sum(ends) == 50
    assert len(set(ends)) > 1
    assert len({one.path for one in chosen}) == 50


def test_groups_of_a_sample_are_no_larger_than_those_of_the_source() -> None:
    assert {one.group_size for one in choose(items(200, a_group=1), 40)} == {1}


def test_of_a_small_source_all_is_taken_as_it_stands() -> None:
    source = items(25, a_group=10)
    assert choose(source, 50) == source
