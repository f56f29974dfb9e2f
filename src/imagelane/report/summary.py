"""What stays on the screen when a run stands still: the sum, where to look, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from imagelane.model.run import RunState
from imagelane.model.states import LIVE_GROUPS, GroupState, ImageState, RunStatus
from imagelane.report.calls import not_delivered
from imagelane.report.clean import clip, fit, visible
from imagelane.report.ink import Ink
from imagelane.report.progress import Loss, Progress, image_counts
from imagelane.report.wording import count, number, seconds

_FAILED = frozenset({ImageState.PARTIAL, ImageState.SKIPPED, ImageState.DEAD})
LISTED = 8
"""Reasons that the summary lists."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What a person needs to go on: where galleries are published, and the pipeline file."""

    target: str = ""
    file: str = ""


def summary(
    progress: Progress,
    state: RunState,
    elapsed: float,
    where: Whereabouts,
    *,
    ink: Ink,
    width: int = 80,
) -> Iterator[str]:
    """The lines of the summary."""
    images = image_counts(state)
    groups = _groups(state)
    yield f"{ink.bold(_title(progress, state.status))} {_after(state.status)} {seconds(elapsed)}."
    if state.reason:
        yield f"  {visible(state.reason)}"
    yield f"  {count(state.received, 'image')}: {sum_of_states(images, ink)}"
    if groups:
        yield f"  {count(sum(groups.values()), 'group')}: {_listed(groups)}"
    yield from _reused(progress)
    live = sum(groups.get(state, 0) for state in LIVE_GROUPS)
    if where.target and live:
        yield f"  {count(live, 'gallery', 'galleries')} in {visible(where.target)}"
    for alert in state.alerts.values():
        yield f"  {ink.warn('alert')} {clip(visible(alert.message), max(20, width - 8))}"
    for lost in progress.undelivered:
        yield f"  {ink.bad(not_delivered(lost.channel, lost.tries, lost.problem))}"
    losses = progress.losses()
    if losses:
        yield ""
        yield "  Not live, or not whole:"
        for loss in losses[:LISTED]:
            yield from _loss(loss, ink, width)
        if len(losses) > LISTED:
            yield f"    and {count(len(losses) - LISTED, 'more reason')}"
    yield ""
    for command, says in _next(losses, state.status, where):
        yield f"  {command:<28}  {ink.soft(says)}"


def nothing_new(
    run: str, images: Mapping[ImageState, int], groups: Mapping[GroupState, int]
) -> Iterator[str]:
    """What is said where a run would have nothing to do."""
    yield f"Nothing to do: pipeline and source are as they were in run {run}."
    ordered = {state: images[state] for state in ImageState if images.get(state)}
    yield f"  {count(sum(images.values()), 'image')}: {_listed(ordered)}"
    if groups:
        yield f"  {count(sum(groups.values()), 'group')}: {_listed(groups)}"
    yield ""
    lost = sum(images.values()) - images.get(ImageState.PUBLISHED, 0)
    if lost:
        yield f"  {'imagelane status':<28}  what was left out, and why"
    yield f"  {'imagelane run --new':<28}  goes through it all the same; --fresh executes all again"


def sum_of_states(images: Mapping[ImageState, int], ink: Ink) -> str:
    """``80 published, 1 partial, 2 skipped`` with the share that is well in green."""
    if not images:
        return "nothing was found"
    paint = {ImageState.PUBLISHED: ink.good, ImageState.DEAD: ink.bad, ImageState.PARTIAL: ink.warn}
    return ", ".join(
        paint.get(state, str)(f"{number(value)} {state}") for state, value in images.items()
    )


def _title(progress: Progress, status: RunStatus) -> str:
    return f"{visible(progress.plan.logical.name)} {status.value}"


def _after(status: RunStatus) -> str:
    return "in" if status is RunStatus.FINISHED else "after"


def _listed(counts: Mapping[ImageState, int] | Mapping[GroupState, int]) -> str:
    return ", ".join(f"{number(value)} {state}" for state, value in counts.items())


def _reused(progress: Progress) -> Iterator[str]:
    if not progress.reused:
        return
    recorded = f"{count(progress.reused, 'task')} taken from the record"
    if progress.executed:
        yield f"  {count(progress.executed, 'task')} executed, {recorded}"
    else:
        yield f"  nothing to do: {recorded}, none executed"


def _groups(state: RunState) -> dict[GroupState, int]:
    counts = dict(state.group_counts)
    for group in state.groups.values():
        counts[group.state] = counts.get(group.state, 0) + 1
    return {one: counts[one] for one in GroupState if counts.get(one)}


def _loss(loss: Loss, ink: Ink, width: int) -> Iterator[str]:
    who = visible(loss.first_name) or str(loss.first)
    if loss.count > 1:
        who = f"{who} and {number(loss.count - 1)} more"
    yield f"    {ink.warn(number(loss.count))} {loss.state.value}: {fit(who, max(20, width - 24))}"
    stage = f"{loss.stage}: " if loss.stage and not loss.reason.startswith(loss.stage) else ""
    if stage or loss.reason:
        yield "      " + ink.soft(clip(f"{stage}{visible(loss.reason)}", max(20, width - 6)))


def _next(
    losses: tuple[Loss, ...], status: RunStatus, where: Whereabouts
) -> Iterator[tuple[str, str]]:
    if any(loss.state is ImageState.HELD for loss in losses):
        yield "imagelane resolve held ...", "retry, skip or abort what waits for a decision"
    if status in {RunStatus.PAUSED, RunStatus.HALTED}:
        yield f"imagelane run {visible(where.file)}".rstrip(), "carries on from here"
    if losses:
        first = losses[0].first
        yield f"imagelane show {first}", "what happened there, step by step"
    yield "imagelane report", "the whole run as one HTML file"
    if losses:
        yield "imagelane status", "everything that was left out, and why"
    if any(loss.state in _FAILED for loss in losses):
        yield "imagelane dead-letters", "what failed for good; redrive sends it round again"
