"""What was found by holding a record against its checkpoints: what is proven, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imagelane.model.audit import Content, Leaf
from imagelane.report.clean import visible
from imagelane.report.ink import Ink
from imagelane.report.wording import count, moment, number

MOST = 20
"""Findings that are told one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a verification came to. ``signed`` are checkpoints whose signatures are good: size, by
    whom, where found, and whether the verifier brought it along; ``agreed`` is the size of the
    largest that agrees. ``trusted``: the verifier named the keys."""

    run: str
    events: int
    agreed: int
    erased: int
    wrong: Sequence[str]
    signed: Sequence[tuple[int, str, str, bool]]
    trusted: bool


def verdict_lines(found: Finding, ink: Ink) -> Iterator[str]:
    """What is proven, what is wrong, and what cannot be said."""
    yield f"{ink.bold(found.run)}  {count(found.events, 'event')}"
    for size, by, where, held in found.signed:
        kept = "kept elsewhere" if held else "kept with the record"
        yield f"  checkpoint {number(size)}, signed by {visible(by)}, {kept} ({visible(where)})"
    yield ""
    if found.wrong:
        yield from _wrong(found, ink)
    elif not found.signed:
        yield ink.warn("Nothing was changed that could be seen without a checkpoint.")
        yield "  Its events are numbered without a gap, and none stands before what it needed."
        yield from _unprovable()
    else:
        yield from _sound(found, ink)


def _wrong(found: Finding, ink: Ink) -> Iterator[str]:
    yield ink.bad("The record is not what it was.")
    for one in found.wrong[:MOST]:
        yield f"  {visible(one)}"
    if len(found.wrong) > MOST:
        yield f"  and {number(len(found.wrong) - MOST)} more"
    if found.agreed:
        yield f"  consistent up to event {number(found.agreed)}, which a checkpoint signed"


def _sound(found: Finding, ink: Ink) -> Iterator[str]:
    agreed = number(found.agreed)
    yield ink.good(f"Consistent up to event {agreed}: none edited, removed, put in or moved.")
    if found.erased:
        yield f"  what {count(found.erased, 'event')} said was erased, and recorded to be"
    if found.events > found.agreed:
        later = number(found.events - found.agreed)
        yield f"  the last {later} came after; whether they were changed cannot be proven yet"
    if not any(held for *_, held in found.signed):
        yield ink.soft(
            "  by checkpoints that are kept with the record: whoever can replace both, and has the "
            "key, is not found out; --checkpoint takes one from elsewhere"
        )
    if not found.trusted:
        yield ink.soft("  by keys that are kept with it, too: --trust names those to believe")


def _unprovable() -> Iterator[str]:
    yield "  Without a checkpoint it cannot be proven"
    yield "    that no event was edited, and everything after it made to fit"
    yield "    that what an event says is what was recorded"
    yield "    that nothing was removed from the end, or an old copy put in its place"
    yield "  `imagelane audit key new` makes a key; a run that ends then signs a checkpoint."


def proof_lines(
    leaf: Leaf, content: Content, payload: str | None, size: int, ink: Ink
) -> Iterator[str]:
    """What a proof has shown."""
    stage = f" of {content.stage}" if content.stage else ""
    yield ink.good(f"Proven: event {number(leaf.index)} of run {content.run} was recorded.")
    yield f"  {content.type}{visible(stage)} on {content.subject}, {moment(content.at)}"
    yield f"  after {', '.join(map(str, leaf.parents)) or 'nothing'}; in checkpoint {number(size)}"
    if payload is None:
        yield "  what it says is withheld, or was erased"
        return
    for name, value in json.loads(payload).items():
        yield f"  {visible(name)}: {visible(json.dumps(value, ensure_ascii=False))}"
