"""Measurements: taken from a sample run on the side, or from the journal of earlier runs."""

from __future__ import annotations

import json
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from imagelane.config import Workspace, machine
from imagelane.model.codec import from_json, to_json
from imagelane.model.plan import LogicalPlan
from imagelane.model.policy import ExecutionModel, RunOptions
from imagelane.model.profile import VERSION, Profile
from imagelane.model.spec import PipelineSpec, Place, StageSpec
from imagelane.plan.draft import pool_of
from imagelane.plan.logical import logical_plan
from imagelane.wiring.reading import load, open_journal, targets, workspace_of
from imagelane.wiring.session import reserve, session

if TYPE_CHECKING:
    from imagelane.advise.foretell import Question
    from imagelane.advise.observe import RunObserved
    from imagelane.advise.shape import Shape
    from imagelane.model.forecast import Price
    from imagelane.ports.source import Source, SourceItem

RUNS = 20
"""Earlier runs that are read at most, newest first."""


class ProfileError(Exception):
    """There is nothing to predict from: what was found, and what to do next."""


@dataclass(frozen=True, slots=True)
class Level:
    """One run of the sample: ``at_once`` of each stage side by side, for at most a ``share`` of the
    time that there is, over the ``half`` of the sample that is named (None: all of it)."""

    at_once: int
    share: float
    half: int | None = None


def levels(spec: PipelineSpec, cores: int) -> list[Level]:
    """The concurrency sweep. One at a time before and after the rest, so that a machine whose speed
    drifts does not look like one that slows down in company."""
    waits = any(stage.traits.place is Place.THREAD for stage in spec.stages)
    more = [Level(2, 0.25)] if cores > 1 or waits else []
    if waits or cores >= 4:
        more.append(Level(4, 0.15))
    if cores > 4:
        more.append(Level(cores, 0.1))
    alone = (1 - sum(one.share for one in more)) / 2
    return [Level(1, alone, 0), *more, Level(1, alone, 1)]


@contextmanager
def listed(spec: PipelineSpec) -> Iterator[Source]:
    """The images that a pipeline declares, listed on the side.

    Raises:
        SourceError: they cannot be listed, or there are none.
    """
    from imagelane.adapters.sources import open_source  # noqa: PLC0415 - loads SQLite

    workspace = workspace_of(spec)
    workspace.root.mkdir(parents=True, exist_ok=True)
    place = workspace.root / f"listing-{secrets.token_hex(4)}"
    try:
        source = open_source(
            spec.images,
            Path(spec.folder),
            place / "source.db",
            exclude=[workspace.root, *targets(spec)],
        )
        try:
            yield source
        finally:
            source.close()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def shape_of(spec: PipelineSpec) -> Shape:
    """The sizes of all that the pipeline's source holds. Raises as `listed` does."""
    from imagelane.advise.shape import Shape  # noqa: PLC0415

    with listed(spec) as source:
        return Shape(source.items())


def measure(
    spec: PipelineSpec,
    *,
    sample: int,
    seconds: float,
    say: Callable[[str], None] = lambda _: None,
) -> Profile:
    """Run a sample of a pipeline's images several times, on the side, and measure it.

    Nothing of it is published or recorded where the pipeline publishes and records; but stages that
    call others do call them. ``say`` hears what is going on.

    Raises:
        SourceError, PlanError, JournalError: as a run would.
        ProfileError: no attempt came to an end in ``seconds``.
    """
    from imagelane.advise.profiling import profile_of  # noqa: PLC0415
    from imagelane.advise.shape import choose  # noqa: PLC0415

    with listed(spec) as source:
        images, _ = source.count()
        chosen = choose(source.items(), sample)
    logical = logical_plan(spec)
    cores = machine().cores
    room = workspace_of(spec).root / f"profile-{secrets.token_hex(4)}"
    runs: list[RunObserved] = []
    try:
        for level in levels(spec, cores):
            items = _half(chosen, level.half)
            if not items:
                continue
            say(f"{len(items)} images, {level.at_once} at a time")
            aside = _aside(spec, room / f"{len(runs)}")
            runs.append(_observed(aside, logical, level, items, level.share * seconds))
    finally:
        shutil.rmtree(room, ignore_errors=True)
    origin = f"a sample of {len(chosen)} of {images:,} images"
    if not any(run.attempts for run in runs):
        raise ProfileError(
            f"no attempt at any stage came to an end in {seconds:g} s: give it more with --seconds"
        )
    return profile_of(runs, logical, cores=cores, taken=time.time(), origin=origin)


def _half(items: Sequence[SourceItem], half: int | None) -> Sequence[SourceItem]:
    """Whole groups, dealt out; numbered anew."""
    if half is None:
        return items
    groups = sorted({item.group for item in items})
    if len(groups) == 1:
        return items if half == 0 else ()
    kept = groups[half::2]
    mine = [item for item in items if item.group in kept]
    return [
        replace(item, sequence=place, group=kept.index(item.group) + 1)
        for place, item in enumerate(mine)
    ]


def _aside(spec: PipelineSpec, room: Path) -> PipelineSpec:
    """The same pipeline, which publishes and records in a place of its own, and alerts nobody."""

    def moved(stage: StageSpec) -> StageSpec:
        parameters = dict(stage.parameters)
        if stage.uses in {"store", "publish"} and parameters.get("to") is not None:
            parameters["to"] = str(room / "public")
        if stage.uses == "publish" and parameters.get("database") is not None:
            parameters["database"] = str(room / "galleries.db")
        return replace(stage, parameters=parameters)

    return replace(
        spec,
        stages=tuple(moved(stage) for stage in spec.stages),
        workspace=str(room / "workspace"),
        alerts=(),
    )


