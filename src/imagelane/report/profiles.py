"""A profile as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from imagelane.model.profile import Profile, StageProfile
from imagelane.model.states import Scope
from imagelane.report.ink import Ink
from imagelane.report.wording import seconds, share, size

_HEAD = (
    ("stage", 16),
    ("alone", 9),
    ("9 of 10", 9),
    ("per MB", 9),
    ("computing", 10),
    ("waiting", 9),
    ("no core", 8),
    ("disk", 9),
    ("decoded", 9),
    ("output", 9),
    ("failed", 7),
)


def profile_text(profile: Profile, ink: Ink) -> list[str]:
    """The page of `imagelane profile`."""
    lines = [
        ink.bold(f"{profile.pipeline}: {profile.origin}, on {profile.cores} cores"),
        "",
        ink.soft("".join(f"{name:<{width}}" for name, width in _HEAD).rstrip()),
    ]
    lines += [_row(stage) for stage in profile.stages]
    lines += ["", *_company(profile, ink)]
    costs = profile.costs
    lines.append(
        f"coordinator: {seconds(costs.turn)} a turn and {seconds(costs.event)} an event of "
        f"computing, {seconds(costs.commit)} until it is on the disk; a worker takes "
        f"{seconds(costs.start)} to start"
    )
    if (used := profile.memory) is not None:
        host = f", {size(used.host)} for what waits" if used.host else ""
        lines.append(
            f"memory: {size(used.coordinator)} for the coordinator{host}, {size(used.worker)} for "
            f"a worker with {size(used.decoded)} decoded"
        )
    lines += [f"not sure: {doubt}" for doubt in profile.doubts]
    return lines


def _row(stage: StageProfile) -> str:
    total = max(stage.alone, 1e-12)
    cells = (
        stage.name[:15],
        seconds(stage.alone),
        seconds(stage.high),
        seconds(stage.per_megabyte) if stage.per_megabyte and stage.scope is Scope.IMAGE else "-",
        share(stage.cpu / total if stage.alone else 0.0),
        share(stage.waits / total if stage.alone else 0.0),
        share(stage.lacked),
        seconds(stage.recorded),
        size(stage.decoded) if stage.decoded else "-",
        size(stage.output) if stage.output else "-",
        share(stage.failure_rate),
    )
    widths = [width for _, width in _HEAD]
    return "".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _company(profile: Profile, ink: Ink) -> Iterator[str]:
    for stage in profile.stages:
        scaling = stage.scaling
        if scaling.contention or scaling.coherency:
            yield ink.warn(
                f"{stage.name} gets slower in company: 2 at once take {scaling.slowdown(2):.2f} × "
                f"as long each, 4 take {scaling.slowdown(4):.2f} × (contention "
                f"{scaling.contention:.2f}, coherency {scaling.coherency:.3f})"
            )
        elif scaling.measured_to >= 1.4:
            yield f"{stage.name} does not get slower with {scaling.measured_to:.1f} side by side"
    busy = profile.busy
    if busy.slowdown(2) > 1:
        yield f"two cores at once compute {busy.slowdown(2):.2f} × as long each as one"
