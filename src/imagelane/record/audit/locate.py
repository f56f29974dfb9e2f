"""Where two accounts of one log part: what is missing, put in, edited, or moved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SURE = 3
"""Events in a row that must agree before the two accounts are taken to be in step again."""
AHEAD = 20_000
"""Events that are looked at to find that place."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What was signed as events ``first`` up to ``last`` (excluded) is now what stands at ``now``
    up to ``now_last`` (excluded). Places count from 0, in either account."""

    first: int
    last: int
    now: int
    now_last: int


def differences(signed: Sequence[str], found: Sequence[str]) -> Iterator[Difference]:
    """Where the digests that are found differ from those that were signed, in their order.
    What is found beyond the end of what was signed is no difference."""
    at = now = 0
    while at < len(signed):
        same = _same(signed, at, found, now)
        at, now = at + same, now + same
        if at == len(signed):
            return
        if now == len(found):
            yield Difference(at, len(signed), now, now)
            return
        next_at, next_now = _in_step(signed, at, found, now)
        yield Difference(at, next_at, now, next_now)
        at, now = next_at, next_now


def _same(signed: Sequence[str], at: int, found: Sequence[str], now: int) -> int:
    """How many agree from here on. Long stretches are compared at once."""
    most = min(len(signed) - at, len(found) - now)
    done, stride = 0, 1
    while done < most and stride:
        length = min(stride, most - done)
        if signed[at + done : at + done + length] == found[now + done : now + done + length]:
            done, stride = done + length, stride * 2
        else:
            # The first that differs is among these.
            most, stride = done + length, length // 2
    return done


def _in_step(signed: Sequence[str], at: int, found: Sequence[str], now: int) -> tuple[int, int]:
    """Where both go on the same again: the nearest such place; the end if there is none."""
    for ahead in (64, AHEAD):
        near = _near(signed, at, found, now, ahead)
        if near is not None:
            return near
    # What comes beyond the end of what was signed is not part of it.
    return len(signed), min(len(found), now + len(signed) - at)


def _near(
    signed: Sequence[str], at: int, found: Sequence[str], now: int, most: int
) -> tuple[int, int] | None:
    """The nearest place where both go on the same, at most so many events ahead in either."""
    places: dict[str, list[int]] = defaultdict(list)
    for place in range(at, min(at + most, len(signed))):
        places[signed[place]].append(place)
    best: tuple[int, int] | None = None
    for ahead in range(min(most, len(found) - now)):
        if best is not None and ahead > max(best[0] - at, best[1] - now):
            break
        for place in places.get(found[now + ahead], ()):
            if best and max(place - at, ahead) >= max(best[0] - at, best[1] - now):
                continue
            length = min(SURE, len(signed) - place, len(found) - now - ahead)
            if signed[place : place + length] == found[now + ahead : now + ahead + length]:
                best = (place, now + ahead)
    return best


def sentences(
    signed: Sequence[str], found: Sequence[str], indices: Sequence[int], before: int
) -> list[str]:
    """The differences in words. ``indices`` are those that the found events bear, ``before`` how
    many events came before both accounts."""
    parts = list(differences(signed, found))
    said: list[str] = []
    moved = _exchanged(parts, signed, found)
    for part in parts:
        gone, come = part.last - part.first, part.now_last - part.now
        place = _events(before + part.first + 1, before + part.last)
        if part.first in moved:
            other = moved[part.first]
            if other > part.first:
                pair = f"{before + part.first + 1:,} and {before + other + 1:,}"
                said.append(f"events {pair}: exchanged")
        elif gone == come:
            how = "reordered" if _reordered(part, signed, found) else "edited"
            said.append(f"{place}: {how}")
        elif not come:
            rest = part.now < len(found) and indices[part.now] == before + part.first + 1
            numbered = "; those after were given their numbers" if rest else ""
            said.append(f"{place}: missing{numbered}")
        elif not gone:
            last = before + part.first + come
            said.append(f"{_events(before + part.first + 1, last)}: put in")
        else:
            said.append(f"{place}: replaced by {come:,} other event{'s' * (come > 1)}")
    return said


def _exchanged(
    parts: Sequence[Difference], signed: Sequence[str], found: Sequence[str]
) -> dict[int, int]:
    """Places of single events, each with that of the event that stands there now."""
    single = [one for one in parts if one.last - one.first == one.now_last - one.now == 1]
    by_signed = {signed[one.first]: one for one in single}
    exchanged = {}
    for one in single:
        other = by_signed.get(found[one.now])
        if other is not None and found[other.now] == signed[one.first]:
            exchanged[one.first] = other.first
    return exchanged


def _reordered(part: Difference, signed: Sequence[str], found: Sequence[str]) -> bool:
    was, now = signed[part.first : part.last], found[part.now : part.now_last]
    return len(was) > 1 and Counter(was) == Counter(now)


def _events(first: int, last: int) -> str:
    return f"event {first:,}" if first == last else f"events {first:,}–{last:,}"
