"""A run in sentences: the same in the terminal and in the report."""

from __future__ import annotations

from collections.abc import Mapping

from imagelane.model.states import LIVE_GROUPS, ImageState, RunStatus
from imagelane.report.losses import NOT_WHOLE
from imagelane.report.view import FailureView, RunView
from imagelane.report.wording import count, number, share

LOST = NOT_WHOLE - {ImageState.PARTIAL}
"""Images in these states are not live."""
VERBS: Mapping[str, str] = {
    "done": "done",
    "failed": "failed",
    "retried": "failed, tried again",
    "skipped": "not tried",
}


def lead(view: RunView) -> str:
    """What became of the images, in one sentence or two."""
    if not view.received:
        return "No image was received."
    live = view.images.get(ImageState.PUBLISHED, 0) + view.images.get(ImageState.PARTIAL, 0)
    groups = sum(view.groups.get(state, 0) for state in LIVE_GROUPS)
    where = f"in {count(groups, 'gallery', 'galleries')}"
    lost = sum(view.images.get(state, 0) for state in LOST)
    if view.run.status is RunStatus.RUNNING or live + lost < view.received:
        expected = max(view.expected[0] if view.expected else 0, view.received)
        return f"Live so far: {number(live)} of {count(expected, 'image')}, {where}."
    if not live:
        return f"None of {count(view.received, 'image')} went live."
    partial = view.images.get(ImageState.PARTIAL, 0)
    whole = f"; {number(partial)} of them not whole" if partial else ""
    if live == view.received:
        every = f"All {number(live)} images are" if live > 1 else "The image is"
        return f"{every} live {where}{whole}."
    return f"{number(live)} of {count(view.received, 'image')} are live {where}{whole}."


def bottleneck(view: RunView) -> str:
    """What held the run up; empty where nothing did."""
    found = view.bottleneck
    if found is None:
        return ""
    busy = share(found.share)
    if found.alone:
        side = f"at most {found.places} at once" if found.places > 1 else "one at a time"
        verb = "is" if view.run.status is RunStatus.RUNNING else "was"
        return f"The bottleneck {verb} {found.stage}: {side}, busy {busy} of the time."
    workers = f"{found.places} workers were" if found.places > 1 else "One worker was"
    return f"{workers} busy {busy} of the time; {share(found.part)} of that work was {found.stage}."


def untold(view: RunView) -> tuple[FailureView, ...]:
    """Failures that are not the whole reason of a loss, and so are not told with it."""
    told = {(loss.stage, loss.reason) for loss in view.losses}
    return tuple(
        one for one in view.failures if (one.stage, f"{one.error}: {one.message}") not in told
    )


def group_summary(images: Mapping[ImageState, int]) -> str:
    """``23 images``, or ``23 images: 21 published, 2 skipped`` where not all share one state."""
    total = count(sum(images.values()), "image")
    if set(images) <= {ImageState.PUBLISHED}:
        return total
    parts = ", ".join(f"{number(images[one])} {one}" for one in ImageState if images.get(one))
    return f"{total}: {parts}"
