"""A source that is a list: what somebody has chosen from another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from imagelane.ports.source import SourceItem


class ListedSource:
    """Items as they are given, in the order of their sequence numbers from 0."""

    def __init__(self, items: Sequence[SourceItem]) -> None:
        self._items = tuple(items)

    def items(self, start: int = 0) -> Iterator[SourceItem]:
        yield from self._items[start:]

    def count(self) -> tuple[int, int]:
        return len(self._items), len({item.group for item in self._items})

    def ignored(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        """Nothing is open."""
