"""What is done one after the other: the lane of a sequential run, the batches of a hybrid one."""

from __future__ import annotations

from dataclasses import dataclass, field

from imagelane.model.ids import Subject
from imagelane.model.plan import Lane, Segment
from imagelane.model.states import Scope


class Lanes:
    """Parallel: whatever is ready may run. The other models restrict this.

    ``sequence`` is the place of an image in the order of admission, from 0. Methods that give
    subjects back name those whose turn may have come.
    """

    def admits(self, sequence: int, group_tasks: int) -> bool:
        """Whether the image at this place of the source may come in now, while so many group
        tasks are ready."""
        del sequence, group_tasks
        return True

    def enter(self, subject: Subject, sequence: int) -> None:
        """An image was admitted."""

    def leave(self, sequence: int) -> list[Subject]:
        """An image is settled."""
        del sequence
        return []

    def source_ended(self) -> None:
        """No more images will come."""

    def turn(self, subject: Subject, sequence: int) -> bool:
        """Whether the subject may stand ready."""
        del subject, sequence
        return True

    def available(self, segment: Segment) -> bool:
        """Whether there is a lane for one more order of the segment."""
        del segment
        return True

    def take(self, subject: Subject, sequence: int, segment: Segment) -> None:
        """An order is dispatched."""

    def give_back(self, subject: Subject, sequence: int, segment: Segment) -> list[Subject]:
        """An order is over."""
        del subject, sequence, segment
        return []


class RunLane(Lanes):
    """Sequential: one order at a time, but for the segments that were moved out of the lane."""

    def __init__(self, moved: frozenset[int]) -> None:
        self._moved = moved
        self._taken = False

    def available(self, segment: Segment) -> bool:
        return segment.index in self._moved or not self._taken

    def take(self, subject: Subject, sequence: int, segment: Segment) -> None:
        del subject, sequence
        if segment.index not in self._moved:
            self._taken = True

    def give_back(self, subject: Subject, sequence: int, segment: Segment) -> list[Subject]:
        del subject, sequence
        if segment.index not in self._moved:
            self._taken = False
        return []


@dataclass(slots=True)
class _Batch:
    members: dict[int, Subject] = field(default_factory=dict)
    active: bool = False
    running: bool = False

    def first(self) -> int:
        return min(self.members)


class BatchLanes(Lanes):
    """Hybrid: ``lanes`` batches side by side. A batch keeps its lane until all of its images are
    settled, one after the other; a group's stage takes a lane of its own while it runs.

    Batches come in the order of the source, but for images that are taken up again. These may be
    what others wait for, so an older batch takes the lane of a younger one that does nothing now.
    """

    def __init__(self, batch_size: int, lanes: int) -> None:
        self._size = batch_size
        self._free = lanes
        self._batches: dict[int, _Batch] = {}
        self._admitted = 0
        self._ended = False

    def admits(self, sequence: int, group_tasks: int) -> bool:
        batch = self._batches.get(sequence // self._size)
        if batch is not None and (batch.active or batch.members):
            return batch.active
        # What finishes a group comes before what begins another batch.
        return self._free > group_tasks

    def enter(self, subject: Subject, sequence: int) -> None:
        batch = self._batches.setdefault(sequence // self._size, _Batch())
        batch.members[sequence] = subject
        self._admitted = max(self._admitted, sequence + 1)
        self._activate()

    def leave(self, sequence: int) -> list[Subject]:
        number = sequence // self._size
        batch = self._batches[number]
        del batch.members[sequence]
        if batch.members:
            return [batch.members[batch.first()]] if batch.active else []
        # A batch that is still filling keeps its lane for the images that are to come.
        if self._ended or self._admitted >= (number + 1) * self._size:
            return self._end(number)
        return []

    def source_ended(self) -> None:
        self._ended = True
        for number in [n for n, batch in self._batches.items() if not batch.members]:
            self._end(number)

    def turn(self, subject: Subject, sequence: int) -> bool:
        if subject.scope is not Scope.IMAGE:
            return True
        batch = self._batches[sequence // self._size]
        return batch.active and not batch.running and batch.first() == sequence

    def available(self, segment: Segment) -> bool:
        # An image holds its batch's lane already.
        return segment.scope is Scope.IMAGE or self._free > 0

    def take(self, subject: Subject, sequence: int, segment: Segment) -> None:
        del segment
        if subject.scope is Scope.IMAGE:
            self._batches[sequence // self._size].running = True
        else:
            self._free -= 1

    def give_back(self, subject: Subject, sequence: int, segment: Segment) -> list[Subject]:
        del segment
        if subject.scope is Scope.IMAGE:
            self._batches[sequence // self._size].running = False
            return self._activate()
        self._free += 1
        return self._activate()

    def _end(self, number: int) -> list[Subject]:
        if self._batches.pop(number).active:
            self._free += 1
        return self._activate()

    def _activate(self) -> list[Subject]:
        """Give lanes to batches that wait, oldest first: those of a resumed run, or of images that
        are taken up again."""
        begun = []
        for number in sorted(self._batches):
            batch = self._batches[number]
            if batch.active or not batch.members:
                continue
            if self._free <= 0 and not self._take_from_a_younger(number):
                break
            batch.active = True
            self._free -= 1
            begun.append(batch.members[batch.first()])
        return begun

    def _take_from_a_younger(self, number: int) -> bool:
        idle = (
            other
            for other, batch in self._batches.items()
            if other > number and batch.active and not batch.running
        )
        youngest = max(idle, default=None)
        if youngest is None:
            return False
        self._batches[youngest].active = False
        self._free += 1
        return True


def lanes_of(lane: Lane) -> Lanes:
    """The lanes that a plan asks for."""
    match lane.kind:
        case "none":
            return Lanes()
        case "run":
            return RunLane(lane.free)
        case "batch":
            return BatchLanes(lane.batch_size, lane.batches)
