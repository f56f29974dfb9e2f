"""The composition root: which adapter stands behind which port. No discovery, no registry."""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from imagelane.config import Workspace, machine, sandbox_layers
from imagelane.model.codec import from_json, to_json
from imagelane.model.events import RunResumed, RunStarted
from imagelane.model.ids import Digest, RunId
from imagelane.model.plan import LogicalPlan, LogicalStage, PhysicalPlan
from imagelane.model.policy import ExecutionModel, RunOptions
from imagelane.model.run import RunState
from imagelane.model.spec import Described, PipelineSpec, Place
from imagelane.model.states import TAKEN_UP, GroupState, ImageState, RunStatus
from imagelane.plan.logical import logical_plan
from imagelane.plan.physical import physical_plan
from imagelane.ports.faults import Fault, no_fault
from imagelane.ports.journal import Journal, RunNotFoundError, RunOwnedError, RunRow

if TYPE_CHECKING:
    from imagelane.adapters.pools.reserve import Reserve
    from imagelane.declare.pipeline import Pipeline
    from imagelane.engine import Engine
    from imagelane.model.decision import Decision
    from imagelane.ports.observer import Observer
    from imagelane.ports.pool import Pool
    from imagelane.ports.publisher import IndexedPublisher
    from imagelane.ports.requests import Requests
    from imagelane.publish.promoter import Promoter, SlugBook

__all__ = [
    "RunResult",
    "load",
    "machine",
    "open_journal",
    "plan",
    "run",
    "session",
    "targets",
    "unfinished",
]

PoolKind = Literal["process", "inline"]

WORKER = "imagelane.workers.local"
"""The module that a worker process starts."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run stands when it stands still. Counts are of the whole run, over all resumptions."""

    run: RunId
    status: RunStatus
    reason: str
    images: Mapping[ImageState, int]
    groups: Mapping[GroupState, int]
    workspace: Path

    @property
    def whole(self) -> bool:
        """Whether it finished and everything in it is live."""
        return (
            self.status is RunStatus.FINISHED
            and set(self.images) <= {ImageState.PUBLISHED}
            and set(self.groups) <= {GroupState.PUBLISHED}
        )


@dataclass(frozen=True, slots=True)
class Again:
    """What of a run goes round again: decisions on groups that are over, made when there is room
    for them, at most ``rate`` images a second. ``refused`` hears of those that cannot be carried
    out."""

    decisions: Callable[[Journal, RunId], Iterator[Sequence[Decision]]]
    refused: Callable[[str], None]
    rate: float | None = None


def load(file: Path) -> PipelineSpec:
    """Read a pipeline file.

    Raises:
        DeclarationError: the file cannot be read, or has mistakes in it: all of them, located.
    """
    from imagelane.declare.load import load as load_file  # noqa: PLC0415 - pydantic takes a while

    return load_file(file, describe)


def describe(uses: str, parameters: Mapping[str, Any], folder: Path) -> Described:
    """Look at a user's function in a process of its own: the coordinator runs nobody's code."""
    question = {"uses": uses, "parameters": dict(parameters), "folder": str(folder)}
    try:
        answer = subprocess.run(
            [sys.executable, "-P", "-m", "imagelane.workers.describe"],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            cwd=folder,
        )
        return from_json(Described, json.loads(answer.stdout))
    except subprocess.TimeoutExpired:
        slow = f"looking at {uses} took more than 60 s: does its module work when it is imported?"
        return Described(errors=(("", slow),))
    except (subprocess.CalledProcessError, ValueError) as error:
        said = getattr(error, "stderr", "") or str(error)
        last = said.strip().splitlines()[-1:] or ["no output"]
        return Described(errors=(("", f"{uses} cannot be looked at: {last[0]}"),))


