"""The report: one HTML file that loads nothing, runs nothing and shows every text as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from imagelane.model.ids import StageName
from imagelane.model.states import LIVE_GROUPS, ImageState, RunStatus
from imagelane.report import charts, sentences, wording
from imagelane.report.calls import delivered
from imagelane.report.clean import visible
from imagelane.report.pictures import Pictures
from imagelane.report.view import GroupView, History, RunView

CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def render(
    view: RunView,
    pictures: Pictures = Pictures(),  # noqa: B008 -- frozen
    *,
    plan: str = "",
    target: str = "",
    version: str = "",
) -> str:
    """The whole report as one HTML document.

    Args:
        view: the run.
        pictures: what the galleries show.
        plan: the plan as text.
        target: where the galleries are published, as a person would look for it.
        version: of imagelane, for the footer.
    """
    colours = {stage.name: n % charts.COLOURS for n, stage in enumerate(view.stages)}
    live = [group for group in view.group_rows if group.state in _LIVE]
    return (
        environment()
        .get_template("report.html")
        .render(
            view=view,
            pictures=pictures,
            plan=plan,
            target=target,
            version=version,
            policy=CONTENT_POLICY,
            lead=sentences.lead(view),
            failures=[one for one in view.failures if one.detail or one in sentences.untold(view)],
            bottleneck=sentences.bottleneck(view),
            states=[(state.value, count) for state, count in view.images.items()],
            shown=[group for group in live if group.group in _with_pictures(pictures)],
            unshown=[group for group in live if group.group not in _with_pictures(pictures)],
            not_live=[group for group in view.group_rows if group.state not in _LIVE],
            colours=colours,
            ticks=charts.ticks(view.elapsed),
            breaks=[
                (100 * place / view.elapsed if view.elapsed else 0.0, wording.seconds(pause))
                for place, pause in view.breaks
            ],
            strips=list(charts.strips(view.workers, view.piece, colours)),
            longest=max((stage.total for stage in view.stages), default=0.0),
            blocks=list(_blocks(view, colours)),
            options=list(_options(view.options)),
            settled=view.run.status in {RunStatus.FINISHED, RunStatus.FAILED, RunStatus.CANCELLED},
        )
    )


_LIVE = LIVE_GROUPS


def _with_pictures(pictures: Pictures) -> frozenset[int]:
    return frozenset(group for group, _ in pictures.cards) | frozenset(pictures.sheets)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the waterfall, with its table."""

    history: History
    bars: tuple[charts.Bar, ...]
    height: int
    took: str
    lost: bool


def _blocks(
    view: RunView, colours: Mapping[StageName, int]
) -> Iterator[tuple[str, tuple[_Row, ...]]]:
    """The waterfall: (group's name, its lines)."""
    for _, histories in groupby(view.histories, key=lambda one: one.subject.group):
        rows = tuple(_row(one, view.elapsed, colours) for one in histories)
        name = rows[0].history.group_name
        yield name or "the run as a whole", rows


def _row(history: History, length: float, colours: Mapping[StageName, int]) -> _Row:
    drawn, height = charts.bars(history.entries, length, colours)
    timed = [one for one in history.entries if one.ending != "skipped"]
    began = min((one.began for one in timed), default=0.0)
    ended = max((one.began + one.seconds for one in timed), default=0.0)
    lost = history.state in sentences.LOST or any(one.ending == "failed" for one in history.entries)
    return _Row(history, drawn, height, wording.seconds(ended - began) if timed else "", lost)


def _options(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        if text := _option(value):
            yield name.replace("_", " "), text


def _option(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case None | 0 | "":
            return ""
        case dict():
            return ", ".join(f"{key}={_option(one)}" for key, one in sorted(value.items()))
        case list() | tuple():
            return ", ".join(map(_option, value))
        case _:
            return str(value)


def _finalize(value: object) -> object:
    """What every expression of a template goes through before it is escaped."""
    # What a macro gives back is markup that went through here piece by piece.
    return value if hasattr(value, "__html__") else visible(str(value), lines=True)


def environment() -> Environment:
    """How templates are read: every value is escaped, and shown as text."""
    environment = Environment(
        loader=PackageLoader("imagelane.report"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        seconds=wording.seconds,
        size=wording.size,
        number=wording.number,
        rate=wording.rate,
        share=wording.share,
        moment=wording.moment,
        iso=wording.iso,
        stopwatch=wording.stopwatch,
    )
    environment.globals.update(
        count=wording.count,
        of_group=lambda group: sentences.group_summary(_counts(group)),
        verb=sentences.VERBS,
        delivered=delivered,
    )
    return environment


def _counts(group: GroupView) -> Mapping[ImageState, int]:
    return group.images
