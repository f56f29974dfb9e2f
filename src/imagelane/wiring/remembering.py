"""What lets a run take from the record what earlier runs of its workspace have done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagelane.config import Workspace, versions
from imagelane.model.ids import Digest, StageName
from imagelane.model.plan import LogicalPlan

if TYPE_CHECKING:
    from imagelane.ports.pool import Pool
    from imagelane.record.keys import Keys


def remembering(pool: Pool, workspace: Workspace, folder: Path, *, blank: bool) -> Pool:
    """A pool that executes only what is not recorded; ``blank``: nothing is, or shall be used."""
    from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts  # noqa: PLC0415
    from imagelane.adapters.journals.sqlite.recollection import (  # noqa: PLC0415
        SqliteRecollection,
    )
    from imagelane.adapters.pools.remembering import RememberingPool  # noqa: PLC0415

    artifacts = FilesystemArtifacts(workspace.artifacts)
    return RememberingPool(
        pool,
        SqliteRecollection(workspace.journal, workspace.recollection),
        lambda plan: keys_of(plan.logical, folder),
        lambda digest: artifacts.intact(Digest(digest)),
        blank=blank,
    )


def keys_of(plan: LogicalPlan, folder: Path) -> Keys:
    """The keys of a plan's tasks, with this program's libraries."""
    from imagelane.record.keys import Keys  # noqa: PLC0415

    return Keys(plan, versions(), named_files(plan, folder))


def fixed_keys(plan: LogicalPlan, folder: Path) -> Mapping[str, str]:
    """By stage, what of a key is the same for all subjects: kept with a run, so that the next one
    knows what has changed."""
    return {str(name): digest for name, digest in keys_of(plan, folder).fixed.items()}


def named_files(plan: LogicalPlan, folder: Path) -> Mapping[StageName, Mapping[str, str]]:
    """By stage, the digests of the files that its parameters name, such as the logo of a
    watermark."""
    return {
        stage.name: {
            text: digest
            for text in _texts(stage.spec.parameters)
            if (digest := _digest(folder, text)) is not None
        }
        for stage in plan.stages
    }


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _digest(folder: Path, text: str) -> str | None:
    """None where the text names no file that can be read."""
    try:
        path = folder / text
        if not text or not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
