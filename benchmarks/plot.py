"""A plot as SVG, small enough to be written by hand: panels side by side, one line in each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 360, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 40, 40, 44
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:13px}"
    "line{stroke:#ddd}polyline{fill:none;stroke:#06c;stroke-width:2}circle{fill:#06c}"
    "rect{fill:#fff}"
)


@dataclass(frozen=True, slots=True)
class Panel:
    """Points of a line, each above 0; x is drawn by its logarithm, y by its own if ``log``.

    ``label`` says a point's y in words.
    """

    title: str
    points: Sequence[tuple[float, float]]
    label: Callable[[float], str]
    log: bool = False


def svg(panels: Sequence[Panel], x_title: str) -> str:
    """The picture of all panels."""
    width = WIDTH * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" role="img"',
        f' width="{width}" height="{HEIGHT}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{HEIGHT}"/>',
    ]
    for number, panel in enumerate(panels):
        parts += [f'<g transform="translate({WIDTH * number} 0)">', *_drawn(panel, x_title), "</g>"]
    return "\n".join([*parts, "</svg>\n"])


def _drawn(panel: Panel, x_title: str) -> list[str]:
    xs, ys = zip(*panel.points, strict=True)
    first, last = math.log10(min(xs)), math.log10(max(xs))
    low, high = _bounds(ys, log=panel.log)

    def across(x: float) -> float:
        share = (math.log10(x) - first) / (last - first or 1)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def down(y: float) -> float:
        value = math.log10(y) if panel.log else y
        return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    places = [(across(x), down(y)) for x, y in panel.points]
    bottom = HEIGHT - _BOTTOM
    parts = [f'<text class="title" x="{_LEFT}" y="18">{escape(panel.title)}</text>']
    for x in xs:
        at = f"{across(x):.1f}"
        parts += [
            f'<line x1="{at}" x2="{at}" y1="{_TOP}" y2="{bottom}"/>',
            f'<text x="{at}" y="{bottom + 17}" text-anchor="middle">{x:,.0f}</text>',
        ]
    parts += [
        f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{bottom}" y2="{bottom}"/>',
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_title)}</text>',
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>',
    ]
    for (x, y), value in zip(places, ys, strict=True):
        anchor = {_LEFT: "start", WIDTH - _RIGHT: "end"}.get(round(x), "middle")
        said = escape(panel.label(value))
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>',
            f'<text x="{x:.1f}" y="{y - 11:.1f}" text-anchor="{anchor}">{said}</text>',
        ]
    return parts


def _bounds(ys: Sequence[float], *, log: bool) -> tuple[float, float]:
    """Of the axis: whole powers of ten, or from nothing to a little above the most."""
    if log:
        low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
        return low, max(high, low + 1)
    return 0.0, max(ys) * 1.25
