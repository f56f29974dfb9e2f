"""A run as lines of plain text, for terminals, pipes and logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from imagelane.model.ids import Subject
from imagelane.model.states import GroupState, ImageState, RunStatus
from imagelane.ports.journal import RunRow
from imagelane.report import sentences
from imagelane.report.calls import delivered
from imagelane.report.clean import fit, left, right, visible, width
from imagelane.report.ink import Ink
from imagelane.report.view import FailureView, GroupView, LossView, RunView, StageView
from imagelane.report.wording import count, moment, number, rate, seconds, share, size

GROUPS = 15
REASONS = 10
"""Groups and reasons that are listed where not all are asked for."""


def runs(rows: Iterable[RunRow]) -> Iterator[str]:
    """One line a run, newest first."""
    for row in rows:
        name = fit(visible(row.pipeline), 40)
        yield f"{row.run}  {left(row.status, 9)}  {moment(row.started)}  {name}"


def status(
    view: RunView, ink: Ink, columns: int, *, everything: bool = False, interrupted: str = ""
) -> Iterator[str]:
    """A run's state: counts that add up, groups, stages, what was left out and why.

    ``everything`` lists all groups and reasons that the view holds. ``interrupted`` is the command
    that takes up a run whose coordinator is gone; empty where there is no such thing.
    """
    yield from _head(view, ink, interrupted)
    yield from _alerts(view, ink, everything=everything)
    yield from _waits(view, ink, everything=everything)
    yield ""
    yield from _images(view, ink)
    if view.group_rows:
        yield ""
        yield from _groups(view, ink, columns, everything=everything)
    if view.stages:
        yield ""
        yield from _stages(view, ink, columns)
    elif view.received:
        yield ""
        yield ink.soft("The run is large: --all reads every event, for times and rates by stage.")
    if view.losses or view.failures:
        yield ""
        yield from _losses(view, ink, columns, everything=everything)


def _head(view: RunView, ink: Ink, interrupted: str) -> Iterator[str]:
    row = view.run
    state = "interrupted" if interrupted else row.status.value
    paint = ink.good if row.status is RunStatus.FINISHED else ink.warn
    yield f"{ink.bold(visible(row.pipeline) or 'run')}  {paint(state)}"
    yield f"  {sentences.lead(view)}"
    if row.reason:
        yield f"  {visible(row.reason)}"
    if interrupted:
        yield f"  Its process is gone; `{interrupted}` takes it up."
    elif row.status in {RunStatus.PAUSED, RunStatus.HALTED}:
        yield f"  `imagelane resume {row.run}` takes it up."
        if view.images.get(ImageState.HELD) or view.groups.get(GroupState.HELD):
            yield "  `imagelane resolve held retry|skip|abort --reason …` decides what is held."
    parts = f", in {len(view.breaks) + 1} parts" if view.breaks else ""
    yield f"  run {row.run}, {row.model or 'no model yet'}"
    yield f"  began {moment(view.started)}, took {seconds(view.elapsed)}{parts}"


def _alerts(view: RunView, ink: Ink, *, everything: bool) -> Iterator[str]:
    if not view.alerts:
        return
    yield ""
    yield ink.bold("Alerts")
    shown = view.alerts if everything else view.alerts[-REASONS:]
    if len(shown) < len(view.alerts):
        yield ink.soft(f"  {number(len(view.alerts) - len(shown))} earlier ones; --all lists them")
    for alert in shown:
        yield f"  {moment(alert.at)}  {ink.warn(alert.cause)}: {visible(alert.message)}"
        lost = any(one.problem for one in alert.deliveries)
        if said := delivered(alert):
            yield f"      {(ink.bad if lost else ink.soft)(said)}"


def _waits(view: RunView, ink: Ink, *, everything: bool) -> Iterator[str]:
    if not view.waits:
        return
    yield ""
    yield ink.bold("Waits")
    shown = view.waits if everything else view.waits[-REASONS:]
    if len(shown) < len(view.waits):
        yield ink.soft(f"  {number(len(view.waits) - len(shown))} earlier ones; --all lists them")
    for wait in shown:
        said = f"{seconds(wait.seconds)} for room on the disk of {visible(wait.folder)}"
        yield f"  {moment(wait.at)}  {said}"


def _images(view: RunView, ink: Ink) -> Iterator[str]:
    """The sum is written out, so that a reader can check it."""
    yield ink.bold("Images")
    if not view.received:
        yield "  none was received"
        return
    names = max(12, *(len(state) for state in view.images))
    digits = len(number(view.received))
    for state, value in view.images.items():
        paint = {ImageState.PUBLISHED: ink.good, ImageState.DEAD: ink.bad}.get(state, str)
        yield f"  {paint(left(state, names))}  {right(number(value), digits)}"
    of = view.expected[0] if view.expected else view.received
    whole = f" of {number(of)} in the source" if of != view.received else ""
    yield f"  {left('received', names)}  {right(number(sum(view.images.values())), digits)}{whole}"


def _groups(view: RunView, ink: Ink, columns: int, *, everything: bool) -> Iterator[str]:
    states = ", ".join(f"{number(value)} {state}" for state, value in view.groups.items())
    total = sum(view.groups.values())
    yield f"{ink.bold('Groups')}  {states}"
    shown = list(view.group_rows) if everything else _most_telling(view.group_rows)
    names = min(40, max(8, *(width(visible(group.name)) for group in shown)))
    digits = max(len(str(group.group)) for group in shown)
    before = 0
    for group in shown:
        if group.group > before + 1:
            yield ink.soft("  …")
        before = group.group
        says = sentences.group_summary(group.images)
        if group.reason:
            says = f"{says}; {visible(group.reason)}"
        paint = ink.good if group.state is GroupState.PUBLISHED else ink.warn
        head = f"  {right(str(group.group), digits)}  {left(visible(group.name), names)}"
        state = left(group.state, 9)
        yield f"{head}  {paint(state)}  {fit(says, max(20, columns - width(head) - 13))}"
    if len(shown) < total:
        more = "" if everything else "; --all lists them"
        yield ink.soft(f"  {number(total - len(shown))} more{more}")


def _most_telling(groups: Sequence[GroupView]) -> list[GroupView]:
    """What is not simply live first; then the first and the last ones, in their order."""
    if len(groups) <= GROUPS:
        return list(groups)
    odd = [group for group in groups if group.state is not GroupState.PUBLISHED][: GROUPS - 5]
    rest = [group for group in groups if group not in odd]
    room = GROUPS - len(odd)
    chosen = [*odd, *rest[: room - 2], *rest[-2:]]
    return sorted(chosen, key=lambda group: group.group)


def _time(stage: StageView, value: float) -> str:
    return seconds(value) if stage.attempts else "-"


_Column = tuple[str, int, Callable[[StageView], str]]

_COLUMNS: tuple[_Column, ...] = (
    ("done", 8, lambda stage: number(stage.done)),
    ("failed", 8, lambda stage: number(stage.failed)),
    ("skipped", 9, lambda stage: number(stage.skipped)),
    ("retried", 9, lambda stage: number(stage.retried)),
    ("at once", 9, lambda stage: number(stage.at_once) if stage.attempts else "-"),
    ("median", 9, lambda stage: _time(stage, stage.median)),
    ("95 %", 9, lambda stage: _time(stage, stage.p95)),
    ("longest", 9, lambda stage: _time(stage, stage.longest)),
    ("total", 13, lambda stage: _time(stage, stage.total)),
    ("rate", 10, lambda stage: rate(stage.per_second)),
)
_LEAST = ("longest", "at once", "rate", "skipped")
"""Columns that a narrow terminal does without, the first one first."""


def _stages(view: RunView, ink: Ink, columns: int) -> Iterator[str]:
    names = min(30, max(12, *(width(visible(stage.name)) for stage in view.stages)))
    retried = any(stage.retried for stage in view.stages)
    shown = [one for one in _COLUMNS if retried or one[0] != "retried"]
    for name in _LEAST:
        if names + 2 + sum(one[1] for one in shown) > columns:
            shown = [one for one in shown if one[0] != name]
    header = "".join(right(name, cells) for name, cells, _ in shown)
    yield ink.bold(left("Stages", names + 2)) + ink.soft(header)
    for stage in view.stages:
        line = f"  {left(visible(stage.name), names)}"
        for name, cells, says in shown:
            cell = right(says(stage), cells)
            line += ink.bad(cell) if name == "failed" and stage.failed else cell
        yield line
    if view.bottleneck is not None:
        yield f"  {sentences.bottleneck(view)}"
    work = sum(stage.total for stage in view.stages)
    if work:
        waiting = sum(stage.waiting for stage in view.stages)
        yield (
            f"  {size(view.bytes_in)} read and {count(view.files_made, 'file')} "
            f"({size(view.bytes_made)}) made in {seconds(work)} of work, "
            f"{share(waiting / work)} of it waiting."
        )


def _losses(view: RunView, ink: Ink, columns: int, *, everything: bool) -> Iterator[str]:
    yield ink.bold("Not live, or not whole")
    limit = len(view.losses) if everything else REASONS
    for loss in view.losses[:limit]:
        stage = loss.stage if loss.stage and not loss.reason.startswith(loss.stage) else ""
        reason = visible(": ".join(filter(None, (stage or "", loss.reason))))
        yield f"  {ink.warn(number(loss.count))} {loss.state.value}: {reason}"
        yield from _who(loss, ink, columns, everything=everything)
    if len(view.losses) > limit:
        yield ink.soft(f"  {number(len(view.losses) - limit)} more reasons; --all lists them")
    others = sentences.untold(view)
    if not others:
        return
    yield ""
    yield ink.bold("Failures")
    limit = len(others) if everything else REASONS
    for failure in others[:limit]:
        yield f"  {ink.bad(number(failure.count))} {failure.stage}: {_said(failure)}"
        yield from _who(failure, ink, columns, everything=everything)
    if len(others) > limit:
        yield ink.soft(f"  {number(len(others) - limit)} more reasons; --all lists them")


def _said(failure: FailureView) -> str:
    attempts = f" (after {failure.attempts} attempts)" if failure.attempts > 1 else ""
    return f"{failure.error}: {visible(failure.message)}{attempts}"


def _who(of: LossView | FailureView, ink: Ink, columns: int, *, everything: bool) -> Iterator[str]:
    if not of.examples:
        return
    if not everything:
        subject, name = of.examples[0]
        more = f" and {number(of.count - 1)} more" if of.count > 1 else ""
        command = f"imagelane show {subject}"
        room = max(20, columns - 8 - len(command) - len(more))
        yield f"      {fit(visible(name), room)}{more}  {ink.soft(command)}"
        return
    yield from _listed(of.examples)
    if of.count > len(of.examples):
        yield ink.soft(f"      and {number(of.count - len(of.examples))} more")


def _listed(subjects: Iterable[tuple[Subject, str]]) -> Iterator[str]:
    for subject, name in subjects:
        yield f"      {left(str(subject), 10)}  {visible(name)}"