def _observed(
    spec: PipelineSpec,
    logical: LogicalPlan,
    level: Level,
    items: Sequence[SourceItem],
    seconds: float,
) -> RunObserved:
    from imagelane.adapters.processes import Watch  # noqa: PLC0415
    from imagelane.adapters.sources.listed import ListedSource  # noqa: PLC0415
    from imagelane.advise.observe import observe  # noqa: PLC0415

    options = _options(spec, level.at_once)
    source = ListedSource(items)
    with (
        Watch() as watch,
        # As a run does it, so that its start takes as much.
        reserve(Path(spec.file or spec.folder)) as ready,
        _loaded(spec),
        session(spec, options, listed=source, seed=1, reserve=ready) as (engine, number),
    ):
        enough = threading.Timer(seconds, engine.pause, ["measured enough"])
        enough.daemon = True
        enough.start()
        try:
            with watch.coordinating():
                engine.execute()
        finally:
            enough.cancel()
    journal = open_journal(workspace_of(spec).root)
    try:
        events = list(journal.events(number))
    finally:
        journal.close()
    decoded = max((getattr(one.event, "decoded_bytes", 0) for one in events), default=0)
    return observe(events, logical, level.at_once, watch.usage(decoded))


@contextmanager
def _loaded(spec: PipelineSpec) -> Iterator[None]:
    """Reads the pipeline file while workers get ready, as a run does: with the process that looks
    at users' functions that is what takes most memory of all where little is computed."""
    if spec.file is not None and Path(spec.file).is_file():
        load(Path(spec.file))
    yield


def _options(spec: PipelineSpec, at_once: int) -> RunOptions:
    """One at a time in a lane; or so many of each stage side by side, as far as its own limit
    allows."""
    keep = replace(spec.options, parallel=frozenset(), pools={}, workers={}, max_in_flight=0)
    if at_once == 1:
        return replace(keep, model=ExecutionModel.SEQUENTIAL)
    declared: dict[str, int] = {
        stage.name: min(at_once, spec.options.workers.get(stage.name, stage.workers or at_once))
        for stage in spec.stages
        if stage.traits.place is Place.THREAD
    }
    pools = {
        pool: at_once if pool == "cpu" else max(2, at_once) * len(spec.stages)
        for pool in {pool_of(stage) for stage in spec.stages} | {"cpu"}
    }
    pools["cpu"] = min(at_once, max(2, machine().cores))
    return replace(keep, model=ExecutionModel.PARALLEL, workers=declared, pools=pools)


# What is kept


def profile_file(spec: PipelineSpec) -> Path:
    """Where a pipeline's profile is kept."""
    return workspace_of(spec).root / "profile.json"


def keep_profile(spec: PipelineSpec, profile: Profile) -> Path:
    """Write it, whole or not at all; gives the file."""
    file = profile_file(spec)
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(to_json(profile)), encoding="utf-8")
    beside.replace(file)
    return file


def kept_profile(spec: PipelineSpec) -> Profile:
    """The pipeline's profile, or else one from the journal of its earlier runs.

    Raises:
        ProfileError: there is neither.
    """
    file, digest = profile_file(spec), logical_plan(spec).digest
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        profile = from_json(Profile, data) if data.get("version") == VERSION else None
    except (OSError, ValueError):
        profile = None
    if profile is not None and profile.plan == digest:
        return profile
    try:
        return from_journal(spec)
    except ProfileError as error:
        changed = "" if profile is None else "the pipeline was changed since it was measured, and "
        raise ProfileError(f"{changed}{error}") from None


def from_journal(spec: PipelineSpec) -> Profile:
    """A profile from what earlier runs of the same pipeline recorded.

    Raises:
        ProfileError: the journal holds none.
    """
    from imagelane.advise.observe import observe  # noqa: PLC0415
    from imagelane.advise.profiling import profile_of  # noqa: PLC0415

    logical = logical_plan(spec)
    name = Path(spec.file).name if spec.file else "PIPELINE"
    advice = f"measure it with `imagelane profile {name}`"
    workspace: Workspace = workspace_of(spec)
    if not workspace.journal.exists():
        raise ProfileError(f"nothing of {logical.name} was run or measured yet: {advice}")
    journal = open_journal(workspace.root)
    runs = []
    try:
        rows = [row for row in journal.runs() if row.plan == logical.digest][:RUNS]
        runs = [observe(journal.events(row.run), logical) for row in rows]
    finally:
        journal.close()
    if not any(run.attempts for run in runs):
        raise ProfileError(
            f"{workspace.journal} holds no attempt of the pipeline as it is now: {advice}"
        )
    origin = f"{len(rows)} earlier run{'s' if len(rows) > 1 else ''}"
    return profile_of(runs, logical, cores=machine().cores, taken=rows[0].updated, origin=origin)


def question(
    spec: PipelineSpec,
    *,
    images: int | None = None,
    cores: int | None = None,
    price: Price | None = None,
    profile: Profile | None = None,
) -> Question:
    """What is asked of a pipeline: without ``images`` all of its source, without ``cores`` on this
    machine, as fast as it is now. Without a ``profile`` the one that is kept is taken.

    Raises:
        SourceError: the source cannot be listed.
        ProfileError: there are no measurements.
    """
    from imagelane.adapters.processes import speed  # noqa: PLC0415
    from imagelane.advise.foretell import Question  # noqa: PLC0415

    profile = profile or kept_profile(spec)
    shape = shape_of(spec)
    here = machine()
    known = profile.speed > 1
    return Question(
        logical=logical_plan(spec),
        options=spec.options,
        profile=profile,
        shape=shape,
        images=images or shape.images,
        machine=here if cores is None else replace(here, cores=cores),
        computing=profile.speed / speed() if known else 1.0,
        price=price,
    )
