"""The dead-letter queue: what failed for good and was not done since, read from the record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imagelane.model import events as e
from imagelane.model.decision import DeadLetter
from imagelane.model.ids import THE_RUN, RunId, StageName, Subject
from imagelane.model.states import ErrorClass, GroupState, ImageState
from imagelane.ports.journal import Journal, Recorded

_NOT_WHOLE = frozenset(
    {
        ImageState.PARTIAL,
        ImageState.SKIPPED,
        ImageState.DEAD,
        ImageState.HELD,
        ImageState.PROCESSING,
        ImageState.REJECTED,
    }
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant; what is None matches all. ``image`` is a number such as 3.12, or a
    pattern of names and paths."""

    stage: str | None = None
    error: ErrorClass | None = None
    image: str | None = None

    def of(self, letter: DeadLetter) -> bool:
        return (
            (self.stage is None or letter.stage == self.stage)
            and (self.error is None or letter.error is self.error)
            and (self.image is None or self._image(letter, self.image))
        )

    @staticmethod
    def _image(letter: DeadLetter, pattern: str) -> bool:
        return (
            str(letter.subject) == pattern
            or fnmatchcase(letter.name, pattern)
            or fnmatchcase(letter.path, pattern)
        )


def dead_letters(journal: Journal, run: RunId, which: Filter = Filter()) -> Iterator[DeadLetter]:
    """Letters in published order, those of a group as a whole before its images', the run's last.

    Reads one subject after the other, so it takes no more memory for a million of them.
    """
    for group in journal.groups(run):
        subject = Subject(group.group)
        if group.state is not GroupState.PUBLISHED:
            own = journal.events(run, subject=subject)
            yield from _letters(own, subject, (group.name, ""), group.state, which)
        for row in journal.images(run, group=group.group, states=_NOT_WHOLE):
            own = journal.events(run, subject=row.subject)
            yield from _letters(own, row.subject, (row.name, row.path), row.state, which)
    own = journal.events(run, subject=THE_RUN)
    yield from _letters(own, THE_RUN, ("the run", ""), None, which)


def by_group(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """Letters of the same group together; they come in the order of their groups."""
    gathered: list[DeadLetter] = []
    for letter in letters:
        if gathered and gathered[0].subject.group != letter.subject.group:
            yield gathered
            gathered = []
        gathered.append(letter)
    if gathered:
        yield gathered


def _letters(
    recorded: Iterable[Recorded],
    subject: Subject,
    names: tuple[str, str],
    state: ImageState | GroupState | None,
    which: Filter,
) -> Iterator[DeadLetter]:
    found: dict[StageName, DeadLetter] = {}
    for entry in recorded:
        match entry.event:
            case e.TaskFailed(retry_in=None) as event:
                found[event.stage] = DeadLetter(
                    subject,
                    *names,
                    event.stage,
                    event.error,
                    event.message,
                    event.detail,
                    event.attempt,
                    entry.at,
                    state,
                )
            case e.TaskSucceeded() as event:
                found.pop(event.stage, None)
            case e.ImageReopened() | e.GroupReopened() as event:
                still = event.record["failed"]
                found = {stage: one for stage, one in found.items() if stage in still}
    yield from (letter for letter in found.values() if which.of(letter))
