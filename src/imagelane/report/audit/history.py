"""The history of one image as text: one straight line, or its branches as a Mermaid graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imagelane.model.audit import Told
from imagelane.report.audit.saying import actor, duration, outputs, reason, source, what, when
from imagelane.report.clean import left, right, visible
from imagelane.report.ink import Ink
from imagelane.report.wording import seconds, size


def line_lines(events: Sequence[Told], ink: Ink) -> Iterator[str]:
    """One event a line, in the order that is given, with what was made below it."""
    words = [visible(what(one)) for one in events]
    wide = max((len(one) for one in words), default=4)
    yield ink.soft(f"  {right('event', 9)}  {left('when, UTC', 27)}  {left('what', wide)}  after")
    for told, said in zip(events, words, strict=True):
        about = [visible(actor(told))]
        if (took := duration(told)) is not None:
            about.append(seconds(took))
        if (why := reason(told)) and told.content.outcome:
            about.append(visible(why))
        painted = _painted(told, left(said, wide), ink)
        yield (
            f"  {right(f'{told.index:,}', 9)}  {left(when(told), 27)}  {painted}  "
            f"{left(_parents(told), 14)}  {', '.join(about)}"
        ).rstrip()
        margin = " " * 42
        if told.body is None:
            yield f"{margin}{ink.soft('what it said was erased')}"
        if digest := source(told):
            yield f"{margin}{ink.soft(f'from sha256 {digest}')}"
        for one in outputs(told):
            pixels = f"{one.width} × {one.height}" if one.width else ""
            yield (
                f"{margin}made {left(visible(one.name), 10)} {left(one.format, 5)} "
                f"{left(pixels, 13)} {right(size(one.bytes), 9)}  sha256 {one.digest}"
            )


def graph_lines(events: Sequence[Told]) -> Iterator[str]:
    """A Mermaid flowchart: an arrow from every event to those that had to wait for it."""
    yield "flowchart TD"
    known = {told.index for told in events}
    for told in events:
        label = visible(what(told)).replace("&", "#amp;").replace('"', "#quot;")
        yield f'  e{told.index}["{told.index:,} {label}"]'
    for told in events:
        for parent in told.leaf.parents:
            if parent in known:
                yield f"  e{parent} --> e{told.index}"


def _parents(told: Told) -> str:
    several = told.leaf.parents
    if len(several) > 3:
        return f"{several[0]}, … {several[-1]} ({len(several)})"
    return ", ".join(map(str, several)) or "–"


def _painted(told: Told, text: str, ink: Ink) -> str:
    if told.content.type == "task_failed":
        return ink.bad(text)
    return ink.soft(text) if told.content.type == "task_skipped" else text
