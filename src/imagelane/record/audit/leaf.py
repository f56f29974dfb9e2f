"""From a stored event to its leaf, and the commitments that stand for what it says.

A payload is committed to by the bytes in which it is stored, together with a salt that only its
subject's key gives. Whoever has both can show that this is what was recorded. Once key and bytes
are thrown away, the commitment says nothing: not even whether a guess was right.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from typing import Any

from imagelane.model.audit import Content
from imagelane.model.canonical import canonical
from imagelane.ports.audit import Stored

_ERASED = '{"erased":'
_OUTCOMES = {
    "image_settled": "state",
    "group_settled": "state",
    "run_settled": "status",
    "task_failed": "error",
}
"""The field of a payload that is the event's outcome, by type."""
_NO_KEY = b""


def salt_of(key: bytes, body: str) -> bytes:
    """A payload's salt: 32 bytes that look random to whoever has not the key, and give away nothing
    about those of other payloads."""
    return hmac.digest(key, body.encode(), "sha256")


def commitment(salt: bytes, body: str) -> str:
    """What stands for a payload in its leaf."""
    return sha256(salt + body.encode()).hexdigest()


def erased(stored: Stored, key: bytes) -> str:
    """What takes the place of an event's payload when it is erased: its commitment, and what its
    leaf says of it. With the key gone too, the payload is nowhere any more."""
    role, outcome = _kept(stored.type, stored.body)
    kept = {"erased": commitment(salt_of(key, stored.body), stored.body)}
    return canonical({**kept, "outcome": outcome, "role": role}).decode()


def is_erased(body: str) -> bool:
    """Whether what is stored is what `erased` puts in a payload's place."""
    return body.startswith(_ERASED)


@dataclass(frozen=True, slots=True)
class Said:
    """What a leaf says of a payload."""

    role: str
    outcome: str
    payload: str


def said_of(stored: Stored) -> Said:
    """What an event's leaf says of its payload. Where its subject has no key yet, the commitment is
    made without one: good for comparing within one reading, and never signed."""
    if is_erased(stored.body):
        values = _object(stored.body)
        return Said(
            _text(values.get("role")), _text(values.get("outcome")), _text(values.get("erased"))
        )
    key = stored.key if stored.key is not None else _NO_KEY
    role, outcome = _kept(stored.type, stored.body)
    return Said(role, outcome, commitment(salt_of(key, stored.body), stored.body))


def content_of(stored: Stored, said: Said) -> Content:
    """What of an event its leaf stands for."""
    return Content(
        stored.run,
        # No clock says infinity; whoever has written it is found out by the leaf.
        stored.at if isfinite(stored.at) else 0.0,
        stored.fence,
        _unicode(stored.type),
        stored.subject,
        None if stored.stage is None else _unicode(stored.stage),
        _unicode(said.role),
        _unicode(said.outcome),
        _unicode(said.payload),
    )


def _unicode(text: str) -> str:
    """The text with what is no Unicode in it named: a manifest's faulty column spoils no tree."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _kept(kind: str, body: str) -> tuple[str, str]:
    """Role and outcome, as the payload says."""
    if kind == "image_received":
        return _text(_object(body).get("role")), ""
    if kind in _OUTCOMES:
        return "", _text(_object(body).get(_OUTCOMES[kind]))
    return "", ""


def _object(body: str) -> dict[str, Any]:
    """The body as an object; an empty one where somebody has damaged it, which its hash tells."""
    try:
        values = json.loads(body)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
