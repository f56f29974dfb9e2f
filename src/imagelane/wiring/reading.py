"""What is there before anything runs: pipelines, plans, workspaces, earlier runs."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from imagelane.config import Workspace, machine
from imagelane.model.ids import Digest
from imagelane.model.plan import PhysicalPlan
from imagelane.model.policy import RunOptions
from imagelane.model.spec import PipelineSpec
from imagelane.model.states import TAKEN_UP
from imagelane.plan.logical import PlanError, PlanProblem, logical_plan
from imagelane.plan.physical import physical_plan
from imagelane.ports.journal import Journal, RunNotFoundError, RunRow
from imagelane.wiring.describing import describing


def load(file: Path) -> PipelineSpec:
    """Read a pipeline file.

    Raises:
        DeclarationError: the file cannot be read, or has mistakes in it: all of them, located.
    """
    from imagelane.declare.load import load as load_file  # noqa: PLC0415 - pydantic takes a while

    with describing() as describe:
        return load_file(file, describe)


def plan(spec: PipelineSpec, options: RunOptions) -> PhysicalPlan:
    """The plan that a run with these options would execute on this machine.

    Raises:
        PlanError: with every reason why there is none.
    """
    if importlib.util.find_spec(spec.resampler.module) is None:
        # Of a run that began on another machine: what is here would make other bytes.
        found = (
            f"this run resizes by {spec.resampler}, and {spec.resampler.module} is not installed"
        )
        raise PlanError([PlanProblem(f"{found}: install it, or begin another run with --new")])
    return physical_plan(logical_plan(spec), options, machine())


def workspace_of(spec: PipelineSpec) -> Workspace:
    """Where the pipeline keeps what it knows."""
    return Workspace(Path(spec.folder, spec.workspace))


def open_journal(workspace: Path) -> Journal:
    """The journal of a workspace that has one.

    Raises:
        RunNotFoundError: nothing was run there yet.
        JournalError: it cannot be read.
    """
    from imagelane.adapters.journals.sqlite import SqliteJournal  # noqa: PLC0415 - loads SQLite

    path = Workspace(workspace).journal
    if not path.exists():
        raise RunNotFoundError(
            f"found no {path}: nothing was run here yet; `imagelane run PIPELINE` runs something, "
            "--workspace names another place"
        )
    return SqliteJournal(path, create=False)


def unfinished(spec: PipelineSpec) -> RunRow | None:
    """The newest run of the same pipeline, if it is not over."""
    path = workspace_of(spec).journal
    if not path.exists():
        return None
    digest = logical_plan(spec).digest
    journal = open_journal(path.parent)
    try:
        for row in journal.runs():
            if row.plan == digest:
                return row if row.status in TAKEN_UP else None
    finally:
        journal.close()
    return None


def targets(spec: PipelineSpec) -> list[Path]:
    """The folders that a pipeline publishes to; never a source of its own."""
    return [
        Path(spec.folder, to)
        for stage in spec.stages
        if stage.uses in {"store", "publish"} and (to := stage.parameters.get("to"))
    ]


def damaged(workspace: Path) -> Callable[[str], bool]:
    """Of a digest: whether the artifact store of a workspace does not hold its bytes."""
    from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts  # noqa: PLC0415

    artifacts = FilesystemArtifacts(Workspace(workspace).artifacts)
    return lambda digest: not artifacts.intact(Digest(digest))
