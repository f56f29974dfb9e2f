"""The versions of a group as lines of plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imagelane.report.clean import left, right, visible
from imagelane.report.ink import Ink
from imagelane.report.wording import count, moment


@dataclass(frozen=True, slots=True)
class Line:
    """One version; ``images`` is None where its manifest is gone, so that it is not ``kept``."""

    number: int
    digest: str
    at: float
    run: str
    why: str
    images: int | None
    live: bool
    kept: bool


def lines(name: str, slug: str, versions: Sequence[Line], ink: Ink) -> Iterator[str]:
    """A head, and a line for each version."""
    live = any(one.live for one in versions)
    state = "" if live else ink.warn("nothing of it is live")
    yield "  ".join(filter(None, (ink.bold(visible(name)), ink.soft(visible(slug)), state)))
    yield ""
    head = f"  {right('version', 9)}  {left('digest', 16)}  {left('went live', 22)}  "
    yield ink.soft(f"{head}{left('images', 10)}  {left('run', 22)}  why")
    for one in versions:
        images = "gone" if one.images is None else count(one.images, "image")
        why = visible(one.why) or "not known in this workspace"
        text = (
            f"{right(str(one.number), 9)}  {one.digest[:16]}  {left(moment(one.at), 22)}  "
            f"{left(images, 10)}  {left(visible(one.run) or '-', 22)}  {why}"
        )
        mark = "* " if one.live else "  "
        paint = ink.good if one.live else str if one.kept else ink.soft
        yield paint(f"{mark}{text}")
