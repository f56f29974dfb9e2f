"""What another program said, in JSON: taken as facts and a verdict, and never on trust."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast, get_args

from imagelane.execute.errors import BugError
from imagelane.execute.failures import one_line
from imagelane.execute.text import clean
from imagelane.model.outcome import Verdict

_MOST_VALUES = 10_000
_VERDICTS = frozenset(get_args(Verdict))


def parse(raw: bytes, who: str) -> dict[str, Any]:
    """A JSON object with finite numbers and clean texts. ``who`` said it, for the message.

    Raises:
        BugError: it is none.
    """
    try:
        value = json.loads(raw, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        shown = one_line(raw[:80].decode("utf-8", "replace"))
        raise BugError(f"{who} answered {shown!r}: expected a JSON object ({error})") from None
    if not isinstance(value, dict):
        raise BugError(f"{who} answered with a JSON {type(value).__name__}: expected an object")
    budget = [_MOST_VALUES]
    return {clean(key, 200): _clean(item, budget, who) for key, item in value.items()}


def verdict_in(answer: Mapping[str, Any], key: str, who: str) -> Verdict:
    """The verdict under a key. Whatever else stands there is no approval.

    Raises:
        BugError: it is missing, or none of approve, review and reject.
    """
    if key not in answer:
        raise BugError(f"{who} answered without {key!r}: expected approve, review or reject there")
    if answer[key] not in _VERDICTS:
        found = one_line(json.dumps(answer[key]), 80)
        raise BugError(f"{who} answered {found} as {key!r}: expected approve, review or reject")
    return cast("Verdict", answer[key])


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _clean(value: Any, budget: list[int], who: str) -> Any:
    budget[0] -= 1
    if budget[0] < 0:
        raise BugError(f"{who} answered with more than {_MOST_VALUES:,} values")
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean(item, budget, who) for item in value]
    if isinstance(value, dict):
        return {clean(key, 200): _clean(item, budget, who) for key, item in value.items()}
    return value
