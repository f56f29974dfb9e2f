"""What the record knows of a group and its images, also of those that are settled.

The state of a run lets go of what is settled. Who takes it up again needs it back: it is folded
anew from the group's own events, and no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from imagelane.model import events as e
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.records import GroupRecord, ImageRecord
from imagelane.model.run import RunState, evolve
from imagelane.model.states import GroupState, ImageState
from imagelane.ports.journal import Journal, Recorded


@dataclass(slots=True)
class SettledImage:
    """``stage`` decided its ``state``; None where no stage did."""

    record: ImageRecord
    state: ImageState
    stage: StageName | None

    @property
    def by_its_group(self) -> bool:
        """Whether it shares its group's fate, or its primary's, and has none of its own."""
        return (
            self.stage is None
            and self.record.decided is None
            and self.state in {ImageState.SKIPPED, ImageState.HELD}
        )


@dataclass(slots=True)
class RecalledGroup:
    """A group as it stands. ``over`` is the state that it ended in; None while it is under way or
    held. ``images`` are those that are settled; the others are in flight."""

    subject: Subject
    record: GroupRecord
    over: GroupState | None = None
    images: dict[Subject, SettledImage] = field(default_factory=dict)


def recall(journal: Journal, run: RunId, group: int) -> RecalledGroup | None:
    """A group as the journal has it; None where it has none of this number.

    Takes memory for the events of this one group.
    """
    recorded = [
        *journal.events(run, subject=Subject(group)),
        *journal.members(run, group),
    ]
    recorded.sort(key=_index)
    state = RunState()
    found: RecalledGroup | None = None
    for entry in recorded:
        event = entry.event
        if isinstance(event, e.ImageSettled) and found is not None:
            record = state.images[event.subject]
            found.images[event.subject] = SettledImage(record, event.state, event.stage)
        evolve(state, event)
        match event:
            case e.GroupOpened() | e.GroupReopened():
                record_now = state.groups[group]
                if found is None:
                    found = RecalledGroup(event.subject, record_now)
                found.record, found.over = record_now, None
            case e.GroupSettled() if found is not None and event.state is not GroupState.HELD:
                found.over = event.state
            case e.ImageReopened() if found is not None:
                found.images.pop(event.subject)
            case _ if found is not None:
                _later(found, event)
    return found


def _later(found: RecalledGroup, event: e.Event) -> None:
    """What people made of the group, or of an image, when it was over."""
    match event:
        case e.GroupRolledBack():
            found.over = event.state
        case e.Withdrawn() if event.settled is not None:
            found.over = GroupState.WITHDRAWN
        case e.ImageErased() if event.subject in found.images:
            found.images[event.subject].state = ImageState.ERASED
            if event.over is not None:
                # The fold has let go of the group, and so of what it had counted.
                found.record.settled[event.settled] -= 1
                found.record.settled[ImageState.ERASED] += 1


def _index(entry: Recorded) -> int:
    return entry.index
