"""One frame of the live display: a snapshot laid out for a terminal of so many columns and rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from imagelane.model.states import GroupState, ImageState
from imagelane.report.clean import left, right, visible
from imagelane.report.progress import GroupProgress, Snapshot, StageProgress
from imagelane.report.wording import about, number, rate, stopwatch

WIDEST = 120
_NUMBERS = 8
_PAINT = {
    ImageState.PUBLISHED: "green",
    ImageState.PARTIAL: "yellow",
    ImageState.HELD: "yellow",
    ImageState.DEAD: "red",
    ImageState.REJECTED: "magenta",
    ImageState.PROCESSING: "cyan",
}
_SAYS = {
    GroupState.OPEN: "",
    GroupState.CLOSED: "",
    GroupState.GATED: "publishing",
    GroupState.HELD: "held",
}


@dataclass(frozen=True, slots=True)
class Look:
    """The characters that a terminal can show."""

    full: str = "━"
    empty: str = "─"
    mark: str = "▸"
    dot: str = "·"


ASCII = Look("#", "-", ">", "|")


@dataclass(frozen=True, slots=True)
class Title:
    pipeline: str
    model: str
    run: str


def frame(title: Title, now: Snapshot, width: int, height: int, look: Look) -> list[Text]:
    """The lines, no more than ``height`` and none wider than ``width``."""
    width = min(width, WIDEST)
    top = [*_head(title, now, width, look), Text()]
    bottom = [Text(), *_images(now, width)]
    room = max(3, height - len(top) - len(bottom) - 1)
    groups_room = 0 if room < len(now.stages) + 3 else room - len(now.stages) - 1
    stages = list(_stages(now, width, room - min(groups_room, 3), look))
    groups = list(_groups(now, width, max(0, room - len(stages)), look))
    lines = [*top, *stages, *bottom, *groups]
    for line in lines:
        line.no_wrap = True
        line.overflow = "crop"
    return lines[:height]


def _head(title: Title, now: Snapshot, width: int, look: Look) -> Iterator[Text]:
    clock = stopwatch(now.elapsed)
    name = visible(title.pipeline)
    rest = f" {look.dot} {title.model} {look.dot} {title.run}"
    line = left(name + rest, width - len(clock) - 1) + " "
    text = Text(line + clock)
    text.stylize("bold", 0, min(len(name), len(line)))
    text.stylize("dim", min(len(name), len(line)), len(line))
    yield text
    yield _bar(now.settled, now.images_expected, width, look, "green")
    parts = [
        f"{number(now.settled)} of {number(now.images_expected)} images",
        f"{number(now.live)} of {number(now.groups_expected)} groups live",
    ]
    if now.left is not None:
        parts.append(f"{about(now.left)} left")
    said = Text(f" {look.dot} ".join(parts))
    if now.short_of_memory:
        said.append(f" {look.dot} waiting for memory", "yellow")
    yield said


def _stages(now: Snapshot, width: int, rows: int, look: Look) -> Iterator[Text]:
    if not now.stages:
        return
    names = min(24, max(12, *(len(stage.name) for stage in now.stages)))
    bar = max(0, min(40, width - names - 4 * _NUMBERS - 14))
    columns = ("queued", "running", "done", "failed")
    header = "  " + left("stage", names) + "".join(right(one, _NUMBERS) for one in columns)
    yield Text(header + right("rate", 10), style="dim")
    shown = _most_telling(now.stages, rows - 1)
    for stage in shown:
        yield _stage(stage, names, bar, stage.name == now.bottleneck, look)
    if len(shown) < len(now.stages):
        yield Text(f"  and {len(now.stages) - len(shown)} more stages", style="dim")


def _most_telling(stages: tuple[StageProgress, ...], rows: int) -> list[StageProgress]:
    """All stages if there is room; else those at work, those that wait, and then the others."""
    if len(stages) <= rows:
        return list(stages)
    order = sorted(
        range(len(stages)),
        key=lambda n: (not stages[n].running, not stages[n].queued, not stages[n].failed, n),
    )
    return [stages[n] for n in sorted(order[: max(1, rows - 1)])]


def _stage(stage: StageProgress, names: int, bar: int, slowest: bool, look: Look) -> Text:  # noqa: FBT001
    over = stage.resolved >= stage.expected
    line = Text().append(f"{look.mark} " if slowest else "  ", "yellow")
    line.append(left(visible(stage.name), names), "bold" if slowest else "dim" if over else "")
    for value, style in (
        (stage.queued, ""),
        (stage.running, "cyan"),
        (stage.done, ""),
        (stage.failed, "red"),
    ):
        line.append(right(number(value), _NUMBERS), style if value else "dim")
    line.append(right(rate(stage.rate) if not over else "", 10), "dim")
    if bar >= 8:
        line.append("  ")
        style = "yellow" if slowest else "green"
        line.append_text(_bar(stage.resolved, stage.expected, bar, look, style))
    return line


def _images(now: Snapshot, width: int) -> Iterator[Text]:
    line = Text().append("images    ", "dim").append(number(now.received), "bold")
    for place, (state, value) in enumerate(now.images.items()):
        piece = f"{number(value)} {state}"
        if line.cell_len + len(piece) + 3 > width:
            yield line
            line = Text(" " * 9)
        line.append(" + " if place else " = ", "dim").append(piece, _PAINT.get(state, "default"))
    yield line


def _groups(now: Snapshot, width: int, rows: int, look: Look) -> Iterator[Text]:
    if rows <= 0:
        return
    line = Text().append("groups   ", "dim")
    over = [(state, n) for state, n in now.groups.items() if state not in _SAYS]
    parts = [f"{number(count)} {state}" for state, count in over]
    parts.append(f"{number(len(now.open_groups))} under way")
    line.append(" " + f" {look.dot} ".join(parts), "default")
    yield line
    rows -= 1
    shown = now.open_groups[: rows if len(now.open_groups) <= rows else max(0, rows - 1)]
    for group in shown:
        yield _group(group, width, look)
    if rows and len(shown) < len(now.open_groups):
        yield Text(f"  and {number(len(now.open_groups) - len(shown))} more", style="dim")


def _group(group: GroupProgress, width: int, look: Look) -> Text:
    names = max(12, min(28, width - 50))
    line = Text("  " + left(visible(group.name), names) + " ")
    line.append_text(_bar(group.settled, group.size, 20, look, "green"))
    line.append(right(f"{number(group.settled)}/{number(group.size)}", 12), "dim")
    says = _SAYS.get(group.state, group.state.value)
    line.append(f"  {says}" if says else "", "yellow" if group.state is GroupState.HELD else "cyan")
    return line


def _bar(value: int, total: int, width: int, look: Look, style: str) -> Text:
    # Rounded down: a bar that is full says that nothing is left.
    filled = width * min(value, total) // total if total > 0 else 0
    line = Text().append(look.full * filled, style)
    return line.append(look.empty * (width - filled), "dim")
