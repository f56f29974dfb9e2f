"""Forecasts and advice as text for a terminal: one page, and its first lines are enough to act."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence

from imagelane.model.forecast import Advice, Answer, Forecast, Interval, Move
from imagelane.model.ids import StageName
from imagelane.report.ink import Ink
from imagelane.report.wording import count, rate, seconds, share, size, stopwatch

_LABEL = 22
LOSES = 1.9
"""Where two at once take so many times as long each, nothing is gained by it."""
_SAME = "the same bytes; a gallery goes live whole or not at all"


def advice_text(advice: Advice, ink: Ink, columns: int) -> list[str]:
    """The page of `imagelane advise`."""
    lines = [*_headline(advice, ink), ""]
    lines += _table(advice, ink, columns)
    lines += ["", *_why(advice, ink, columns), ""]
    lines += _list(ink.bold("sure"), advice.sure, columns)
    lines += _list(ink.bold("not sure"), advice.unsure, columns)
    lines += [
        "",
        ink.soft("run it so: ") + f"imagelane run PIPELINE {flags(advice.chosen)}".rstrip(),
    ]
    return lines


def _headline(advice: Advice, ink: Ink) -> Iterator[str]:
    asked, chosen = advice.asked, advice.chosen
    batch = f"{count(asked.images, 'image')} in {count(asked.groups, 'group')}"
    how = _how(advice)
    yield ink.bold(f"{advice.pipeline}: {how}")
    one = advice.of_model("sequential")
    beside = "" if one is chosen else f", one at a time {seconds(one.seconds.middle)}"
    live = f"; the first group is live after {seconds(chosen.first.middle)}" if chosen.first else ""
    yield f"{batch} take {_between(chosen.seconds)}{beside}{live}."
    yield _next_step(advice)


def _how(advice: Advice) -> str:
    if advice.answer is Answer.SEQUENTIAL:
        return f"sequential is the right answer: {advice.reason}."
    chosen = advice.chosen
    pools = chosen.options.pools
    parts = [_number(chosen.processes, "worker process")] if chosen.processes else []
    parts += [
        f"{places} waiting at once" if pool == "io" else f"{places} places in pool {pool}"
        for pool, places in sorted(pools.items())
        if pool != "cpu"
    ]
    parts += [f"{n} of {name} at once" for name, n in sorted(chosen.options.workers.items())]
    if advice.answer is Answer.HYBRID:
        side = chosen.options.parallel_batches
        parts.append(f"{side} batches of {chosen.options.batch_size} side by side")
    word = "run it in parallel" if advice.answer is Answer.PARALLEL else "run it in batches"
    return f"{word}, with {_listed(parts)}: {advice.reason}."


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _number(value: int, what: str) -> str:
    return f"{value} {what if value == 1 else what + 'es'}"


def _next_step(advice: Advice) -> str:
    loads = advice.chosen.loads
    if not loads:
        return ""
    first = loads[0]
    most = (
        f", most of it for {first.stage}" if first.stage and first.stage not in first.name else ""
    )
    beyond = next((one for one in loads[1:] if one.stage != first.stage or not one.stage), None)
    after = f" After that: {beyond.name} ({share(beyond.share)} busy)." if beyond else ""
    worst = max(advice.slower, key=lambda pair: pair[1], default=None)
    if worst is not None and worst[1] >= LOSES:
        name, slowdown = worst
        each = f"two at once take {slowdown:.1f} × as long each"
        return f"Do not run {name} side by side: {each}.{_loses(advice)}"
    return f"What holds it up is {first.name}{most} ({share(first.share)} busy).{after}"


def _loses(advice: Advice) -> str:
    """What the file asks for, where that is slower than one at a time."""
    one, now = advice.of_model("sequential").seconds, advice.now.seconds
    if now.low <= one.middle:
        return ""
    return f" As the file says, it takes {seconds(now.middle)}, longer than one at a time."


def _table(advice: Advice, ink: Ink, columns: int) -> list[str]:
    """The classic decision table, with this pipeline's own figures."""
    shown = [*advice.forecasts]
    if _differs(advice):
        shown.append(advice.now)
    width = max(16, (min(columns, 120) - _LABEL) // len(shown))
    lines = [" " * _LABEL + "".join(ink.bold(f"{one.label:<{width}}") for one in shown).rstrip()]

    def row(label: str, cell: Callable[[Forecast], str]) -> None:
        cells = [textwrap.wrap(cell(one), width - 2) or [""] for one in shown]
        for place in range(max(map(len, cells))):
            texts = [one[place] if place < len(one) else "" for one in cells]
            head = label if place == 0 else ""
            line = f"{head:<{_LABEL}}" + "".join(f"{text:<{width}}" for text in texts)
            lines.append(line.rstrip())

    row("total time", lambda one: seconds(one.seconds.middle))
    row("  9 times out of 10", lambda one: _span(one.seconds))
    row("first group live", lambda one: seconds(one.first.middle) if one.first else "never")
    row("median group live", lambda one: seconds(one.median.middle) if one.median else "never")
    row("images", lambda one: rate(one.rate))
    row("held up by", lambda one: one.loads[0].name if one.loads else "-")
    if advice.asked.price is not None:
        row("cost", lambda one: _money(one, advice))
    row("infrastructure", _infrastructure)
    row("  cores computing", lambda one: f"{one.computing:.1f}")
    row("debugging", _debugging)
    row("recovery after a kill", _recovery)
    lines.append(f"{'consistency':<{_LABEL}}{_SAME}")
    return lines


def _differs(advice: Advice) -> bool:
    return all(
        abs(one.seconds.middle - advice.now.seconds.middle) > 0.02 * one.seconds.middle
        or one.options.model is not advice.now.options.model
        for one in advice.forecasts
    )


def _infrastructure(one: Forecast) -> str:
    memory = f", {size(one.memory.middle)}" if one.memory else ""
    return f"{count(one.processes, 'worker')}{memory}"


def _debugging(one: Forecast) -> str:
    if one.options.model.value == "sequential":
        return "1 task at a time, in order"
    return f"{count(_at_a_time(one), 'task')} at a time"


def _recovery(one: Forecast) -> str:
    """What a killed run does again: what was under way."""
    return f"{count(_at_a_time(one), 'task')} done again"


def _at_a_time(one: Forecast) -> int:
    return max(1, math.ceil(sum(one.under_way.values()) - 0.05))


def _span(interval: Interval) -> str:
    """``2.3 to 2.9 s``, ``12:28 to 15:54``."""
    if interval.high < 59.95:
        digits = 2 if interval.high < 9.995 else 1
        return f"{interval.low:.{digits}f} to {interval.high:.{digits}f} s"
    return f"{stopwatch(interval.low)} to {stopwatch(interval.high)}"


def _money(one: Forecast, advice: Advice) -> str:
    price = advice.asked.price
    if price is None or one.cost is None:
        return "-"
    return f"{price.currency}{one.cost:,.{2 if one.cost >= 1 else 4}f}"


def _why(advice: Advice, ink: Ink, columns: int) -> list[str]:
    ceiling = advice.ceiling
    law = "" if ceiling.amdahl > 1000 else f"; Amdahl's law allows {ceiling.amdahl:.1f} ×"
    most = f"{ceiling.speed_up:.1f} × one at a time, however many workers"
    lines = [f"{ink.bold('ceiling')}  {most}: {ceiling.name}{law}"]
    if len(advice.knee) > 1:
        curve = " · ".join(f"{number}: {seconds(taken)}" for number, taken in advice.knee)
        lines.append(f"{ink.bold('knee')}     {advice.knee_of}: {curve}; more gain less than 5 %")
    steps = [
        f"{place}. {move.stage}={move.workers} (−{_gain(move)})"
        for place, move in enumerate(advice.moves, 1)
    ]
    if steps:
        lines.append(f"{ink.bold('one stage at a time')}  {'  '.join(steps)}")
        lines.append(ink.soft("  each with --parallel STAGE=N, beside those before it"))
    return [piece for line in lines for piece in _wrapped(line, columns)]


def _gain(move: Move) -> str:
    return share(move.gained / (move.seconds + move.gained))


def _list(head: str, sentences: Sequence[str], columns: int) -> Iterator[str]:
    if sentences:
        yield head
        for sentence in sentences:
            yield from _wrapped(f"  - {sentence}", columns, "    ")


def _wrapped(text: str, columns: int, indent: str = "  ") -> list[str]:
    return textwrap.wrap(text, columns, subsequent_indent=indent) or [""]


def _between(interval: Interval) -> str:
    return f"{seconds(interval.middle)} ({_span(interval)})"


def flags(forecast: Forecast) -> str:
    """The options of a forecast as they are given to `imagelane run`."""
    options = forecast.options
    found = [f"--model {options.model.value}"]
    if options.model.value == "hybrid":
        found.append(
            f"--batch-size {options.batch_size} --parallel-batches {options.parallel_batches}"
        )
    if (processes := options.pools.get("cpu")) is not None:
        found.append(f"--workers {processes}")
    found += [
        f"--pool {name}={size}" for name, size in sorted(options.pools.items()) if name != "cpu"
    ]
    found += [f"--workers {name}={number}" for name, number in sorted(options.workers.items())]
    return " ".join(found)


def forecast_text(forecast: Forecast, ink: Ink, columns: int) -> list[str]:
    """The page of `imagelane simulate`."""
    del columns
    batch = f"{count(forecast.images, 'image')} in {count(forecast.groups, 'group')}"
    lines = [
        ink.bold(f"{batch}: {_between(forecast.seconds)}")
        + f", after {seconds(forecast.start)} of start-up",
    ]
    if forecast.ending != "finished":
        lines.append(ink.warn(f"the run would not finish: {forecast.ending}"))
    for label, value in (
        ("first group live", forecast.first),
        ("median group live", forecast.median),
    ):
        if value is not None:
            lines.append(f"{label:<{_LABEL}}{_between(value)}")
    lines.append(f"{'images':<{_LABEL}}{rate(forecast.rate)}")
    if forecast.memory is not None:
        memory = forecast.memory
        lines.append(
            f"{'memory at most':<{_LABEL}}{size(memory.middle)} "
            f"({size(memory.low)} to {size(memory.high)})"
        )
    lines.append(f"{'cores computing':<{_LABEL}}{forecast.computing:.1f}")
    lines += ["", *_loads(forecast)]
    lines += ["", *_under_way(forecast.under_way)]
    lines += ["", ink.soft(_simulated(forecast))]
    return lines


def _loads(forecast: Forecast) -> Iterator[str]:
    for place, load in enumerate(forecast.loads[:4]):
        head = ("bottleneck", "next")[place] if place < 2 else ""
        most = (
            f", most of it for {load.stage}" if load.stage and load.stage not in load.name else ""
        )
        yield f"{head:<{_LABEL}}{load.name}{most}: {share(load.share)} busy"


def _under_way(under_way: Mapping[StageName, float]) -> Iterator[str]:
    for place, (name, number) in enumerate(under_way.items()):
        yield f"{'under way' if place == 0 else '':<{_LABEL}}{name:<18} {number:.2f}"


def _simulated(forecast: Forecast) -> str:
    if forecast.simulated >= forecast.images:
        return f"All {forecast.images:,} images were simulated one by one."
    return (
        f"{forecast.simulated:,} images were simulated one by one; the other "
        f"{forecast.images - forecast.simulated:,} go on at the rate that came out, and no faster "
        "than the bottleneck allows."
    )
