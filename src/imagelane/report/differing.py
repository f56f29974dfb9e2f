"""What a run would do again, and why, as lines of plain text."""

from __future__ import annotations

from collections.abc import Iterator

from imagelane.model.differing import PlanDifference, SourceDifference, StageDifference
from imagelane.report.clean import left, visible
from imagelane.report.ink import Ink
from imagelane.report.wording import count, moment, number

_MARGIN = " " * 4


def difference_lines(found: PlanDifference, ink: Ink) -> Iterator[str]:
    """The stages that are other and why, what became of the source, and how much that is."""
    yield ink.bold(f"against run {found.run}, {moment(found.at)}")
    yield ""
    names = max(12, *(len(one.name) for one in found.stages))
    for one in found.stages:
        yield from _stage(one, names, ink)
    for name in found.gone:
        yield f"  {left(visible(name), names)}  {ink.warn('is no more')}"
    yield ""
    yield from _source(found.source, ink)
    yield ""
    yield from _sum(found, ink)


def _stage(one: StageDifference, names: int, ink: Ink) -> Iterator[str]:
    name = left(visible(one.name), names)
    tasks = _tasks(one)
    if one.reasons:
        yield f"  {name}  {ink.warn('changed')}{tasks}"
        yield from (f"{_MARGIN}{left('', names)}  {visible(reason)}" for reason in one.reasons)
    elif one.follows:
        yield f"  {name}  {ink.warn('follows ' + ', '.join(map(visible, one.follows)))}{tasks}"
    elif one.always:
        yield f"  {name}  executed each time: it may act on the world outside{tasks}"
    else:
        yield f"  {name}  {ink.soft('as it was')}{tasks}"


def _tasks(one: StageDifference) -> str:
    return f": {number(one.tasks)} of {number(one.of_all)}" if one.tasks else ""


def _source(source: SourceDifference | None, ink: Ink) -> Iterator[str]:
    if source is None:
        yield "  source: the list of that run's images is gone, so nothing can be said of it"
        return
    became = {"changed": source.changed, "new": source.new, "gone": source.gone}
    parts = [f"{number(amount)} {label}" for label, amount in became.items() if amount]
    yield f"  source: {', '.join([f'{number(source.same)} as they were', *parts])}"
    yield from (f"{_MARGIN}{ink.soft(visible(one))}" for one in source.examples)
    if source.doubtful:
        text = (
            f"{count(source.doubtful, 'file')} as large as one that was read before: looked at by "
            "bytes, and not executed again if only touched, renamed or copied"
        )
        yield f"{_MARGIN}{ink.soft(text)}"


def _sum(found: PlanDifference, ink: Ink) -> Iterator[str]:
    executed = [one for one in found.stages if not one.publishes]
    again = [one for one in executed if one.tasks]
    tasks, of_all = sum(one.tasks for one in again), sum(one.of_all for one in executed)
    if not tasks:
        yield ink.good("Nothing would run again.")
        return
    listed = ", ".join(f"{visible(one.name)} {number(one.tasks)}" for one in again)
    yield f"{ink.bold('Would run again, at most:')} {listed}"
    yield f"  {number(tasks)} of {count(of_all, 'task')}; the others are taken from the record"
