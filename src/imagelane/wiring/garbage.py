"""What of a workspace nobody will ask for again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from imagelane.config import Workspace
from imagelane.model.states import RunStatus
from imagelane.ports.journal import RunOwnedError
from imagelane.wiring.reading import open_journal


@dataclass(frozen=True, slots=True)
class Found:
    """What would be removed: a file of the artifact store, or the folder of a run that never
    began."""

    path: Path
    bytes: int
    folder: bool = False


@contextmanager
def garbage(workspace: Path, older_than: float) -> Iterator[Iterator[Found]]:
    """Artifacts that no run names, and folders of runs that the journal does not know, to which
    nothing was done for so many seconds.

    Raises:
        RunNotFoundError: nothing was run there.
        JournalError: the journal cannot be read.
        RunOwnedError: a run is being executed, which may need what it has not named yet.
    """
    from imagelane.adapters.artifacts.garbage import garbage as unnamed  # noqa: PLC0415
    from imagelane.adapters.journals.sqlite.named import named_artifacts  # noqa: PLC0415
    from imagelane.adapters.owner import alive  # noqa: PLC0415

    place = Workspace(workspace)
    with closing(open_journal(workspace)) as journal:
        rows = journal.runs()
    for row in rows:
        if row.status is RunStatus.RUNNING and alive(row.owner):
            raise RunOwnedError(
                f"run {row.run} is being executed: wait for it, or `imagelane pause` it, before "
                "anything is removed"
            )
    known = {str(row.run) for row in rows}

    def found() -> Iterator[Found]:
        for one in unnamed(place.artifacts, named, older_than):
            yield Found(one.path, one.bytes)
        for folder in sorted(place.run("").glob("*")):
            if folder.name not in known and _idle(folder, older_than):
                size = sum(file.lstat().st_size for file in folder.rglob("*"))
                yield Found(folder, size, folder=True)

    with named_artifacts(place.journal) as named:
        yield found()


def remove(found: Found) -> None:
    """Remove it.

    Raises:
        OSError: it cannot be.
    """
    if found.folder:
        shutil.rmtree(found.path)
    else:
        found.path.unlink(missing_ok=True)


def _idle(folder: Path, seconds: float) -> bool:
    return folder.lstat().st_ctime <= time.time() - seconds
