"""The history of one image or group as lines of plain text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from imagelane.model.outcome import Rendition
from imagelane.report.clean import left, right, visible
from imagelane.report.find import Found
from imagelane.report.ink import Ink
from imagelane.report.sentences import VERBS, group_summary
from imagelane.report.view import Entry, History
from imagelane.report.wording import moment, number, seconds, size

_MARGIN = " " * 22


def story(history: History, published: Mapping[str, str], ink: Ink) -> Iterator[str]:
    """What happened, step by step; ``published`` gives the file that people see for a digest."""
    yield from _head(history, ink)
    if not history.entries:
        yield ""
        whole_run = not history.subject.group
        yield "  no stage worked on the run as a whole" if whole_run else "  nothing was tried yet"
        return
    yield ""
    names = max(12, *(len(entry.stage) for entry in history.entries))
    yield ink.soft(f"  {right('began', 9)}{right('took', 9)}  {left('stage', names)}  outcome")
    for place, entry in enumerate(history.entries):
        yield from _decisions(history, place, ink)
        yield from _entry(entry, names, published, ink)
    yield from _decisions(history, len(history.entries), ink)


def _decisions(history: History, place: int, ink: Ink) -> Iterator[str]:
    for taken in history.decisions:
        if taken.after == place:
            reason = f": {visible(taken.reason)}" if taken.reason not in {"", taken.word} else ""
            said = f"{taken.word} by {visible(taken.actor)}, {moment(taken.at)}{reason}"
            yield f"{_MARGIN}{ink.warn(said)}"


def candidates(found: Found, ink: Ink) -> Iterator[str]:
    """What a name can mean, each with the number by which it is meant alone."""
    for subject, name in found.subjects:
        kind = "image" if subject.ordinal else "group"
        yield f"  {left(str(subject), 10)} {kind}  {visible(name)}"
    if found.count > len(found.subjects):
        yield ink.soft(f"  and {number(found.count - len(found.subjects))} more")


def _head(history: History, ink: Ink) -> Iterator[str]:
    subject = history.subject
    state = history.state.value if history.state else ""
    if subject.ordinal:
        where = f"{subject} in {visible(history.group_name)}"
    else:
        where = f"group {subject}" if subject.group else ""
    yield "  ".join(filter(None, (ink.bold(visible(history.name)), where, ink.warn(state))))
    reason = visible(history.reason)
    if history.stage and not history.reason.startswith(history.stage):
        reason = f"{history.stage}: {reason}"
    if reason:
        yield f"  {reason}"
    facts = [
        ("images", group_summary(history.images) if history.images else ""),
        ("path", visible(history.path)),
        ("size", size(history.bytes) if history.bytes else ""),
        ("sha256", history.source_digest or ""),
        ("role", visible(history.role)),
        *((visible(name), visible(value)) for name, value in history.columns.items()),
        ("manifest", history.manifest or ""),
    ]
    for name, value in facts:
        if value:
            yield f"  {ink.soft(left(name, 10))} {value}"


def _entry(entry: Entry, names: int, published: Mapping[str, str], ink: Ink) -> Iterator[str]:
    timed = entry.ending != "skipped"
    began = seconds(entry.began) if timed else ""
    took = seconds(entry.seconds) if timed else ""
    stage = left(visible(entry.stage), names)
    yield f"  {right(began, 9)}{right(took, 9)}  {stage}  {_outcome(entry, ink)}"
    if entry.detail:
        for line in visible(entry.detail, lines=True).splitlines():
            yield f"{_MARGIN}{ink.soft(line)}"
    for name, value in entry.facts.items():
        yield f"{_MARGIN}{ink.soft(left(visible(name), 12))} {_value(value)}"
    for rendition in entry.renditions:
        yield f"{_MARGIN}{_rendition(rendition, published)}"


def _outcome(entry: Entry, ink: Ink) -> str:
    parts = ["failed" if entry.ending == "retried" else VERBS[entry.ending]]
    if entry.attempt > 1 or entry.ending == "retried":
        parts.append(f"attempt {entry.attempt}")
    if entry.retry_in is not None:
        parts.append(f"again in {seconds(entry.retry_in)}")
    if entry.verdict:
        parts.append(f"verdict {entry.verdict}")
    if entry.reused:
        run, _, event = entry.reused.partition("#")
        parts.append(f"as recorded in run {visible(run)}, event {visible(event)}")
    elif entry.worker:
        parts.append(f"on {visible(entry.worker)}")
    text = ", ".join(parts)
    if entry.message:
        text += f": {f'{entry.error}: ' if entry.error else ''}{visible(entry.message)}"
    paint = {"failed": ink.bad, "retried": ink.warn, "skipped": ink.soft}
    return paint.get(entry.ending, str)(text)


def _rendition(one: Rendition, published: Mapping[str, str]) -> str:
    pixels = f"{one.width} x {one.height}" if one.width else ""
    file = published.get(one.digest, "")
    return (
        f"{left(visible(one.name), 14)} {left(one.format, 5)} {left(pixels, 13)} "
        f"{right(size(one.bytes), 9)}  {one.digest[:12]}  {visible(file)}"
    ).rstrip()


def _value(value: Any) -> str:
    return visible(value) if isinstance(value, str) else json.dumps(value, default=dict)