@contextmanager
def reserve(file: Path) -> Iterator[Reserve]:
    """Workers that get ready while the pipeline file is read; for a `session` inside."""
    from imagelane.adapters.pools.environment import worker_environment  # noqa: PLC0415
    from imagelane.adapters.pools.reserve import Reserve  # noqa: PLC0415

    workers = Reserve(file.parent, worker_environment(), machine().cores if file.is_file() else 0)
    try:
        yield workers
    finally:
        workers.close()


def plan(spec: PipelineSpec, options: RunOptions) -> PhysicalPlan:
    """The plan that a run with these options would execute on this machine.

    Raises:
        PlanError: with every reason why there is none.
    """
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


@contextmanager
def session(
    spec: PipelineSpec,
    options: RunOptions,
    observers: Sequence[Observer] = (),
    *,
    resume: RunId | None = None,
    pool: PoolKind = "process",
    reserve: Reserve | None = None,
    again: Again | None = None,
    seed: int | None = None,
    fault: Fault = no_fault,
    worker: str = WORKER,
) -> Iterator[tuple[Engine, RunId]]:
    """An engine for a new run of a pipeline, or for one that is taken up, ready to `execute`.

    A run that is taken up keeps the plan with which it began, whatever the file says now; the
    options say only how it is executed from here on. ``reserve`` are workers that were started
    already, ``again`` says what of a run that is taken up goes round again. ``fault`` and
    ``worker``, the module that a worker process starts, are for tests that let something go wrong.

    Raises:
        PlanError, SourceError, JournalError: it cannot begin.
        NotifierError: alerts could never be delivered.
        RunNotFoundError: there is no run to take up.
        RunOwnedError: the run's coordinator is alive.
        SandboxError: the options require a sandbox that cannot be had.
    """
    from imagelane.adapters.journals.sqlite import SqliteJournal  # noqa: PLC0415 - loads SQLite
    from imagelane.adapters.notifiers import open_notifiers  # noqa: PLC0415

    workspace = workspace_of(spec)
    workspace.root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        journal = SqliteJournal(workspace.journal)
        stack.callback(journal.close)
        number = _new_run() if resume is None else resume
        if resume is not None:
            spec = _kept_spec(journal, resume)
        physical = plan(spec, options)
        notifiers = open_notifiers(spec.alerts, Path(spec.folder))
        home, scratch = workspace.run(number), workspace.scratch(number)
        if resume is not None:
            # What workers that died had begun; their run is ours, and none of them is left.
            shutil.rmtree(scratch, ignore_errors=True)
        for folder in (home, scratch, workspace.artifacts):
            folder.mkdir(parents=True, exist_ok=True)
        layers = sandbox_layers(options.sandbox, workers=pool == "process")
        executing = _pool(
            pool,
            (workspace.artifacts, scratch, Path(spec.folder)),
            layers=[layer for layer, lack in layers.items() if not lack],
            reserve=reserve,
            worker=worker,
        )
        # Where it cannot begin nobody else closes it; once it has run, closing again is harmless.
        stack.callback(executing.close, kill=True)
        # First of all, so that its workers get ready while the rest is put together.
        executing.open(physical)

        from imagelane.adapters.artifacts.leftovers import clear_leftovers  # noqa: PLC0415
        from imagelane.adapters.clock import SystemClock  # noqa: PLC0415
        from imagelane.adapters.durable import free_bytes  # noqa: PLC0415
        from imagelane.adapters.memory import SystemMemory  # noqa: PLC0415
        from imagelane.adapters.owner import this_process  # noqa: PLC0415
        from imagelane.adapters.slugs import Slugs  # noqa: PLC0415
        from imagelane.adapters.sources import open_source  # noqa: PLC0415
        from imagelane.engine import Engine, Parts  # noqa: PLC0415
        from imagelane.record.decisions import Decider  # noqa: PLC0415
        from imagelane.record.recover import recover  # noqa: PLC0415

        source = open_source(
            spec.images,
            Path(spec.folder),
            home / "source.db",
            exclude=[workspace.root, *targets(spec)],
        )
        stack.callback(source.close)
        if resume is None:
            claimed = journal.create(number, {"spec": to_json(spec)}, this_process())
            state = RunState()
        else:
            fault("resume: before the claim")
            claimed = journal.claim(number, this_process())
            fault("resume: claimed")
            state = recover(journal, number)
        slugs = Slugs(home / "slugs.db", journal, number)
        stack.callback(slugs.close)
        decider = Decider(journal, number, physical.logical)
        parts = Parts(
            run=number,
            plan=physical,
            claimed=claimed,
            journal=journal,
            source=source,
            pool=executing,
            promote=_promoter(physical, workspace, Path(spec.folder), slugs, claimed.fence, fault),
            clock=SystemClock(),
            observers=observers,
            scratch=scratch,
            draw=random.Random(seed).random,  # noqa: S311 - jitter is no secret
            beginning=_beginning(spec, physical, options, layers, resumed=resume is not None),
            notifiers=notifiers,
            requests=_requests(workspace, number),
            carry_out=lambda decisions: decider.possible([[one] for one in decisions], _drop),
            reopening=(
                decider.possible(again.decisions(journal, number), again.refused) if again else None
            ),
            rate=again.rate if again else None,
            fault=fault,
            free=free_bytes,
            memory=SystemMemory(),
        )
        engine = Engine(parts, state)
        yield engine, number
        if engine.state.status not in TAKEN_UP:
            clear_leftovers(workspace.scratches, workspace.artifacts, targets(spec), journal.runs())


