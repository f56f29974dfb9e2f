"""A log held against what was signed of it: whether it is the same, and if not, where it parts."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from imagelane.model.ids import Subject
from imagelane.model.note import Checkpoint
from imagelane.record.audit.locate import sentences
from imagelane.record.audit.reading import Account, Entry, Progress
from imagelane.record.audit.sealed import Sealed

ERASURE = "image_erased"
"""The type of the event that says that the payloads of an image were erased."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``findings`` say what is wrong, each with its place; none: nothing is.

    ``events`` is how many there are, ``agreed`` the size of the largest checkpoint that agrees, and
    with it all before (0: none does). Events after it are not protected yet. ``erased`` counts
    payloads that were erased, and recorded to be.
    """

    events: int
    agreed: int
    findings: tuple[str, ...] = ()
    erased: int = 0
    located: bool = True

    @property
    def sound(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class _Seen:
    """What is noticed on the way, beside the hashes."""

    events: int = 0
    problems: list[str] = field(default_factory=list)
    taken: dict[Subject, list[int]] = field(default_factory=dict)
    erased: int = 0

    def see(self, entry: Entry, expected: int) -> None:
        leaf = entry.leaf
        subject = entry.content.subject
        self.events += 1
        if leaf.index > expected:
            gone = leaf.index - 1
            named = f"event {gone:,}" if gone == expected else f"events {expected:,}–{gone:,}"
            self.problems.append(f"{named}: missing")
        elif leaf.index < expected:
            self.problems.append(f"event {leaf.index:,}: comes again after {expected - 1:,}")
        if entry.problem:
            self.problems.append(f"event {leaf.index:,}: {entry.problem}")
        if entry.erased:
            self.taken.setdefault(subject, []).append(leaf.index)
        if entry.content.type == ERASURE:
            self.erased += len(self.taken.pop(subject, ()))

    def without_erasure(self) -> list[str]:
        listed = sorted(index for indices in self.taken.values() for index in indices)
        if not listed:
            return []
        named = ", ".join(f"{index:,}" for index in listed[:10]) + (" …" if listed[10:] else "")
        return [f"events {named}: what they said was taken away, and no erasure is recorded"]


def verify(
    account: Account,
    start: Progress,
    checkpoints: Sequence[Checkpoint],
    sealed: Sealed | None = None,
) -> Verdict:
    """Hold a log against checkpoints, whose signatures are the caller's to verify.

    ``start`` is how far it was read already; it is not changed. ``sealed`` are the hashes that
    were kept beside the checkpoints; without them a change is found, and its place only between
    two checkpoints.
    """
    progress = start.copy()
    good = start.copy()
    ordered = sorted(checkpoints, key=lambda one: one.size)
    due = deque(one for one in ordered if one.size > start.frontier.size)
    seen = _Seen(events=start.frontier.size)
    failed: Checkpoint | None = None
    for entry in account.entries(progress):
        seen.see(entry, progress.expected)
        progress.expected = entry.leaf.index + 1
        progress.frontier.append(entry.hash)
        while due and due[0].size == progress.frontier.size:
            if due[0].root != progress.frontier.root():
                failed = due[0]
                break
            due.popleft()
            good = progress.copy()
        if failed is not None:
            break
    agreed = good.frontier.size if ordered else 0
    violated = [f"event {one.index:,}: {one.message}" for one in progress.causes.violations]
    if failed is None and due:
        failed = due[-1]
    if failed is None:
        findings = [*seen.problems, *violated, *seen.without_erasure()]
        return Verdict(seen.events, agreed, tuple(findings), seen.erased)
    return _located(account, good, failed, ordered, sealed, seen)


def _located(
    account: Account,
    good: Progress,
    failed: Checkpoint,
    checkpoints: Sequence[Checkpoint],
    sealed: Sealed | None,
    seen: _Seen,
) -> Verdict:
    """The verdict on a log that is not what was signed."""
    before = good.frontier.size
    found = list(account.contents(good))
    count = before + len(found)
    findings: list[str] = []
    last = checkpoints[-1]
    if count < last.size:
        findings.append(
            f"the log is shorter than checkpoint {last.size:,}: it has {count:,} events"
        )
    trusted, size = _trusted(sealed, good, checkpoints)
    if trusted:
        indices = [index for index, _ in found]
        findings += sentences(trusted, [digest for _, digest in found], indices, before)
        if not findings:
            findings += _numbered_otherwise(indices, before)
    else:
        findings += seen.problems
    located = size >= failed.size and bool(findings)
    first, end = max(before, size) + 1, min(last.size, count)
    if not located and first <= end:
        named = _span(first, end)
        findings.append(
            f"{named}: not what checkpoint {max(failed.size, last.size):,} signed; where in them "
            "cannot be told, since the hashes that were kept with it are gone or were changed, too"
        )
    return Verdict(max(seen.events, count), before, tuple(findings), located=located)


def _trusted(
    sealed: Sealed | None, good: Progress, checkpoints: Sequence[Checkpoint]
) -> tuple[list[str], int]:
    """The contents that were sealed after what is good, as far as a checkpoint stands for them;
    and up to which event that is."""
    before = good.frontier.size
    if sealed is None:
        return [], before
    size = before
    for one in checkpoints:
        if one.size > before and sealed.root(one.size) != one.root:
            break
        size = max(size, one.size)
    return sealed.contents[before:size], size


def _numbered_otherwise(indices: Sequence[int], before: int) -> list[str]:
    for place, index in enumerate(indices, before + 1):
        if index != place:
            return [f"event {place:,}: bears the number {index:,}"]
    return ["the order of its events is not one in which they could have happened"]


def _span(first: int, last: int) -> str:
    return f"event {first:,}" if last <= first else f"events {first:,}–{last:,}"
