"""The dead-letter queue as text and as JSON values."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from imagelane.model.decision import DeadLetter
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.report import wording
from imagelane.report.clean import visible
from imagelane.report.ink import Ink


def reproducing(subject: Subject, stage: StageName, run: RunId) -> str:
    """The command that tries a stage on an image anew, on the side; empty where there is none."""
    if not subject.ordinal:
        return ""
    return f"imagelane reproduce {subject} --stage {shlex.quote(stage)} --run {run}"


def letters_text(
    letters: Iterable[DeadLetter], run: RunId, ink: Ink, columns: int
) -> Iterator[str]:
    """Letter by letter: what, why, how often, how to see it again; and how to go on."""
    count = 0
    for letter in letters:
        count += 1
        yield from _letter(letter, run, ink, columns)
    if not count:
        yield f"no dead letters in run {run}: nothing failed for good that was not done since"
        return
    yield ""
    yield f"{wording.count(count, 'dead letter')} in run {run}"
    yield ink.soft("imagelane redrive [--stage --error --image]   sends them round again")
    yield ink.soft("imagelane resolve IMAGE skip --reason …       goes on without one")


def letter_data(values: Mapping[str, Any], run: RunId) -> dict[str, Any]:
    """A letter's fields as JSON values, with the command that reproduces it."""
    subject = Subject(*values["subject"])
    return {
        **values,
        "subject": str(subject),
        "run": run,
        "reproduce": reproducing(subject, values["stage"], run),
    }


def _letter(letter: DeadLetter, run: RunId, ink: Ink, columns: int) -> Iterator[str]:
    state = letter.state.value if letter.state else ""
    head = "  ".join(filter(None, (str(letter.subject), ink.bold(visible(letter.name)), state)))
    yield head
    tries = wording.count(letter.attempts, "attempt")
    when = wording.moment(letter.at)
    yield f"  {letter.stage}  {ink.bad(letter.error)}  {tries}, the last {when}"
    yield f"  {visible(letter.message)}"
    if letter.detail:
        *_, last = letter.detail.rstrip().splitlines() or [""]
        if last and last.strip() not in letter.message:
            yield f"  {ink.soft(visible(last.strip())[: max(20, columns - 2)])}"
    if command := reproducing(letter.subject, letter.stage, run):
        yield f"  {ink.soft(command)}"
