"""The audit trail as PREMIS 3 (loc.gov/standards/premis): objects, events and agents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from xml.sax.saxutils import escape

from imagelane.model.audit import Told
from imagelane.report.audit.saying import (
    actor,
    event_id,
    field,
    outputs,
    reason,
    what,
    when,
)
from imagelane.report.clean import visible

_VOCABULARY = "http://id.loc.gov/vocabulary/preservation/eventType"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<premis xmlns="http://www.loc.gov/premis/v3" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://www.loc.gov/premis/v3 '
    'https://www.loc.gov/standards/premis/premis.xsd" version="3.0">\n'
)

EVENT_TYPES: Mapping[str, tuple[str, str]] = {
    "image_received": ("ing", "ingestion"),
    "validate": ("val", "validation"),
    "metadata": ("mee", "metadata extraction"),
    "moderate": ("pol", "policy assignment"),
    "deidentify": ("red", "redaction"),
    "normalize": ("nor", "normalization"),
    "publish": ("dis", "dissemination"),
}
"""By the event's type or the kind of its stage, the term of PREMIS' vocabulary and its name. What
makes files is a creation; of what the vocabulary has no term for, our own word is used."""
_CREATION = ("cre", "creation")


def premis(
    events: Callable[[], Iterable[Told]], kinds: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The document in pieces. ``events`` is called three times; ``kinds`` gives what a stage is,
    where its name does not say it."""
    yield _HEAD
    yield from _objects(events())
    agents: dict[str, None] = {}
    for told in events():
        agents[actor(told)] = None
        yield _event(told, kinds or {})
    for name in agents:
        yield _agent(name)
    yield "</premis>\n"


def _objects(events: Iterable[Told]) -> Iterator[str]:
    """Source files and what was made, each once."""
    seen: set[str] = set()
    for told in events:
        if told.content.type == "image_received":
            identifier = _image(told)
            yield _object(
                identifier, "", int(field(told, "bytes") or 0), "", str(field(told, "name") or "")
            )
        for one in outputs(told):
            if one.digest not in seen:
                seen.add(one.digest)
                yield _object(f"sha256:{one.digest}", one.digest, one.bytes, one.format, "")


def _object(identifier: str, digest: str, size: int, kind: str, name: str) -> str:
    fixity = (
        "<fixity><messageDigestAlgorithm>SHA-256</messageDigestAlgorithm>"
        f"<messageDigest>{digest}</messageDigest></fixity>"
        if digest
        else ""
    )
    return (
        '<object xsi:type="file">'
        f"{_identifier('object', identifier)}"
        f"<objectCharacteristics>{fixity}<size>{size}</size>"
        f"<format><formatDesignation><formatName>{_text(kind or 'unknown')}</formatName>"
        "</formatDesignation></format></objectCharacteristics>"
        + (f"<originalName>{_text(name)}</originalName>" if name else "")
        + "</object>\n"
    )


def _event(told: Told, kinds: Mapping[str, str]) -> str:
    stage = told.content.stage or ""
    kind = EVENT_TYPES.get(kinds.get(stage, stage) or told.content.type)
    if kind is None and any(True for _ in outputs(told)):
        kind = _CREATION
    if kind is None:
        named = f"<eventType>{_text(told.content.type.replace('_', ' '))}</eventType>"
    else:
        named = (
            f'<eventType authority="eventType" authorityURI="{_VOCABULARY}" '
            f'valueURI="{_VOCABULARY}/{kind[0]}">{kind[1]}</eventType>'
        )
    parents = " ".join(f"{told.content.run}/{parent}" for parent in told.leaf.parents)
    detail = f"{what(told)}; after: {parents or 'nothing'}; leaf: {told.leaf.content}"
    note = reason(told)
    return (
        f"<event>{_identifier('event', event_id(told))}{named}"
        f"<eventDateTime>{when(told)}</eventDateTime>"
        f"<eventDetailInformation><eventDetail>{_text(detail)}</eventDetail>"
        "</eventDetailInformation>"
        f"<eventOutcomeInformation><eventOutcome>{_text(_outcome(told))}</eventOutcome>"
        + (
            "<eventOutcomeDetail><eventOutcomeDetailNote>"
            f"{_text(note)}</eventOutcomeDetailNote></eventOutcomeDetail>"
            if note
            else ""
        )
        + "</eventOutcomeInformation>"
        + _linked("Agent", actor(told), "implementer")
        + _about(told)
        + "</event>\n"
    )


def _about(told: Told) -> str:
    made = "".join(_linked("Object", f"sha256:{one.digest}", "outcome") for one in outputs(told))
    if not told.content.subject.ordinal:
        return made
    return _linked("Object", _image(told), "source") + made


def _linked(kind: str, identifier: str, role: str) -> str:
    name = f"linking{kind}"
    return (
        f"<{name}Identifier><{name}IdentifierType>imagelane</{name}IdentifierType>"
        f"<{name}IdentifierValue>{_text(identifier)}</{name}IdentifierValue>"
        f"<{name}Role>{role}</{name}Role></{name}Identifier>"
    )


def _identifier(kind: str, value: str) -> str:
    return (
        f"<{kind}Identifier><{kind}IdentifierType>imagelane</{kind}IdentifierType>"
        f"<{kind}IdentifierValue>{_text(value)}</{kind}IdentifierValue></{kind}Identifier>"
    )


def _agent(name: str) -> str:
    kind = "person" if "@" in name else "software"
    return (
        f"<agent>{_identifier('agent', name)}<agentName>{_text(name)}</agentName>"
        f"<agentType>{kind}</agentType></agent>\n"
    )


def _image(told: Told) -> str:
    return f"{told.content.run}/image/{told.content.subject}"


def _outcome(told: Told) -> str:
    kind = told.content.type
    if kind == "task_succeeded":
        return "success"
    return told.content.outcome or ("skipped" if kind == "task_skipped" else "recorded")


def _text(value: str) -> str:
    return escape(visible(value))
