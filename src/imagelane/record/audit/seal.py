"""Making a checkpoint: the log read whole, held against every checkpoint before, and its leaves
written down."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from imagelane.model.note import Checkpoint
from imagelane.record.audit.reading import Account, Progress
from imagelane.record.audit.sealed import line


class ChangedError(Exception):
    """The log is not what was signed of it before, so nothing of it is signed again."""


def seal(
    account: Account,
    start: Progress,
    origin: str,
    earlier: Sequence[Checkpoint],
    write: Callable[[str], object],
) -> Checkpoint:
    """The checkpoint over all that is recorded. Every leaf is given to ``write`` as a line.

    Raises:
        ChangedError: an earlier checkpoint does not agree.
    """
    progress = start.copy()
    due = deque(sorted(earlier, key=lambda one: one.size))
    for entry in account.entries(progress):
        progress.expected = entry.leaf.index + 1
        progress.frontier.append(entry.hash)
        write(line(entry.leaf))
        while due and due[0].size == progress.frontier.size:
            if due.popleft().root != progress.frontier.root():
                raise _changed(progress.frontier.size)
    if due:
        raise _changed(due[0].size)
    return Checkpoint(origin, progress.frontier.size, progress.frontier.root())


def _changed(size: int) -> ChangedError:
    return ChangedError(
        f"the log is not what checkpoint {size:,} signed, so nothing is signed: "
        "`imagelane audit verify` says where it differs"
    )
