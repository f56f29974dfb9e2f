"""A group's images as the record holds them: what group stages and manifests are made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from imagelane.model import events as e
from imagelane.model.ids import RunId
from imagelane.model.states import ImageState
from imagelane.ports.faults import Fault, no_fault
from imagelane.ports.journal import Journal, Recorded

_INTERNAL_FORMAT = "raw"


def members(journal: Journal, run: RunId, group: int) -> Iterator[dict[str, Any]]:
    """The images of a group, in published order, each as one JSON object.

    Keys: ``subject``, ``ordinal``, ``name``, ``state``, ``reason``, ``role``, ``columns``,
    ``facts`` (by stage), ``renditions`` (by stage: rows of name, digest, bytes, format, width,
    height), ``missing`` (stage to reason). Pictures that only another segment needed are left out.
    """
    return _gather(journal.members(run, group))


def _gather(recorded: Iterable[Recorded]) -> Iterator[dict[str, Any]]:
    image: dict[str, Any] | None = None
    for entry in recorded:
        if isinstance(entry.event, e.ImageReceived):
            if image is not None:
                yield image
            image = _received(entry.event)
        elif image is not None:
            _note(image, entry.event)
    if image is not None:
        yield image


def _received(event: e.ImageReceived) -> dict[str, Any]:
    return {
        "subject": str(event.subject),
        "ordinal": event.subject.ordinal,
        "name": event.name,
        "state": "received",
        "reason": "",
        "role": event.role,
        "columns": dict(event.columns),
        "facts": {},
        "renditions": {},
        "missing": {},
    }


def _note(image: dict[str, Any], event: e.Event) -> None:
    match event:
        case e.TaskSucceeded():
            image["missing"].pop(event.stage, None)
            if event.facts:
                image["facts"][event.stage] = dict(event.facts)
            rows = [
                [one.name, one.digest, one.bytes, one.format, one.width, one.height]
                for one in event.renditions
                if one.format != _INTERNAL_FORMAT
            ]
            if rows:
                image["renditions"][event.stage] = rows
        case e.TaskFailed(retry_in=None):
            image["missing"][event.stage] = event.message
        case e.TaskSkipped():
            image["missing"][event.stage] = event.reason
        case e.ImageErased():
            image["state"] = ImageState.ERASED.value
        case e.ImageSettled():
            image["state"] = event.state.value
            image["reason"] = event.reason
        case e.ImageReopened():
            image["state"], image["reason"] = "received", ""
            kept = event.record
            for kind in ("facts", "renditions"):
                known = image[kind].items()
                image[kind] = {stage: made for stage, made in known if stage in kept[kind]}
            image["missing"] = dict(kept["missing"])


def write_members(
    journal: Journal,
    run: RunId,
    groups: Iterable[tuple[int, str]],
    target: Path,
    fault: Fault = no_fault,
) -> Path:
    """Write the members of groups (number, name) as JSON lines, one after the other.

    Each line also names its ``group`` and ``group_name``. The file is complete or absent.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".unfinished")
    with unfinished.open("w", encoding="utf-8") as file:
        for number, name in groups:
            for member in members(journal, run, number):
                member["group"] = number
                member["group_name"] = name
                file.write(json.dumps(member, ensure_ascii=True, separators=(",", ":")))
                file.write("\n")
    fault("members: written")
    unfinished.replace(target)
    return target
