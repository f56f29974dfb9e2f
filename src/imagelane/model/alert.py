"""What humans are alerted of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from imagelane.model.decision import Verb
from imagelane.model.ids import THE_RUN, RunId


class AlertCause(StrEnum):
    """Why a human is alerted."""

    RUN_HALTED = "run_halted"
    """The run stands still until somebody decides."""
    RUN_FAILED = "run_failed"
    """More was lost than is tolerated, or a stage failed that ends the run."""
    BREAKER_OPENED = "breaker_opened"
    """What a stage calls does not answer; it is tried again from time to time."""
    GATE_TIMED_OUT = "gate_timed_out"
    """A group waited longer for its images than its gate allows."""
    GROUP_HELD = "group_held"
    """A group waits for a decision."""
    IMAGE_HELD = "image_held"
    """An image waits for a decision."""


_LOOK = "imagelane status {run}"
_DECIDE = "imagelane resolve {about} VERB --run {run} --reason WHY"
"""Words in capitals are for a human to fill in; as it stands the command does nothing but say what
is expected."""

_NEXT: Mapping[AlertCause, str] = {
    AlertCause.RUN_HALTED: _DECIDE,
    AlertCause.RUN_FAILED: _LOOK,
    AlertCause.BREAKER_OPENED: _LOOK,
    AlertCause.GATE_TIMED_OUT: "imagelane show {about} --run {run}",
    AlertCause.GROUP_HELD: _DECIDE,
    AlertCause.IMAGE_HELD: _DECIDE,
}


LONGEST = 1000
"""Characters of a message."""


def plain(text: str) -> str:
    """Text from strangers as one printable line of at most `LONGEST` characters, so that it can
    begin no second header and no second line of a log."""
    line = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it is delivered. ``about`` is a subject as text, ``at`` wall-clock time in
    seconds of the epoch. Messages may hold what an image or a service said: see `plain`."""

    run: RunId
    pipeline: str
    number: int
    cause: str
    stage: str
    about: str
    message: str
    at: float

    @property
    def title(self) -> str:
        """One line for a subject or a heading."""
        what = self.cause.replace("_", " ")
        return f"imagelane: {self.pipeline}: {what}"

    @property
    def next_command(self) -> str:
        """What a human would run next. Made of identities only, so it is safe to paste."""
        form = _NEXT.get(AlertCause(self.cause), _LOOK)
        if form == _DECIDE and self.about == str(THE_RUN):
            # What halts for a stage of the run as a whole is tried again once it is resumed.
            form = "imagelane resume {run}"
        return form.format(run=self.run, about=self.about)

    @property
    def verbs(self) -> tuple[str, ...]:
        """What VERB in `next_command` may be: a human's choices."""
        if "VERB" not in self.next_command:
            return ()
        of_image = "." in self.about
        return tuple(verb.value for verb in (Verb if of_image else (Verb.RETRY, Verb.ABORT)))
