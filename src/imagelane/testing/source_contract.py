"""What every source promises. Subclass `SourceContract` and override its ``listed`` fixture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, islice

import pytest

from imagelane.ports.source import Source

Listed = Callable[[Mapping[str, Sequence[str]]], Source]
"""A source over groups, by name, of images, by file name; ``*_front.*`` is a group's primary."""

GROUPS: Mapping[str, Sequence[str]] = {
    "SKU10": ["SKU10_back.jpg", "SKU10_front.jpg", "SKU10_side 10.jpg", "SKU10_side 9.jpg"],
    "SKU9": ["SKU9_undecodable \udcff.jpg"],
    "SKU2": [f"SKU2_{number}.jpg" for number in range(1, 1301)],
    "SKU1": ["SKU1_a.jpg", "SKU1_front.png"],
}


class SourceContract:
    """Behaviour that does not depend on where images come from."""

    @pytest.fixture(scope="class")
    @classmethod
    def listed(cls) -> Listed:
        """Makes sources."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, listed: Listed) -> Source:
        """A source over `GROUPS`."""
        return listed(GROUPS)

    def test_everything_is_there_once(self, source: Source) -> None:
        items = list(source.items())
        assert {(item.group_name, item.name) for item in items} == {
            (group, name) for group, names in GROUPS.items() for name in names
        }
        assert source.count() == (len(items), len(GROUPS)) == (1307, 4)

    def test_admission_is_gapless_and_a_groups_items_follow_each_other(
        self, source: Source
    ) -> None:
        items = list(source.items())
        assert [item.sequence for item in items] == list(range(len(items)))
        assert [number for number, _ in groupby(item.group for item in items)] == [1, 2, 3, 4]

    def test_groups_and_images_are_in_natural_order(self, source: Source) -> None:
        items = sorted(source.items(), key=lambda item: (item.group, item.ordinal))
        assert [name for name, _ in groupby(item.group_name for item in items)] == [
            "SKU1",
            "SKU2",
            "SKU9",
            "SKU10",
        ]
        of_2 = [item.name for item in items if item.group_name == "SKU2"]
        assert of_2 == GROUPS["SKU2"]
        of_10 = [item.name for item in items if item.group_name == "SKU10"]
        assert of_10[2:] == ["SKU10_side 9.jpg", "SKU10_side 10.jpg"]

    def test_ordinals_count_from_one_in_every_group(self, source: Source) -> None:
        for _, of_group in groupby(source.items(), key=lambda item: item.group):
            items = list(of_group)
            assert sorted(item.ordinal for item in items) == list(range(1, len(items) + 1))
            assert {item.group_size for item in items} == {len(items)}
            assert [item.last for item in items] == [False] * (len(items) - 1) + [True]

    def test_primary_is_admitted_first_and_shown_in_its_place(self, source: Source) -> None:
        firsts = [next(of) for _, of in groupby(source.items(), key=lambda item: item.group)]
        assert [(item.name, item.role, item.ordinal) for item in firsts] == [
            ("SKU1_front.png", "primary", 2),
            ("SKU2_1.jpg", "", 1),
            ("SKU9_undecodable \udcff.jpg", "", 1),
            ("SKU10_front.jpg", "primary", 2),
        ]
        assert [item.role for item in source.items()].count("primary") == 2

    def test_reading_can_begin_anywhere(self, source: Source) -> None:
        items = list(source.items())
        for start in (0, 1, 3, 499, 500, 501, 1305, 1306, 1307, 5000):
            assert list(source.items(start)) == items[start:]

    def test_two_readers_do_not_disturb_each_other(self, source: Source) -> None:
        first, second = source.items(), source.items()
        list(islice(first, 700))
        assert [item.sequence for item in islice(second, 3)] == [0, 1, 2]
        assert next(first).sequence == 700
