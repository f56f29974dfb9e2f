"""A run put together: which adapter stands behind which port."""

from __future__ import annotations

import random
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from imagelane.config import Workspace, audit_key, machine, sandbox_layers, versions
from imagelane.model.codec import from_json, to_json
from imagelane.model.events import RunResumed, RunStarted
from imagelane.model.ids import RunId
from imagelane.model.plan import PhysicalPlan
from imagelane.model.policy import RunOptions
from imagelane.model.run import RunState
from imagelane.model.spec import PipelineSpec, stage_digest
from imagelane.model.states import TAKEN_UP, RunStatus
from imagelane.ports.faults import Fault, no_fault
from imagelane.ports.journal import Claimed, Journal, MarkKind, RunNotFoundError, RunOwnedError

if TYPE_CHECKING:
    from imagelane.adapters.pools.reserve import Reserve
    from imagelane.engine import Engine
    from imagelane.model.decision import Decision
    from imagelane.ports.observer import Observer
    from imagelane.ports.pool import Pool
    from imagelane.ports.requests import Requests
    from imagelane.ports.source import Source
from imagelane.wiring.names import new_run
from imagelane.wiring.publishing import promoter
from imagelane.wiring.reading import plan, targets, workspace_of
from imagelane.wiring.remembering import fixed_keys, remembering

PoolKind = Literal["process", "inline"]


WORKER = "imagelane.workers.local"
"""The module that a worker process starts."""


@dataclass(frozen=True, slots=True)
class Again:
    """What of a run goes round again: decisions on groups that are over, made when there is room
    for them, at most ``rate`` images a second. ``refused`` hears of those that cannot be carried
    out."""

    decisions: Callable[[Journal, RunId], Iterator[Sequence[Decision]]]
    refused: Callable[[str], None]
    rate: float | None = None


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


@contextmanager
def session(
    spec: PipelineSpec,
    options: RunOptions,
    observers: Sequence[Observer] = (),
    *,
    resume: RunId | None = None,
    number: RunId | None = None,
    pool: PoolKind = "process",
    reserve: Reserve | None = None,
    again: Again | None = None,
    fresh: bool = False,
    seed: int | None = None,
    fault: Fault = no_fault,
    worker: str = WORKER,
    warn: Callable[[str], None] = warnings.warn,
    listed: Source | None = None,
) -> Iterator[tuple[Engine, RunId]]:
    """An engine for a new run of a pipeline, or for one that is taken up, ready to `execute`.

    A run that is taken up keeps the plan with which it began, whatever the file says now; the
    options say only how it is executed from here on. A new run has the ``number``, if it is given,
    and the source that may be listed for it already. ``reserve`` are workers that were started
    already, ``again`` says what of a run that is taken up goes round again. ``fresh``: everything
    is executed, whatever earlier runs recorded for the same input. ``fault`` and ``worker``, the
    module that a worker process starts, are for tests that let something go wrong.
    Where there is a key, what was recorded is signed at the end; ``warn`` is told if it cannot be.
    ``listed`` is what is taken instead of the images that the pipeline declares.

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
        number = resume or number or new_run()
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
        executing = remembering(
            _pool(
                pool,
                (workspace.artifacts, scratch, Path(spec.folder)),
                layers=[layer for layer, lack in layers.items() if not lack],
                reserve=reserve,
                worker=worker,
            ),
            workspace,
            Path(spec.folder),
            blank=fresh or all(row.run == number for row in journal.runs()),
        )
        # Where it cannot begin nobody else closes it; once it has run, closing again is harmless.
        stack.callback(executing.close, kill=True)
        # First of all, so that its workers get ready while the rest is put together.
        executing.open(physical)

        from imagelane.adapters.artifacts.leftovers import clear_leftovers  # noqa: PLC0415
        from imagelane.adapters.clock import SystemClock  # noqa: PLC0415
        from imagelane.adapters.durable import free_bytes  # noqa: PLC0415
        from imagelane.adapters.memory import SystemMemory  # noqa: PLC0415
        from imagelane.adapters.slugs import Slugs  # noqa: PLC0415
        from imagelane.adapters.sources import open_source  # noqa: PLC0415
        from imagelane.engine import Engine, Parts  # noqa: PLC0415
        from imagelane.record.decisions import Decider  # noqa: PLC0415

        spool = listed or open_source(
            spec.images,
            Path(spec.folder),
            home / "source.db",
            exclude=[workspace.root, *targets(spec)],
        )
        stack.callback(spool.close)
        source = _withholding(journal, spool)
        definition = {
            "spec": to_json(spec),
            "keys": fixed_keys(physical.logical, Path(spec.folder)),
        }
        claimed, state = _claimed(journal, number, definition, fault, resumed=resume is not None)
        slugs = Slugs(home / "slugs.db", journal, number)
        stack.callback(slugs.close)
        decider = Decider(journal, number, physical.logical)
        promotes = promoter(physical, workspace, Path(spec.folder), slugs, claimed.fence, fault)
        parts = Parts(
            run=number,
            plan=physical,
            claimed=claimed,
            journal=journal,
            source=source,
            pool=executing,
            promote=promotes,
            take_over=promotes.take_over,
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
        _sign(workspace, journal, number, warn)


def _claimed(
    journal: Journal,
    number: RunId,
    definition: Mapping[str, object],
    fault: Fault,
    *,
    resumed: bool,
) -> tuple[Claimed, RunState]:
    """The run as this coordinator's own, from here on, and how it stands."""
    from imagelane.adapters.owner import this_process  # noqa: PLC0415
    from imagelane.record.recover import recover  # noqa: PLC0415

    if not resumed:
        return journal.create(number, definition, this_process()), RunState()
    fault("resume: before the claim")
    claimed = journal.claim(number, this_process())
    fault("resume: claimed")
    return claimed, recover(journal, number)


def _sign(
    workspace: Workspace, journal: Journal, number: RunId, warn: Callable[[str], None]
) -> None:
    """Sign what the run has recorded, where there is a key."""
    if audit_key(workspace).exists():
        from imagelane.wiring.auditing import sign_the_end  # noqa: PLC0415 - few have one

        sign_the_end(workspace, journal, number, warn)


def _withholding(journal: Journal, source: Source) -> Source:
    """The source, with what people have withdrawn marked as that."""
    withdrawn = [mark for mark in journal.marks() if mark.kind is MarkKind.WITHDRAWN]
    if not withdrawn:
        return source
    from imagelane.adapters.sources.withheld import WithholdingSource  # noqa: PLC0415 - rare

    return WithholdingSource(source, withdrawn)


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


def _beginning(
    spec: PipelineSpec,
    physical: PhysicalPlan,
    options: RunOptions,
    layers: Mapping[str, str],
    *,
    resumed: bool,
) -> RunStarted | RunResumed:
    from imagelane.adapters.owner import actor  # noqa: PLC0415 - only who begins asks

    how = {
        **to_json(options),
        "window": physical.window,
        "processes": physical.processes,
        "resampler": physical.logical.resampler.value,
        "layers": [layer for layer, lack in layers.items() if not lack],
        "lacking": {layer: lack for layer, lack in layers.items() if lack},
    }
    model, who = options.model.value, actor()
    if resumed:
        return RunResumed(model, how, versions(), who)
    stages = {str(stage.name): stage_digest(stage) for stage in spec.stages}
    return RunStarted(spec.name, physical.logical.digest, model, how, stages, versions(), who)


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
