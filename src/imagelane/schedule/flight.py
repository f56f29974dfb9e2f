"""Orders: which stages of a segment can be begun on a subject, and what its worker is told."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure
from imagelane.model.plan import LogicalStage, PhysicalPlan, Segment
from imagelane.model.run import ImageRecord, RunState, SubjectState
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass
from imagelane.model.work import Order, StageReport


@dataclass(slots=True)
class Flight:
    """An order that was dispatched and is not done."""

    order: Order
    segment: Segment
    sequence: int
    _reported: set[StageName] = field(default_factory=set)
    _next: int = 0
    came_back: bool = False
    """It was handed back, or is of no use any more: whatever was not reported of it counts as
    never tried."""

    @property
    def at(self) -> StageName | None:
        """The stage that is being executed."""
        return self.order.stages[self._next] if self._next < len(self.order.stages) else None

    @property
    def any_reported(self) -> bool:
        return self.came_back or bool(self._reported)

    def reported(self, stage: LogicalStage, record: SubjectState) -> bool:
        """Note that a stage was reported. False if that is of no consequence: it was reported
        before, or never asked for, or before one of this order that it needs; then it will be done
        again, when that one is done. Or it is of no use any more."""
        stages = self.order.stages
        if self.came_back:
            return False
        if stage.name in self._reported or stage.name not in stages:
            return False
        if any(need in stages and not record.resolved(need) for need in stage.needs):
            return False
        self._reported.add(stage.name)
        # What stands before it was passed over by the worker, since what it needs had failed.
        self._next = max(self._next, stages.index(stage.name) + 1)
        return True

    def lost(self, now: float) -> StageReport:
        """The report of an order of which the pool reported nothing at all: it counts as an
        attempt, so that it cannot go round for ever."""
        failure = Failure(ErrorClass.WORKER_DIED, "the pool gave the order up without a report")
        return StageReport(self.order.number, self.order.stages[0], failure, now, now)


def startable(
    segment: Segment,
    record: SubjectState,
    stages: Mapping[StageName, LogicalStage],
    waiting: Container[StageName],
    wanted: Container[StageName] | None = None,
) -> tuple[StageName, ...]:
    """The stages of the segment that are left to do on a subject and can be begun together.

    Empty while any of them needs what is not there yet from another segment: they share one
    decode, so they begin together. Stages ``waiting`` for their retry, and those that need them,
    are left out; so are those that are not ``wanted``, if it is given.
    """
    chosen: list[StageName] = []
    later: set[StageName] = set()
    for name in segment.stages:
        if record.resolved(name) or (wanted is not None and name not in wanted):
            continue
        if name in waiting:
            later.add(name)
            continue
        put_off = False
        for need in stages[name].needs:
            if need in chosen or record.resolved(need):
                continue
            if need in later:
                put_off = True
            elif stages[need].scope is segment.scope:
                return ()
        if put_off:
            later.add(name)
        else:
            chosen.append(name)
    return tuple(chosen)


def compose(
    number: int,
    *,
    plan: PhysicalPlan,
    state: RunState,
    stages: Mapping[StageName, LogicalStage],
    subject: Subject,
    segment: Segment,
    chosen: tuple[StageName, ...],
) -> Order:
    """The order for the chosen stages, with what the record holds of their ancestors."""
    record = state.of(subject)
    known = frozenset[StageName]().union(*(stages[name].ancestors for name in chosen))
    group = state.groups.get(subject.group)
    image = record if isinstance(record, ImageRecord) else None
    is_primary = image is not None and image.role == "primary"
    return Order(
        number=number,
        subject=subject,
        segment=segment.index,
        stages=chosen,
        attempts=tuple(record.attempts[name] + 1 for name in chosen),
        source=image.source if image is not None else None,
        group_name=group.name if group is not None else "",
        facts={name: facts for name, facts in record.facts.items() if name in known and facts},
        inputs={name: made for name, made in record.renditions.items() if name in known and made},
        primary=(group.primary or {}) if group is not None else {},
        is_primary=is_primary,
        reservation=plan.reservation if segment.place is Place.PROCESS else 0,
    )