def run(
    pipeline: Pipeline | PipelineSpec | str | os.PathLike[str],
    *,
    options: RunOptions | None = None,
    model: str | None = None,
    observers: Sequence[Observer] = (),
    resume: bool = True,
) -> RunResult:
    """Run a pipeline to where it stands still.

    Args:
        pipeline: a `Pipeline`, or the path of a pipeline file.
        options: how to execute; without them as the pipeline says.
        model: ``sequential``, ``parallel`` or ``hybrid``; overrides that of the options.
        observers: told of everything that is recorded.
        resume: take up the newest run of the same pipeline, if it is not over.

    Raises:
        DeclarationError, PlanError, SourceError: it cannot begin, each with the reason.
        RunOwnedError: the run that would be taken up is being executed by another process.
    """
    if isinstance(pipeline, PipelineSpec):
        spec = pipeline
    elif isinstance(pipeline, str | os.PathLike):
        spec = load(Path(pipeline))
    else:
        spec = pipeline.spec(describe)
    chosen = options or spec.options
    if model is not None:
        chosen = replace(chosen, model=ExecutionModel(model))
    earlier = unfinished(spec) if resume else None
    with session(spec, chosen, observers, resume=earlier.run if earlier else None) as (
        engine,
        number,
    ):
        return result(engine.execute(), number, workspace_of(spec).root)


def result(state: RunState, number: RunId, workspace: Path) -> RunResult:
    """A run's result from its state. Images of groups that wait are counted as they settled."""
    images = dict(state.image_counts)
    groups = dict(state.group_counts)
    for group in state.groups.values():
        groups[group.state] = groups.get(group.state, 0) + 1
        for settled, count in group.settled.items():
            images[settled] = images.get(settled, 0) + count
    if state.images:
        images[ImageState.PROCESSING] = images.get(ImageState.PROCESSING, 0) + len(state.images)
    return RunResult(number, state.status, state.reason, images, groups, workspace)


def _requests(workspace: Workspace, number: RunId) -> Requests:
    """What people ask of the run from here on. Who asked an earlier coordinator to stand still has
    been answered by whoever took the run up."""
    from imagelane.adapters.requests import FolderRequests  # noqa: PLC0415

    requests = FolderRequests(workspace.run)
    for ticket, request in requests.waiting(number):
        if not request.decisions:
            requests.done(number, ticket)
    return requests


def _drop(_: str) -> None:
    """A decision that was carried out before, or that the run has overtaken, is of no consequence:
    whoever took it was told whether it stands."""


