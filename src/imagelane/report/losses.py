"""Failures and losses gathered by reason, so that a thousand equal ones are one line."""

from __future__ import annotations

from dataclasses import dataclass, field

from imagelane.model.ids import StageName, Subject
from imagelane.model.states import ErrorClass, ImageState
from imagelane.report.view import Entry, FailureView, History, LossView

NOT_WHOLE = frozenset(
    {
        ImageState.PARTIAL,
        ImageState.SKIPPED,
        ImageState.REJECTED,
        ImageState.DEAD,
        ImageState.HELD,
    }
)
OTHER_REASONS = "other reasons"


@dataclass(slots=True)
class _Pile:
    count: int = 0
    examples: list[tuple[Subject, str]] = field(default_factory=list)
    message: str = ""
    attempts: int = 0
    detail: str = ""


Key = tuple[str, str, str]
"""Stage and class, or state and stage; then the reason."""


class Losses:
    """Holds at most ``reasons`` reasons and ``examples`` images of each, whatever comes.

    Reasons that come later are gathered as one by stage and class.
    """

    def __init__(self, reasons: int, examples: int) -> None:
        self._reasons = reasons
        self._examples = examples
        self._failures: dict[Key, _Pile] = {}
        self._losses: dict[Key, _Pile] = {}

    def failed(self, of: History, entry: Entry) -> None:
        """A task that failed for good."""
        error = entry.error or ErrorClass.BUG
        pile = self._add(self._failures, (entry.stage, error), entry.message, of)
        pile.detail = pile.detail or entry.detail
        pile.attempts = max(pile.attempts, entry.attempt)

    def settled(self, of: History) -> None:
        """An image; counted if it is not live, or not whole."""
        if isinstance(of.state, ImageState) and of.state in NOT_WHOLE:
            self._add(self._losses, (of.state, of.stage or ""), of.reason, of)

    def failures(self) -> tuple[FailureView, ...]:
        """Most frequent first."""
        return tuple(
            FailureView(
                StageName(stage),
                ErrorClass(error),
                pile.message,
                pile.count,
                tuple(pile.examples),
                pile.attempts,
                pile.detail,
            )
            for (stage, error, _), pile in sorted(self._failures.items(), key=_by_count)
        )

    def losses(self) -> tuple[LossView, ...]:
        """Most frequent first."""
        return tuple(
            LossView(
                ImageState(state),
                StageName(stage) if stage else None,
                pile.message,
                pile.count,
                tuple(pile.examples),
            )
            for (state, stage, _), pile in sorted(self._losses.items(), key=_by_count)
        )

    def _add(
        self, piles: dict[Key, _Pile], what: tuple[str, str], message: str, of: History
    ) -> _Pile:
        pattern = _pattern(message, of)
        if (*what, pattern) not in piles and len(piles) >= self._reasons:
            message = pattern = OTHER_REASONS
        pile = piles.setdefault((*what, pattern), _Pile())
        # A reason that names its own file is one reason for all files; a single one says it all.
        pile.message = pattern if pile.count else message
        pile.count += 1
        if len(pile.examples) < self._examples:
            pile.examples.append((of.subject, of.name))
        return pile


def _by_count(item: tuple[Key, _Pile]) -> tuple[int, Key]:
    return -item[1].count, item[0]


def _pattern(message: str, of: History) -> str:
    """The message without the names that are this image's own."""
    for own in (of.path, of.name):
        if len(own) > 2:
            message = message.replace(own, "[file]")
    return message
