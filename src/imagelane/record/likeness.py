"""What a stage makes anew, compared with what was recorded of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from imagelane.model import events as e
from imagelane.model.outcome import Failure, Rendition, Success
from imagelane.model.replay import Comparison

Outcome = e.TaskSucceeded | e.TaskFailed | e.TaskSkipped
"""What is recorded of a stage when it is over."""

PICTURE = "raw"
"""The format of a picture that was kept for another segment."""
_LONGEST = 60


def compare(recorded: Outcome, now: Success | Failure, *, makes_picture: bool) -> Comparison:
    """How an outcome compares with the recorded one. Times, workers and attempts are no part of
    it; nor is a picture that was kept by one of them alone, since which are kept is a matter of
    how stages are fused."""
    match recorded, now:
        case e.TaskSucceeded(), Success():
            return _successes(recorded, now, makes_picture=makes_picture)
        case e.TaskFailed(), Failure():
            if (recorded.error, recorded.message) == (now.error, now.message):
                return Comparison()
            said = f"failed with {now.error}: {now.message}"
            return Comparison((f"{said}; recorded {recorded.error}: {recorded.message}",))
        case _:
            return Comparison((f"{_ending(now)}; recorded: {_ending(recorded)}",))


def _successes(recorded: e.TaskSucceeded, now: Success, *, makes_picture: bool) -> Comparison:
    then, made = _by_name(recorded.renditions), _by_name(now.renditions)
    facts, found = _plain(recorded.facts), _plain(now.facts)
    pictures = _pictures(recorded.renditions), _pictures(now.renditions)
    differences = [*_renditions(then, made), *_facts(facts, found)]
    both = all(pictures)
    if both and pictures[0] != pictures[1]:
        differences.append("the picture has other samples than recorded")
    if recorded.verdict != now.verdict:
        differences.append(f"verdict {now.verdict}, recorded {recorded.verdict}")
    return Comparison(
        tuple(differences),
        digests=sum(made.get(name) == one for name, one in then.items())
        + (both and pictures[0] == pictures[1]),
        facts=sum(name in found and found[name] == value for name, value in facts.items()),
        unseen=makes_picture and not both,
    )


def _by_name(renditions: tuple[Rendition, ...]) -> dict[tuple[str, str], Rendition]:
    return {(one.name, one.format): one for one in renditions if one.format != PICTURE}


def _pictures(renditions: tuple[Rendition, ...]) -> list[str]:
    return [one.digest for one in renditions if one.format == PICTURE]


def _renditions(
    then: Mapping[tuple[str, str], Rendition], now: Mapping[tuple[str, str], Rendition]
) -> Iterator[str]:
    for key in sorted(then.keys() | now.keys()):
        old, new = then.get(key), now.get(key)
        name = ".".join((key[0], next(one.suffix for one in (new, old) if one)))
        if old is None or new is None:
            yield f"{name} was {'not recorded' if old is None else 'recorded, and is not made'}"
        elif old != new:
            yield f"{name} is {_file(new)}, recorded {_file(old)}"


def _file(one: Rendition) -> str:
    size = f"{one.width} x {one.height}, " if one.width else ""
    return f"{one.digest[:12]} ({size}{one.bytes:,} bytes)"


def _facts(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(then.keys() | now.keys()):
        if name not in now:
            yield f"fact {name} is missing, recorded {_short(then[name])}"
        elif name not in then:
            yield f"fact {name} is {_short(now[name])}, and was not recorded"
        elif then[name] != now[name]:
            yield f"fact {name} is {_short(now[name])}, recorded {_short(then[name])}"


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as they are once they were recorded, whichever way they came."""
    plain: dict[str, Any] = json.loads(json.dumps(facts, default=dict))
    return plain


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _ending(outcome: Outcome | Success | Failure) -> str:
    match outcome:
        case e.TaskFailed() | Failure():
            return f"failed with {outcome.error}: {outcome.message}"
        case e.TaskSkipped():
            return f"skipped: {outcome.reason}"
        case _:
            return "done"