def damaged(workspace: Path) -> Callable[[str], bool]:
    """Of a digest: whether the artifact store of a workspace does not hold its bytes."""
    from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts  # noqa: PLC0415

    artifacts = FilesystemArtifacts(Workspace(workspace).artifacts)
    return lambda digest: not artifacts.intact(Digest(digest))


def _new_run() -> RunId:
    return RunId(f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}")


def _beginning(
    spec: PipelineSpec,
    physical: PhysicalPlan,
    options: RunOptions,
    layers: Mapping[str, str],
    *,
    resumed: bool,
) -> RunStarted | RunResumed:
    how = {
        **to_json(options),
        "window": physical.window,
        "processes": physical.processes,
        "layers": [layer for layer, lack in layers.items() if not lack],
        "lacking": {layer: lack for layer, lack in layers.items() if lack},
    }
    if resumed:
        return RunResumed(options.model.value, how)
    return RunStarted(spec.name, physical.logical.digest, options.model.value, how)


def _kept_spec(journal: Journal, number: RunId) -> PipelineSpec:
    from imagelane.adapters.owner import alive  # noqa: PLC0415 - only a run taken up asks

    row = next((row for row in journal.runs() if row.run == number), None)
    if row is None:
        raise RunNotFoundError(f"there is no run {number}; `imagelane status` lists the runs")
    if row.status is RunStatus.CANCELLED:
        raise RunNotFoundError(
            f"run {number} was cancelled, for good: `imagelane run --new` begins another"
        )
    if row.status is RunStatus.RUNNING and alive(row.owner):
        raise RunOwnedError(
            f"run {number} is being executed by process {row.owner.split(':')[1]}; wait for it, "
            "stop it with Ctrl-C, or start another run with --new"
        )
    return from_json(PipelineSpec, row.definition["spec"])


def targets(spec: PipelineSpec) -> list[Path]:
    """The folders that a pipeline publishes to; never a source of its own."""
    return [
        Path(spec.folder, to)
        for stage in spec.stages
        if stage.uses in {"store", "publish"} and (to := stage.parameters.get("to"))
    ]


def _pool(
    kind: PoolKind,
    folders: tuple[Path, Path, Path],
    *,
    layers: Sequence[str],
    reserve: Reserve | None,
    worker: str,
) -> Pool:
    match kind:
        case "process":
            from imagelane.adapters.pools.process import ProcessPool  # noqa: PLC0415

            return ProcessPool(*folders, layers=layers, reserve=reserve, worker=worker)
        case "inline":
            from imagelane.adapters.pools.inline import InlinePool  # noqa: PLC0415

            return InlinePool(*folders)


def _promoter(
    physical: PhysicalPlan,
    workspace: Workspace,
    folder: Path,
    slugs: SlugBook,
    fence: int,
    fault: Fault,
) -> Promoter:
    from imagelane.publish.promoter import Promoter  # noqa: PLC0415

    publishers = {
        stage.name: _publisher(stage, folder / _target(stage, physical.logical), workspace, fault)
        for stage in physical.logical.stages
        if stage.spec.traits.place is Place.COORDINATOR
    }
    return Promoter(physical.logical, publishers, slugs, fence)


def _publisher(
    stage: LogicalStage, target: Path, workspace: Workspace, fault: Fault
) -> IndexedPublisher:
    from imagelane.adapters.publishers.folder import FolderPublisher  # noqa: PLC0415

    database = stage.spec.parameters.get("database")
    return FolderPublisher(target, artifacts=workspace.artifacts, database=database, fault=fault)


def _target(stage: LogicalStage, logical: LogicalPlan) -> str:
    """Where a `publish` stage publishes: as it says, or else where what it needs was stored."""
    said = stage.spec.parameters.get("to")
    if said is not None:
        return str(said)
    stores = [
        needed.spec.parameters["to"]
        for needed in logical.stages
        if needed.name in stage.ancestors and needed.spec.uses == "store"
    ]
    return str(stores[-1])
