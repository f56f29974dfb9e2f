"""A history whose branches ran side by side, as one straight line."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from imagelane.model.audit import Told
from imagelane.model.ids import StageName

_AGAIN = frozenset({"image_reopened", "group_reopened"})


def straight(events: Iterable[Told], stages: Sequence[StageName]) -> list[Told]:
    """The events of one subject, each after its parents; where those leave it free, in the order of
    the plan's ``stages``. So a parallel run reads as a sequential one does.

    What is taken up again was settled: all that came before stands before it.
    """
    line: list[Told] = []
    chapter: list[Told] = []
    for one in sorted(events, key=lambda told: told.index):
        if one.content.type in _AGAIN:
            line += _in_order(chapter, stages)
            chapter = []
        chapter.append(one)
    return line + _in_order(chapter, stages)


def _in_order(events: Sequence[Told], stages: Sequence[StageName]) -> list[Told]:
    by_index = {one.index: one for one in events}
    place = {name: number for number, name in enumerate(stages)}
    waiting = {
        index: {parent for parent in one.leaf.parents if parent in by_index}
        for index, one in by_index.items()
    }
    following: dict[int, list[int]] = {index: [] for index in by_index}
    for index, parents in waiting.items():
        for parent in parents:
            following[parent].append(index)

    def rank(index: int) -> tuple[int, int]:
        stage = by_index[index].content.stage
        return (place.get(StageName(stage), len(place)) if stage else -1), index

    ready = [rank(index) for index, parents in waiting.items() if not parents]
    heapq.heapify(ready)
    line: list[Told] = []
    while ready:
        _, index = heapq.heappop(ready)
        line.append(by_index[index])
        for child in following[index]:
            waiting[child].discard(index)
            if not waiting[child]:
                heapq.heappush(ready, rank(child))
    return line
