"""What could be dispatched now: one queue a segment, oldest group first."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from imagelane.model.ids import Subject

Priority = tuple[int, int, int]
"""(group, place in the group's admission, segment): group stages come after all of its images."""

AFTER_ITS_IMAGES = 1 << 62
AFTER_ALL_GROUPS = 1 << 62


class ReadyQueues:
    """Subjects that are ready for a segment. Each stands in a queue once at most.

    Limits belong to segments, so when the head of a queue cannot be dispatched neither can the
    rest: a choice costs one look at each segment, however many subjects wait.
    """

    def __init__(self, segments: int) -> None:
        self._heaps: list[list[tuple[Priority, Subject]]] = [[] for _ in range(segments)]
        self._waiting: list[set[Subject]] = [set() for _ in range(segments)]

    def push(self, segment: int, subject: Subject, priority: Priority) -> None:
        if subject not in self._waiting[segment]:
            self._waiting[segment].add(subject)
            heapq.heappush(self._heaps[segment], (priority, subject))

    def discard(self, segment: int, subject: Subject) -> None:
        # The heap's entry is passed over when it comes up.
        self._waiting[segment].discard(subject)

    def __len__(self) -> int:
        return sum(map(len, self._waiting))

    def waiting(self, segment: int) -> int:
        return len(self._waiting[segment])

    def pop_first(self, may: Callable[[int], bool]) -> tuple[int, Subject] | None:
        """Take the subject of highest priority among the segments that ``may`` run."""
        best: tuple[Priority, Subject] | None = None
        chosen = -1
        for segment, heap in enumerate(self._heaps):
            if not may(segment):
                continue
            while heap and heap[0][1] not in self._waiting[segment]:
                heapq.heappop(heap)
            if heap and (best is None or heap[0] < best):
                best = heap[0]
                chosen = segment
        if best is None:
            return None
        heapq.heappop(self._heaps[chosen])
        self._waiting[chosen].discard(best[1])
        return chosen, best[1]
