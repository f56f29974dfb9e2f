"""Plans as stable text: for people, and for golden files that show what each rule did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from imagelane.model.plan import LogicalPlan, LogicalStage, PhysicalPlan, Segment
from imagelane.model.policy import GatePolicy, RetryPolicy, RunOptions, Tolerance
from imagelane.model.spec import Extent, Place, Reads, Resampler
from imagelane.model.states import Scope
from imagelane.plan.draft import Draft, Machine
from imagelane.plan.optimizer import drafts

_PLACES = {
    Place.PROCESS: "a worker process",
    Place.THREAD: "a thread, holding no worker",
    Place.COORDINATOR: "the coordinator",
}
_RESAMPLERS = {
    Resampler.FAST_IMAGE_RESIZE: ("by fast_image_resize; transparent or large, by libvips"),
    Resampler.LIBVIPS: "by libvips",
}


def explain(plan: PhysicalPlan) -> str:
    """The whole plan: stages in order, segments, and what bounds the run."""
    lines = [
        f"pipeline  {plan.logical.name}",
        f"plan      {plan.logical.digest[:16]}",
        f"images    {_images(plan.logical)}",
        f"model     {_model(plan)}",
        *_tolerance(plan.logical.tolerance),
        "",
        *explain_stages(plan.logical),
        "",
        *_explain_segments(plan),
        "",
        *_explain_bounds(plan),
    ]
    return "\n".join(lines) + "\n"


def _tolerance(tolerance: Tolerance) -> Iterator[str]:
    shares = [("the run", tolerance.run), ("a group", tolerance.group)]
    said = [f"{share:.0%} of {what}" for what, share in shares if share is not None]
    if said:
        yield f"tolerance {', '.join(said)}"


def explain_rules(logical: LogicalPlan, options: RunOptions, machine: Machine) -> str:
    """The draft as declared and after every rule; a rule that changed nothing says so."""
    blocks: list[str] = []
    before: Draft | None = None
    for name, draft in drafts(logical, options, machine):
        if draft == before:
            blocks.append(f"after {name}: the same\n")
        else:
            heading = "as declared" if before is None else f"after {name}"
            lines = [f"{heading}:"]
            for names in draft.segments:
                stages = [draft.logical.stage(stage) for stage in names]
                gates = [gate for stage in stages if (gate := _gate(stage.gate))]
                text = f"  {stages[0].scope.value:<6} {' + '.join(names)}"
                lines.append(f"{text}   {'; '.join(gates)}" if gates else text)
            blocks.append("\n".join(lines) + "\n")
        before = draft
    return "\n".join(blocks)


def explain_stages(logical: LogicalPlan) -> Iterator[str]:
    """The stages in topological order: scope, needs, whose picture, policies."""
    rows = [("stage", "scope", "needs", "takes", "when it fails")]
    for stage in logical.stages:
        name = stage.name if stage.spec.uses == stage.name else f"{stage.name} ({stage.spec.uses})"
        rows.append(
            (
                name,
                stage.scope.value,
                ", ".join(stage.needs) or "-",
                _takes(stage),
                _policy(stage),
            )
        )
    yield from _table(rows)


def mermaid(plan: PhysicalPlan) -> str:
    """The DAG as a Mermaid flowchart; a box around stages that share a segment."""
    numbers = {stage.name: index for index, stage in enumerate(plan.logical.stages)}
    lines = ["flowchart LR"]
    for segment in plan.segments:
        fused = len(segment.stages) > 1
        if fused:
            lines.append(f'  subgraph segment{segment.index}["one decode"]')
        for name in segment.stages:
            stage = plan.logical.stage(name)
            opening, closing = ("[", "]") if stage.scope is Scope.IMAGE else ("{{", "}}")
            label = name.replace('"', "#quot;")
            if stage.scope is not Scope.IMAGE:
                label += f"<br/>each {stage.scope.value}"
            indent = "    " if fused else "  "
            lines.append(f'{indent}s{numbers[name]}{opening}"{label}"{closing}')
        if fused:
            lines.append("  end")
    lines += [
        f"  s{numbers[need]} --> s{numbers[stage.name]}"
        for stage in plan.logical.stages
        for need in stage.needs
    ]
    return "\n".join(lines) + "\n"


def _images(logical: LogicalPlan) -> str:
    images = logical.images
    group = images.group
    grouping = {
        "folder": "grouped by folder",
        "pattern": f"grouped by the pattern {group.pattern}",
        "column": f"grouped by the column {group.column}",
        "none": "each alone",
    }[group.by]
    text = f"{images.origin} · {grouping} · in order of {images.order}"
    if images.primary is not None:
        which = images.primary.pattern or images.primary.value or "first"
        text += f" · primary first ({which})"
    return text


def _model(plan: PhysicalPlan) -> str:
    lane = plan.lane
    match lane.kind:
        case "run" if lane.free:
            moved = ", ".join(
                name
                for segment in plan.segments
                if segment.index in lane.free
                for name in segment.stages
            )
            return f"sequential: one order at a time, but {moved} moved to parallel"
        case "run":
            return "sequential: one order at a time, images in (group, ordinal) order"
        case "batch":
            return (
                f"hybrid: batches of {lane.batch_size} images, sequential inside, "
                f"{lane.batches} side by side"
            )
        case _:
            return "parallel: every ready task within its limits, oldest group first"


def _explain_segments(plan: PhysicalPlan) -> Iterator[str]:
    rows = [("segment", "stages", "runs in", "at once")]
    rows += [
        (
            str(segment.index + 1),
            " + ".join(segment.stages),
            _PLACES[segment.place] + _decode(segment, plan),
            _at_once(segment, plan),
        )
        for segment in plan.segments
    ]
    yield from _table(rows)


def _decode(segment: Segment, plan: PhysicalPlan) -> str:
    takers = [
        name
        for name in segment.stages
        if (stage := plan.logical.stage(name)).spec.traits.reads is Reads.PICTURE
        and stage.picture is None
    ]
    if segment.scope is not Scope.IMAGE or not takers:
        return ""
    return ", one decode" if len(segment.stages) > 1 else ", a decode of its own"


def _at_once(segment: Segment, plan: PhysicalPlan) -> str:
    if plan.lane.kind == "run" and segment.index not in plan.lane.free:
        return "1, in the lane"
    if not segment.limits:
        return "1"
    limits = [f"{plan.limits[name]} ({name.replace(':', ' ')})" for name in segment.limits]
    return " and ".join(limits)


def _explain_bounds(plan: PhysicalPlan) -> Iterator[str]:
    yield f"images in flight      at most {plan.window}"
    yield f"decoded pictures      at most {_size(plan.decoded_bytes)} together"
    yield f"worker processes      {plan.processes}"
    yield f"source decoded        {_extents(plan.logical.decode)}"
    yield f"pictures resized      {_RESAMPLERS[plan.logical.resampler]}"
    if not plan.fused:
        yield "fusion                off: each stage decodes and stores for itself"


def _extents(extents: tuple[Extent, ...]) -> str:
    if not extents:
        return "in full"
    asked = sorted({_extent(extent) for extent in extents})
    if "the whole picture" in asked:
        return "in full"
    return f"shrunk by a power of two while it still holds {', '.join(asked)}"


def _extent(extent: Extent) -> str:
    match extent:
        case Extent(None, None):
            return "the whole picture"
        case Extent(width, None):
            return f"{width} px of width"
        case Extent(None, height):
            return f"{height} px of height"
        case Extent(width, height, fit):
            return f"{width} x {height} px ({fit})"


def _takes(stage: LogicalStage) -> str:
    match stage.spec.traits.reads:
        case Reads.PICTURE if stage.scope is Scope.IMAGE:
            return "the source's picture" if stage.picture is None else f"{stage.picture}'s picture"
        case Reads.SOURCE:
            return "the source file"
        case Reads.RENDITIONS:
            return "files made before"
        case _:
            return "files made before" if stage.scope is not Scope.IMAGE else "facts"


def _policy(stage: LogicalStage) -> str:
    spec = stage.spec
    parts = [spec.on_failure.value]
    if spec.timeout is not None:
        parts.append(f"timeout {_seconds(spec.timeout)}")
    if replace(spec.retry, budget=None) != RetryPolicy():
        parts.append(f"{spec.retry.attempts} attempts")
    if spec.breaker is not None:
        parts.append(f"breaker {spec.breaker.failures} of {spec.breaker.of}")
    if gate := _gate(stage.gate):
        parts.append(gate)
    return ", ".join(parts)


def _gate(gate: GatePolicy | None) -> str:
    if gate is None:
        return ""
    match gate.require:
        case tuple() as roles:
            required = " and ".join(roles)
        case str() as word:
            required = word
        case share:
            required = f"{share:.0%}"
    timeout = f" within {_seconds(gate.timeout)}" if gate.timeout is not None else ""
    return f"gate {required}{timeout}"


def _seconds(seconds: float) -> str:
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _size(number: int) -> str:
    return f"{number / (1 << 30):.1f} GiB" if number >= 1 << 30 else f"{number >> 20} MiB"


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
