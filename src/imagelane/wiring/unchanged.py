"""Whether there is anything to do: a source is compared with what was listed the last time."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from imagelane.config import Workspace
from imagelane.model import events as e
from imagelane.model.codec import from_json
from imagelane.model.ids import THE_RUN, RunId
from imagelane.model.spec import PipelineSpec, Place
from imagelane.model.states import ErrorClass, ImageState, RunStatus
from imagelane.plan.logical import logical_plan
from imagelane.ports.faults import no_fault
from imagelane.ports.journal import Journal, RunRow
from imagelane.wiring.names import new_run
from imagelane.wiring.publishing import promoter
from imagelane.wiring.reading import open_journal, plan, targets, workspace_of
from imagelane.wiring.remembering import fixed_keys
from imagelane.wiring.results import RunResult


@dataclass(frozen=True, slots=True)
class Look:
    """``done``: the run that did all that there is to do, if there is nothing new. Otherwise the
    source is listed already for a run of this ``number``."""

    number: RunId
    done: RunResult | None = None
    losses: int = 0
    """Images that are left out, as they were in that run."""


def look(spec: PipelineSpec) -> Look:
    """Compare a pipeline and its source with its last run: the same plan and libraries, the same
    files by size, time and number on the disk, all of it still live, and nothing that another
    attempt could help.

    Raises:
        SourceError: the source cannot be listed.
        JournalError: the journal cannot be read.
    """
    number = new_run()
    workspace = workspace_of(spec)
    if not workspace.journal.exists():
        return Look(number)
    with closing(open_journal(workspace.root)) as journal:
        last = next((row for row in journal.runs() if row.pipeline == spec.name), None)
        if last is None or not _may_be_done(spec, last, journal):
            return Look(number)
        if not _same_source(spec, workspace, last, number) or not _live(spec, last, journal):
            return Look(number)
        shutil.rmtree(workspace.run(number), ignore_errors=True)
        images = journal.image_counts(last.run)
        groups = Counter(group.state for group in journal.groups(last.run))
    done = RunResult(last.run, last.status, last.reason, images, groups, workspace.root, new=False)
    whole = images.get(ImageState.PUBLISHED, 0)
    return Look(number, done, sum(images.values()) - whole)


def _may_be_done(spec: PipelineSpec, last: RunRow, journal: Journal) -> bool:
    """Whether the run is of the same plan, made with the same libraries, and came to an end that
    another attempt would come to, too."""
    from imagelane.record.dead_letters import dead_letters  # noqa: PLC0415 - not each run asks

    logical = logical_plan(spec)
    if last.status is not RunStatus.FINISHED or last.plan != logical.digest:
        return False
    if last.definition.get("keys") != fixed_keys(logical, Path(spec.folder)):
        return False
    begun = [
        one.event.versions
        for one in journal.events(last.run, subject=THE_RUN)
        if isinstance(one.event, e.RunStarted | e.RunResumed)
    ]
    if any(versions != begun[0] for versions in begun):
        return False
    return all(letter.error is ErrorClass.INVALID for letter in dead_letters(journal, last.run))


def _same_source(spec: PipelineSpec, workspace: Workspace, last: RunRow, number: RunId) -> bool:
    from imagelane.adapters.sources import open_source  # noqa: PLC0415 - loads SQLite

    source = open_source(
        spec.images,
        Path(spec.folder),
        workspace.run(number) / "source.db",
        exclude=[workspace.root, *targets(spec)],
    )
    with closing(source):
        return source.same_as(workspace.run(last.run) / "source.db")


def _live(spec: PipelineSpec, last: RunRow, journal: Journal) -> bool:
    """Whether what each publish stage of the run has made live still is."""
    from imagelane.adapters.slugs import Slugs  # noqa: PLC0415 - loads SQLite

    kept = from_json(PipelineSpec, last.definition["spec"])
    physical = plan(kept, kept.options)
    workspace = workspace_of(spec)
    if all(one.spec.traits.place is not Place.COORDINATOR for one in physical.logical.stages):
        return True
    slugs = Slugs(workspace.run(last.run) / "slugs.db", journal, last.run)
    with closing(slugs):
        looking = promoter(physical, workspace, Path(spec.folder), slugs, 0, no_fault)
        return all(
            looking.is_live(group.group, group.manifest)
            for group in journal.groups(last.run)
            if group.manifest is not None
        )
