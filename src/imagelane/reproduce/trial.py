"""One image of a run in a scratch place: as it came in, ready to be worked on anew."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from imagelane.config import SandboxError, sandbox_layers
from imagelane.control import ControlError
from imagelane.model import events as e
from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.outcome import Failure, Rendition, Success
from imagelane.model.plan import PhysicalPlan, Segment
from imagelane.model.policy import Sandbox
from imagelane.model.run import RunState, evolve
from imagelane.model.states import Scope
from imagelane.model.work import Order, OrderDone, StageReport
from imagelane.ports.artifacts import object_path
from imagelane.record.recall import recall
from imagelane.schedule.flight import compose
from imagelane.schedule.reported import failed, succeeded

if TYPE_CHECKING:
    from imagelane.ports.journal import Journal, RunRow
    from imagelane.ports.pool import Pool


@dataclass(slots=True)
class Trial:
    """``state`` holds the image and its group alone; ``artifacts`` is where its files come to lie.

    It is alone: whatever it decodes, nobody else waits for the memory.
    """

    plan: PhysicalPlan
    subject: Subject
    state: RunState
    artifacts: Path
    _pool: Pool
    _orders: int = 0

    def execute(
        self, stages: Sequence[StageName], state: RunState | None = None
    ) -> Iterator[StageReport]:
        """The reports of stages of one segment. Without a ``state`` to begin with, each is noted
        in the trial's own."""
        known = self.state if state is None else state
        self._orders += 1
        order = compose(
            self._orders,
            plan=self.plan,
            state=known,
            stages={one.name: one for one in self.plan.logical.stages},
            subject=self.subject,
            segment=self._segment(stages[0]),
            chosen=tuple(stages),
        )
        for report in self._reports(replace(order, reservation=self.plan.decoded_bytes)):
            if state is None:
                self._note(report)
            yield report

    def once(self, stage: StageName, state: RunState | None = None) -> StageReport:
        """The report of one stage; see `execute`."""
        # To its end: what is left over of an order would be taken for the next one's.
        (report,) = self.execute([stage], state)
        return report

    def adopt(self, event: e.TaskSucceeded | e.TaskFailed | e.TaskSkipped, store: Path) -> bool:
        """Take a stage's outcome from the record, with its files from the artifact ``store``; False
        where one of them is not there."""
        renditions = event.renditions if isinstance(event, e.TaskSucceeded) else ()
        lacking = [one for one in renditions if not self._copied(one, store)]
        evolve(self.state, event)
        return not lacking

    def skip(self, stage: StageName, reason: str) -> None:
        """Let a stage be missing."""
        evolve(self.state, e.TaskSkipped(self.subject, stage, reason))

    def state_before(self, stage: StageName) -> RunState:
        """The trial's state as if the stage had not been tried."""
        state = copy.deepcopy(self.state)
        state.images[self.subject].undo(stage)
        return state

    def _segment(self, stage: StageName) -> Segment:
        return next(one for one in self.plan.segments if stage in one.stages)

    def _note(self, report: StageReport) -> None:
        match report.outcome:
            case Success() as outcome:
                evolve(self.state, succeeded(self.subject, 1, outcome, report))
            case Failure() as outcome:
                evolve(self.state, failed(self.subject, 1, outcome, report, None))

    def _copied(self, rendition: Rendition, store: Path) -> bool:
        target = self.artifacts / object_path(rendition.digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(store / object_path(rendition.digest), target)
        except OSError:
            return False
        return True

    def _reports(self, order: Order) -> Iterator[StageReport]:
        self._pool.submit(order)
        while True:
            for report in self._pool.poll(1.0):
                if isinstance(report, OrderDone):
                    return
                if isinstance(report, StageReport):
                    yield report
                else:
                    self._pool.grant(order.number)


@contextmanager
def trial(
    journal: Journal,
    row: RunRow,
    subject: Subject,
    plan: PhysicalPlan,
    folder: Path,
    *,
    inline: bool = False,
) -> Iterator[Trial]:
    """An image as it came in, with workers that are contained as those of its run were.

    ``inline``: executed in this process, for a debugger; then nothing is contained.

    Raises:
        ControlError: the run has no such image, or its workers cannot be contained any more.
    """
    state = _begin(journal, row, subject)
    layers = () if inline else _layers(journal, row)
    with tempfile.TemporaryDirectory(prefix="imagelane-") as place:
        artifacts, scratch = Path(place, "artifacts"), Path(place, "scratch")
        artifacts.mkdir()
        scratch.mkdir()
        pool = _pool(artifacts, scratch, folder, layers, inline=inline)
        try:
            pool.open(plan)
            yield Trial(plan, subject, state, artifacts, pool)
        finally:
            pool.close(kill=True)


def wanted(plan: PhysicalPlan, stage: str) -> frozenset[StageName]:
    """A stage of images and all that it needs.

    Raises:
        ControlError: there is no such stage.
    """
    of_images = {one.name: one for one in plan.logical.of_scope(Scope.IMAGE)}
    chosen = of_images.get(StageName(stage))
    if chosen is None:
        raise ControlError(
            f"the pipeline has no stage {stage!r} of images: expected one of {', '.join(of_images)}"
        )
    return frozenset({chosen.name, *chosen.ancestors})


def _begin(journal: Journal, row: RunRow, subject: Subject) -> RunState:
    """The image as it came in, and its group as it stands: a primary's facts are in it."""
    events = journal.events(row.run, subject=subject)
    received = next(events, None)
    group = recall(journal, row.run, subject.group)
    if received is None or group is None:
        raise ControlError(f"run {row.run} has no image {subject}; `imagelane status` says what is")
    state = RunState()
    state.groups[subject.group] = group.record
    evolve(state, received.event)
    read = [
        one.event.source_digest
        for one in events
        if isinstance(one.event, e.TaskSucceeded | e.TaskFailed) and one.event.source_digest
    ]
    if read:
        # A file that was only touched is what it was: it is known by its bytes from here on.
        record = state.images[subject]
        record.source = replace(record.source, digest=read[-1])
    return state


def _layers(journal: Journal, row: RunRow) -> Sequence[str]:
    """The layers of the sandbox around the run's workers, as far as this machine has them."""
    asked = Sandbox.AUTO
    for one in journal.events(row.run, subject=THE_RUN):
        if isinstance(one.event, e.RunStarted | e.RunResumed):
            asked = Sandbox(one.event.options.get("sandbox", Sandbox.AUTO))
    try:
        return [layer for layer, lack in sandbox_layers(asked).items() if not lack]
    except SandboxError as error:
        raise ControlError(str(error)) from None


def _pool(
    artifacts: Path, scratch: Path, folder: Path, layers: Sequence[str], *, inline: bool
) -> Pool:
    if inline:
        from imagelane.adapters.pools.inline import InlinePool  # noqa: PLC0415

        return InlinePool(artifacts, scratch, folder)
    from imagelane.adapters.pools.process import ProcessPool  # noqa: PLC0415

    return ProcessPool(artifacts, scratch, folder, layers=layers)
