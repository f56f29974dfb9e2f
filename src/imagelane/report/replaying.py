"""A replay as lines of plain text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from imagelane.model.outcome import Rendition
from imagelane.model.replay import Likeness, Step
from imagelane.report.clean import left, right, visible
from imagelane.report.ink import Ink
from imagelane.report.wording import count, number, seconds, size

_MARGIN = " " * 6


def step_lines(step: Step, names: int, ink: Ink) -> Iterator[str]:
    """How a step compares; ``names`` is the width of the longest name of a stage."""
    stage = left(visible(step.stage), names)
    took = ink.soft(right(_took(step), 8))
    yield f"  {step.number:>2}  {stage}  {took}  {_paint(step, ink)}"
    yield from (f"{_MARGIN}{visible(one)}" for one in step.comparison.differences)
    if step.failure is not None and step.likeness is not Likeness.SAME:
        detail = visible(step.failure.detail, lines=True).splitlines()
        yield from (f"{_MARGIN}{ink.soft(line)}" for line in detail)


def fact_lines(step: Step, ink: Ink) -> Iterator[str]:
    """Everything that is known of a step: parameters, facts, files."""
    yield f"{_MARGIN}{ink.soft('uses')} {visible(step.uses)}"
    if step.recorded_seconds:
        yield f"{_MARGIN}{ink.soft('took')} {seconds(step.recorded_seconds)} when it was recorded"
    if step.reads:
        yield f"{_MARGIN}{ink.soft('took the picture of')} {visible(step.took or 'the source')}"
    for title, values in (("with", step.parameters), ("found", step.facts)):
        for name, value in values.items():
            text = json.dumps(value, ensure_ascii=False, default=dict)
            yield f"{_MARGIN}{ink.soft(left(title, 6))}{left(visible(name), 20)} {visible(text)}"
    for one in step.renditions:
        yield f"{_MARGIN}{ink.soft(left('made', 6))}{_file(one)}"
    if step.verdict:
        yield f"{_MARGIN}{ink.soft('verdict')} {step.verdict}"


def outcome_of(step: Step) -> str:
    """How a step compares, in a few words."""
    match step.likeness:
        case Likeness.DIFFERS:
            return f"differs, and follows {step.first}, which does" if step.first else "DIFFERS"
        case Likeness.SAME if _blind(step):
            return "done; its picture was not kept in the run, so what follows must tell"
        case Likeness.SAME:
            return f"as recorded{_compared(step)}"
        case Likeness.UNRECORDED:
            ended = "failed" if step.failure else "done"
            return f"{ended}; the run has no outcome of it to compare with"
        case _:
            return f"not executed: {step.reason}"


def verdict(steps: Sequence[Step], causes: Sequence[str], of_all: int) -> Iterator[str]:
    """What it comes to, over the steps of ``of_all``, and why a difference may be there."""
    first = next((step for step in steps if step.likeness is Likeness.DIFFERS), None)
    if first is not None:
        yield f"It first differs at {first.stage}."
        yield from causes
        return
    same = [step for step in steps if step.likeness is Likeness.SAME]
    digests = sum(step.comparison.digests for step in same)
    facts = sum(step.comparison.facts for step in same)
    yield (
        f"Everything is as recorded: {number(len(same))} of {count(of_all, 'stage')} executed, "
        f"{count(digests, 'digest')} and {count(facts, 'fact')} compared."
    )


def _blind(step: Step) -> bool:
    """Whether there was nothing by which its picture can be known."""
    return step.comparison.unseen and not step.comparison.digests


def _compared(step: Step) -> str:
    found = step.comparison
    parts = [count(found.digests, "digest")] if found.digests else []
    parts += [count(found.facts, "fact")] if found.facts else []
    if step.failure is not None:
        parts.append(f"it fails with {step.failure.error}: {visible(step.failure.message)}")
    return f": {', '.join(parts)}" if parts else ""


def _paint(step: Step, ink: Ink) -> str:
    text = visible(outcome_of(step))
    match step.likeness:
        case Likeness.SAME if not _blind(step):
            return ink.good(text)
        case Likeness.DIFFERS:
            return ink.warn(text) if step.first else ink.bad(text)
        case _:
            return ink.soft(text)


def _took(step: Step) -> str:
    return seconds(step.seconds) if step.seconds else ""


def _file(one: Rendition) -> str:
    pixels = f"{one.width} x {one.height}" if one.width else ""
    name = visible(f"{one.name}.{one.suffix}")
    return f"{left(name, 16)} {left(pixels, 13)} {size(one.bytes)}  {one.digest[:12]}"
