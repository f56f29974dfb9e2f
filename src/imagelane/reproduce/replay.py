"""A replay: the stages of one image of a run, one by one, each compared with its record.

No two stages are fused, so every picture that one hands to another can be looked at. What acts on
the world outside is not executed: what was recorded of it stands in for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagelane.config import Workspace, machine
from imagelane.control import spec_of
from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Rendition, Success
from imagelane.model.plan import LogicalPlan, LogicalStage
from imagelane.model.replay import Comparison, Likeness, Step
from imagelane.model.spec import Place, Reads, StageSpec, StageTraits
from imagelane.model.states import Scope
from imagelane.plan.logical import logical_plan
from imagelane.plan.physical import physical_plan
from imagelane.record.likeness import Outcome, compare
from imagelane.reproduce.causes import Again, Beginnings, Blame
from imagelane.reproduce.trial import Trial, trial, wanted

if TYPE_CHECKING:
    from imagelane.ports.journal import Journal, RunRow

LOOK = 480
"""Width in pixels of the pictures that show what a stage took and made."""
_SOURCE = "source"
_SMALL, _EXACT = "{}, to look at", "{}, without loss"


@dataclass(slots=True)
class Replay:
    """``artifacts`` is the folder of the store with everything that was made, until the replay is
    closed. ``causes``, once the steps are over, say why the first one that differs may do so."""

    artifacts: Path
    stages: Sequence[LogicalStage]
    folder: Path
    _at: Trial
    _recorded: dict[StageName, tuple[int, Outcome]]
    _store: Path
    _blame: Blame
    _looks: bool
    _twice: bool
    causes: tuple[str, ...] = ()
    _before: dict[StageName | None, Rendition | None] = field(default_factory=dict)
    _differing: list[StageName] = field(default_factory=list)
    _unseen: list[StageName] = field(default_factory=list)

    def steps(self) -> Iterator[Step]:
        """Each stage, executed when it is asked for, in the order of the plan."""
        for number, stage in enumerate(self.stages, 1):
            step = self._step(number, stage)
            yield step
            if step.likeness is Likeness.DIFFERS:
                if not self._differing:
                    again = self._again(stage, step)
                    self.causes = tuple(self._blame.causes(stage, self._suspects(stage), again))
                self._differing.append(stage.name)
            elif step.likeness is Likeness.KEPT or not step.comparison.unseen:
                continue
            else:
                self._unseen.append(stage.name)

    def _suspects(self, stage: LogicalStage) -> list[LogicalStage]:
        """The stage, and those before it of whose pictures nobody can tell whether they differ."""
        unseen = [one for one in self.stages if one.name in self._unseen]
        return [*(one for one in unseen if one.name in stage.ancestors), stage]

    def _step(self, number: int, stage: LogicalStage) -> Step:
        spec = stage.spec
        _, recorded = self._recorded.get(stage.name, (0, None))
        step = Step(
            number,
            stage.name,
            spec.uses,
            spec.parameters,
            Likeness.UNRECORDED,
            recorded_seconds=_seconds(recorded),
            reads=spec.traits.reads is Reads.PICTURE,
            took=stage.picture,
            first=next((one for one in self._differing if one in stage.ancestors), None),
        )
        missing = self._at.state.images[self._at.subject].missing
        lacking = next((need for need in stage.needs if need in missing), None)
        if lacking is not None and not spec.traits.gathers:
            return self._skipped(step, recorded, f"it needs {lacking}, which is missing")
        if acts_outside(spec):
            return self._kept(step, recorded)
        return self._executed(step, stage, recorded)

    def _skipped(self, step: Step, recorded: Outcome | None, reason: str) -> Step:
        self._at.skip(step.stage, reason)
        if isinstance(recorded, e.TaskSucceeded):
            differs = Comparison((f"not done: {reason}; recorded: done",))
            return replace(step, likeness=Likeness.DIFFERS, comparison=differs)
        return replace(step, likeness=Likeness.SKIPPED, reason=reason)

    def _kept(self, step: Step, recorded: Outcome | None) -> Step:
        reason = "it may act on the world outside"
        if recorded is None:
            self._at.skip(step.stage, "not executed, and not recorded")
            return replace(step, likeness=Likeness.SKIPPED, reason=f"{reason}, and has no record")
        whole = self._at.adopt(recorded, self._store)
        if isinstance(recorded, e.TaskSucceeded):
            gone = "" if whole else ", some of whose files are gone from the artifact store"
            return replace(
                step,
                likeness=Likeness.KEPT,
                reason=f"{reason}; what follows takes what was recorded{gone}",
                renditions=recorded.renditions,
                facts=recorded.facts,
                verdict=recorded.verdict,
            )
        said = recorded.message if isinstance(recorded, e.TaskFailed) else recorded.reason
        return replace(step, likeness=Likeness.KEPT, reason=f"{reason}; recorded: {said}")

    def _executed(self, step: Step, stage: LogicalStage, recorded: Outcome | None) -> Step:
        before = self._look(stage.picture) if step.reads else None
        report = self._at.once(stage.name)
        outcome = report.outcome
        done = replace(step, seconds=report.finished - report.started, before=before)
        makes_picture = stage.spec.traits.makes_picture
        if isinstance(outcome, Success):
            done = replace(
                done,
                renditions=tuple(one for one in outcome.renditions if one.format != "raw"),
                facts=outcome.facts,
                verdict=outcome.verdict,
                after=self._look(stage.name) if makes_picture else None,
                exact=self._seen(_EXACT, stage.name) if makes_picture else None,
            )
        elif isinstance(outcome, Failure):
            done = replace(done, failure=outcome)
        if recorded is None or not isinstance(outcome, Success | Failure):
            return done
        found = compare(recorded, outcome, makes_picture=makes_picture)
        likeness = Likeness.DIFFERS if found.differences else Likeness.SAME
        return replace(done, comparison=found, likeness=likeness)

    def _again(self, stage: LogicalStage, step: Step) -> Again:
        if not self._twice or not step.seconds:
            return Again.UNKNOWN
        outcome = self._at.once(stage.name, self._at.state_before(stage.name)).outcome
        if isinstance(outcome, Success):
            made = tuple(one for one in outcome.renditions if one.format != "raw")
            now = (made, outcome.facts, outcome.verdict)
            same = now == (step.renditions, step.facts, step.verdict)
        else:
            same = step.failure is not None and outcome == step.failure
        return Again.SAME if same else Again.OTHER

    # What there is to look at

    def _look(self, stage: StageName | None) -> Rendition | None:
        if stage not in self._before:
            self._before[stage] = self._seen(_SMALL, stage)
        return self._before[stage]

    def _seen(self, kind: str, stage: StageName | None) -> Rendition | None:
        """A picture file of what a stage left; None where nobody wants to look, or it has none."""
        name = StageName(kind.format(stage or _SOURCE))
        if not self._looks or all(one.name != name for one in self._at.plan.logical.stages):
            return None
        outcome = self._at.once(name, self._at.state).outcome
        return outcome.renditions[0] if isinstance(outcome, Success) else None


@contextmanager
def replay(
    journal: Journal,
    row: RunRow,
    subject: Subject,
    workspace: Path,
    *,
    stage: str | None = None,
    looks: bool = False,
    inline: bool = False,
) -> Iterator[Replay]:
    """A replay of all stages of an image, or of one and what it needs. ``looks``: pictures of what
    each stage took and made are made, too.

    Raises:
        ControlError: there is no such image, or no such stage of an image.
    """
    spec = spec_of(row)
    logical = logical_plan(spec)
    options = replace(spec.options, fuse=False, parallel=frozenset(), workers={})
    declared = physical_plan(logical, options, machine())
    of_images = declared.logical.of_scope(Scope.IMAGE)
    names = {one.name for one in of_images} if stage is None else wanted(declared, stage)
    stages = [one for one in of_images if one.name in names]
    shown = _with_looks(declared.logical, stages) if looks else declared.logical
    plan = physical_plan(shown, options, machine())
    beginnings = Beginnings.of(journal, row.run)
    recorded = _recorded(journal, row, subject)
    folder = Path(spec.folder)
    with trial(journal, row, subject, plan, folder, inline=inline) as at:
        source = at.state.images[subject].source
        yield Replay(
            at.artifacts,
            stages,
            folder,
            at,
            recorded,
            Workspace(workspace).artifacts,
            Blame(
                source,
                folder,
                {name: beginnings.at(index) for name, (index, _) in recorded.items()},
            ),
            looks,
            not inline,
        )


def acts_outside(spec: StageSpec) -> bool:
    """Whether a stage reaches more than its own image, so that executing it may change something
    that is not of this replay."""
    return spec.traits.place is not Place.PROCESS or not spec.traits.contained


def _recorded(
    journal: Journal, row: RunRow, subject: Subject
) -> dict[StageName, tuple[int, Outcome]]:
    """By stage, its last outcome and where that stands in the journal."""
    found: dict[StageName, tuple[int, Outcome]] = {}
    for one in journal.events(row.run, subject=subject):
        event = one.event
        if isinstance(event, e.TaskSucceeded | e.TaskSkipped) or (
            isinstance(event, e.TaskFailed) and event.retry_in is None
        ):
            found[event.stage] = (one.index, event)
    return found


def _seconds(recorded: Outcome | None) -> float | None:
    if recorded is None or isinstance(recorded, e.TaskSkipped):
        return None
    return recorded.finished - recorded.started


def _with_looks(logical: LogicalPlan, stages: Sequence[LogicalStage]) -> LogicalPlan:
    """The plan with stages that show the source, and what stages that make pictures have made. The
    source's decode stays that of the plan as it was declared."""
    from imagelane.declare.stages.encode import Encode  # noqa: PLC0415 - pydantic takes a while
    from imagelane.declare.stages.thumbnails import Thumbnails  # noqa: PLC0415

    small = Thumbnails(widths=(LOOK,)).model_dump(mode="json")
    exact = Encode(formats=("png",)).model_dump(mode="json")
    makers = [one for one in stages if one.spec.traits.makes_picture]
    looks = [_look(_SMALL, None, "thumbnails", small)]
    looks += [_look(_SMALL, one, "thumbnails", small) for one in makers]
    looks += [_look(_EXACT, one, "encode", exact) for one in makers]
    return replace(logical, stages=(*logical.stages, *looks))


def _look(
    kind: str, of: LogicalStage | None, uses: str, parameters: dict[str, Any]
) -> LogicalStage:
    needs = () if of is None else (of.name,)
    spec = StageSpec(
        StageName(kind.format(of.name if of else _SOURCE)),
        uses,
        StageTraits(makes_renditions=True),
        needs,
        parameters=parameters,
    )
    ancestors = frozenset({*needs, *(of.ancestors if of else ())})
    return LogicalStage(spec, needs, ancestors, picture=of.name if of else None)
