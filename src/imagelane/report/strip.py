"""A replay as one HTML file: the picture before and after every step, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imagelane.model.ids import Digest
from imagelane.model.outcome import Rendition
from imagelane.model.replay import Likeness, Step
from imagelane.ports.artifacts import Artifacts
from imagelane.report.html import CONTENT_POLICY, environment
from imagelane.report.pictures import Picture, embedded
from imagelane.report.replaying import outcome_of, verdict

BUDGET = 8_000_000
"""Bytes of all pictures together."""
_MOST = 6
"""Files of one step that are shown."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A step with what there is to see of it."""

    step: Step
    outcome: str
    before: Picture | None
    after: tuple[tuple[str, Picture], ...]
    unshown: int
    parameters: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]


def render(
    title: str,
    run: str,
    steps: Sequence[Step],
    causes: Sequence[str],
    artifacts: Artifacts,
    *,
    version: str = "",
) -> str:
    """The whole strip as one HTML document; ``artifacts`` holds what the steps made."""
    wanted = [one for step in steps for one in (step.before, step.after, *_files(step)) if one]
    pictures = embedded(wanted, artifacts, BUDGET)
    lead, *why = verdict(steps, causes, len(steps))
    return (
        environment()
        .get_template("replay.html")
        .render(
            title=title,
            run=run,
            shown=[_shown(step, pictures) for step in steps],
            lead=lead,
            causes=why,
            differs=any(step.likeness is Likeness.DIFFERS for step in steps),
            policy=CONTENT_POLICY,
            version=version,
        )
    )


def _files(step: Step) -> tuple[Rendition, ...]:
    return step.renditions[:_MOST]


def _shown(step: Step, pictures: Mapping[Digest, Picture]) -> _Shown:
    after = [("the picture after it", step.after)] if step.after else []
    after += [(f"{one.name}.{one.suffix}", one) for one in _files(step)]
    seen = tuple((name, pictures[one.digest]) for name, one in after if one.digest in pictures)
    return _Shown(
        step,
        outcome_of(step),
        pictures.get(step.before.digest) if step.before else None,
        seen,
        len(step.renditions) + bool(step.after) - len(seen),
        tuple(_values(step.parameters)),
        tuple(_values(step.facts)),
    )


def _values(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Names and values as JSON; what was left unsaid is left out."""
    for name, value in values.items():
        if value is None:
            continue
        yield name, json.dumps(value, ensure_ascii=False, default=dict)
