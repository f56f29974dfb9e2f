"""Making a failing case smaller, greedily, while it still breaks a promise.

A shrinker of our own, beside Hypothesis in the tests: a case is replayed and made smaller by the
command too, which runs for hours where no test framework is, and one number names it anywhere. It
knows what is smaller for a reader (fewer stages, images and faults), and since draws depend on what
they are for and not on their order, what is left of a case behaves as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from imagelane.testing.simulation.broken import BrokenGuaranteeError
from imagelane.testing.simulation.cases import Case, Options, Stage
from imagelane.testing.simulation.play import play

Play = Callable[[Case], int]
Said = TypeVar("Said", Case, Options, Stage)
TRIES = 2000
"""Cases that are played at most while one is made smaller."""


def broken(case: Case, playing: Play = play) -> BrokenGuaranteeError | None:
    """What playing the case breaks. An error of the product's own counts: it promises none."""
    try:
        playing(case)
    except BrokenGuaranteeError as error:
        return error
    except Exception as error:  # noqa: BLE001 -- whatever the product raises
        return BrokenGuaranteeError(f"{type(error).__name__}: {error}", "nothing_is_raised")
    return None


def shrink(
    case: Case, error: BrokenGuaranteeError, playing: Play = play
) -> tuple[Case, BrokenGuaranteeError]:
    """The smallest case found that breaks the same promise, and how."""
    tries = 0
    smaller: Case | None = case
    while smaller is not None:
        case, smaller = smaller, None
        for candidate in _smaller(case):
            tries += 1
            if tries > TRIES:
                return case, error
            found = broken(candidate, playing)
            if found is not None and found.promise == error.promise:
                smaller, error = candidate, found
                break
    return case, error


def _smaller(case: Case) -> Iterator[Case]:
    """Cases with a little less in them, those with much less first."""
    for size in _halves(len(case.faults)):
        for start in range(0, len(case.faults), size):
            faults = case.faults[:start] + case.faults[start + size :]
            yield replace(case, faults=faults)
    for size in _halves(len(case.groups)):
        for start in range(0, len(case.groups), size):
            if groups := case.groups[:start] + case.groups[start + size :]:
                yield replace(case, groups=groups)
    for number, size in enumerate(case.groups):
        for less in sorted({1, size // 2, size - 1} - {0, size}):
            groups = (*case.groups[:number], less, *case.groups[number + 1 :])
            yield replace(case, groups=groups)
    for stage in reversed(case.stages):
        if len(case.stages) > 1:
            yield replace(case, stages=tuple(_without(case.stages, stage)))
    yield from _plainer(case)


def _halves(count: int) -> Iterator[int]:
    while count:
        yield count
        count //= 2


def _without(stages: tuple[Stage, ...], gone: Stage) -> Iterator[Stage]:
    """The stages without one; whoever needed it needs what it needed."""
    for stage in stages:
        if gone.name in stage.needs:
            needs = dict.fromkeys((*stage.needs, *gone.needs))
            del needs[gone.name]
            yield replace(stage, needs=tuple(needs))
        elif stage is not gone:
            yield stage


def _plainer(case: Case) -> Iterator[Case]:
    """Cases with a default in place of what is said."""
    said = ("again", "tolerated", "tolerated_of_group", "primary", "primary_at")
    yield from _defaults(case, *said)
    if len(case.options) > 1:
        for options in case.options:
            yield replace(case, options=(options,))
    for number, options in enumerate(case.options):
        for plain in _defaults(options, *Options.__dataclass_fields__):
            kept = (*case.options[:number], plain, *case.options[number + 1 :])
            yield replace(case, options=kept)
    # A stage keeps its sort, and the timeout without which it might never return.
    of_stages = Stage.__dataclass_fields__.keys() - {"name", "sort", "timeout"}
    for number, stage in enumerate(case.stages):
        for plainer in _defaults(stage, *sorted(of_stages)):
            yield replace(case, stages=(*case.stages[:number], plainer, *case.stages[number + 1 :]))


def _defaults(value: Said, *names: str) -> Iterator[Said]:
    for name in names:
        default: Any = value.__dataclass_fields__[name].default
        if getattr(value, name) != default:
            yield replace(value, **{name: default})
