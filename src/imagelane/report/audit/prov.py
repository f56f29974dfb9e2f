"""The audit trail as PROV-JSON (w3.org/submissions/prov-json): events are activities, files are
entities, and who did it is an agent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from imagelane.model.audit import Told
from imagelane.report.audit.saying import (
    actor,
    duration,
    event_id,
    field,
    outputs,
    source,
    what,
    when,
)

_PREFIXES = {
    "event": "urn:imagelane:event:",
    "image": "urn:imagelane:image:",
    "file": "urn:sha256:",
    "agent": "urn:imagelane:agent:",
    "imagelane": "urn:imagelane:",
}

_Statement = tuple[str, Mapping[str, Any]]


def prov(events: Callable[[], Iterable[Told]]) -> Iterator[str]:
    """The document in pieces; ``events`` is called once for each of its sections."""
    yield f'{{"prefix":{json.dumps(_PREFIXES)}'
    for name, statements in _SECTIONS.items():
        yield f',\n"{name}":{{'
        # Of a file that was made twice there is one statement.
        seen: set[str] = set()
        for told in events():
            for key, values in statements(told):
                if key not in seen:
                    yield f"{',' if seen else ''}\n{json.dumps(key)}:{json.dumps(values)}"
                    seen.add(key)
        yield "}"
    yield "}\n"


def _entities(told: Told) -> Iterator[_Statement]:
    if told.content.type == "image_received":
        yield _image(told), {"prov:label": str(field(told, "name") or "")}
    if digest := source(told):
        yield f"file:{digest}", {"prov:type": "imagelane:source"}
    for one in outputs(told):
        about = {"imagelane:bytes": one.bytes, "imagelane:format": one.format}
        if one.width:
            about |= {"imagelane:width": one.width, "imagelane:height": one.height}
        yield f"file:{one.digest}", about


def _activities(told: Told) -> Iterator[_Statement]:
    about: dict[str, Any] = {
        "prov:endTime": when(told),
        "prov:type": f"imagelane:{told.content.type}",
        "prov:label": what(told),
        "imagelane:index": told.index,
        "imagelane:leaf": told.leaf.content,
    }
    if told.content.outcome:
        about["imagelane:outcome"] = told.content.outcome
    if (took := duration(told)) is not None:
        about["imagelane:seconds"] = took
    yield _event(told), about


def _agents(told: Told) -> Iterator[_Statement]:
    kind = "prov:Person" if "@" in actor(told) else "prov:SoftwareAgent"
    yield _agent(told), {"prov:type": {"$": kind, "type": "prov:QUALIFIED_NAME"}}


def _used(told: Told) -> Iterator[_Statement]:
    if told.content.subject.ordinal and told.content.type.startswith("task_"):
        used = f"file:{source(told)}" if source(told) else _image(told)
        about = {"prov:activity": _event(told), "prov:entity": used}
        yield f"_:u{told.index}", about


def _generated(told: Told) -> Iterator[_Statement]:
    for number, one in enumerate(outputs(told)):
        about = {"prov:entity": f"file:{one.digest}", "prov:activity": _event(told)}
        yield f"_:g{told.index}.{number}", about


def _informed(told: Told) -> Iterator[_Statement]:
    for parent in told.leaf.parents:
        about = {
            "prov:informed": _event(told),
            "prov:informant": f"event:{told.content.run}/{parent}",
        }
        yield f"_:i{told.index}.{parent}", about


def _associated(told: Told) -> Iterator[_Statement]:
    yield f"_:a{told.index}", {"prov:activity": _event(told), "prov:agent": _agent(told)}


_SECTIONS: Mapping[str, Callable[[Told], Iterator[_Statement]]] = {
    "entity": _entities,
    "activity": _activities,
    "agent": _agents,
    "used": _used,
    "wasGeneratedBy": _generated,
    "wasInformedBy": _informed,
    "wasAssociatedWith": _associated,
}


def _event(told: Told) -> str:
    return f"event:{event_id(told)}"


def _image(told: Told) -> str:
    return f"image:{told.content.run}/{told.content.subject}"


def _agent(told: Told) -> str:
    return f"agent:{quote(actor(told), safe='@.', errors='backslashreplace')}"
