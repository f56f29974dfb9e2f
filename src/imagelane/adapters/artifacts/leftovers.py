"""What crashes left behind in a workspace and in the folders that it publishes to."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from imagelane.adapters.owner import alive
from imagelane.model.states import TAKEN_UP
from imagelane.ports.journal import RunRow

GRACE = 60 * 60.0
"""Seconds for which a file that nobody has finished may still be somebody's."""


def clear_leftovers(
    scratch: Path,
    artifacts: Path,
    targets: Sequence[Path],
    runs: Sequence[RunRow],
    *,
    grace: float = GRACE,
) -> int:
    """Remove what no run will ask for again; how many things that were.

    These are the scratch folders of ``runs`` that are over, those of runs that never began (a crash
    came before anything was recorded of them, or even their name), and files that were being
    written when their writer died: the last two where they were not touched for ``grace`` seconds,
    since a run of this or another workspace may just have made them.
    """
    over = {row.run for row in runs if row.status not in TAKEN_UP}
    unfinished = {row.run for row in runs if row.status in TAKEN_UP and _began(row)}
    removed = 0
    for folder in _entries(scratch):
        if folder.name in over or (folder.name not in unfinished and _idle(folder, grace)):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    being_written = [
        *_entries(artifacts / ".tmp"),
        *(file for target in targets for file in (target / ".objects").glob(".new-*")),
    ]
    for file in being_written:
        if _idle(file, grace):
            file.unlink(missing_ok=True)
            removed += 1
    return removed


def _began(run: RunRow) -> bool:
    """Whether it was begun, or may still be: its first event names its plan."""
    return bool(run.plan) or alive(run.owner)


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except FileNotFoundError:
        return


def _idle(path: Path, seconds: float) -> bool:
    """Whether nothing was done to it lately. A link has the times of its content, but for the time
    at which it was made."""
    try:
        return path.lstat().st_ctime <= time.time() - seconds
    except FileNotFoundError:
        return False
