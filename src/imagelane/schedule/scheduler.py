"""The scheduler: what to begin, what to record, and when to look again."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from imagelane.model import events as e
from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.outcome import Failure, Skipped
from imagelane.model.plan import LogicalStage, PhysicalPlan
from imagelane.model.policy import FailurePolicy, GatePolicy
from imagelane.model.run import GroupRecord, ImageRecord, RunState, SubjectState, evolve
from imagelane.model.states import GroupState, ImageState, RunStatus, Scope
from imagelane.model.work import Claim, Order, OrderDone, Report, StageReport
from imagelane.ports.source import SourceItem
from imagelane.schedule.consequences import (
    THE_END,
    Fate,
    gates_of,
    image_fate,
    still_wanted,
)
from imagelane.schedule.dispatching import Dispatcher
from imagelane.schedule.ending import run_end, shortcomings
from imagelane.schedule.fates import GroupFates
from imagelane.schedule.flight import Flight
from imagelane.schedule.gates import GateAnswer, decide_gate
from imagelane.schedule.lanes import lanes_of
from imagelane.schedule.ready import AFTER_ALL_GROUPS, AFTER_ITS_IMAGES
from imagelane.schedule.reported import failed, succeeded
from imagelane.schedule.retry import retry_delay


class Scheduler:
    """Decides, and does nothing else.

    Whatever it decides is an event, applied to the state at once and given out by `take_events`.
    The events must be durable before the orders of the `dispatch` that follows are executed.
    Made from a state that was folded from a journal, it continues that run: what was in flight
    is dispatched anew.

    Args:
        plan: what to execute, and how much at once.
        state: the run as it stands; changed in place.
        draw: random numbers in [0, 1), for the jitter of retries.

    ``orders`` tells what is queued and in flight.
    """

    def __init__(self, plan: PhysicalPlan, state: RunState, draw: Callable[[], float]) -> None:
        self.plan = plan
        self.state = state
        self._draw = draw
        self._stages: dict[StageName, LogicalStage] = {s.name: s for s in plan.logical.stages}
        self._of_scope = {scope: plan.logical.of_scope(scope) for scope in Scope}
        self._gates = gates_of(self._stages)
        self._lanes = lanes_of(plan.lane)
        self.orders = Dispatcher(plan, state, self._stages, self._lanes)
        self._members: dict[int, set[Subject]] = {}
        self._retries: list[tuple[float, Subject]] = []
        self._gate_timeouts: list[tuple[float, int, int]] = []
        self._wanted: dict[Subject, frozenset[StageName]] = {}
        self._aborting: set[int] = set()
        self._fates = GroupFates(self._stages, plan.logical.images.primary)
        self._stopping: tuple[RunStatus, str] | None = None
        self._events: list[e.Event] = []
        self._now = 0.0
        self._take_up()

    # What the engine asks

    def take_events(self) -> list[e.Event]:
        """What was decided since the last call, in order."""
        events, self._events = self._events, []
        return events

    def admits(self) -> bool:
        """Whether the window has a place for the next image of the source."""
        return (
            self._stopping is None
            and not self.state.exhausted
            and len(self.state.images) < self.plan.window
            and self._lanes.admits(self.state.received, self.orders.group_tasks_ready())
        )

    def wake_at(self) -> tuple[float | None, float | None]:
        """When `tick` has something to do, if nothing happens before: (monotonic, wall clock)."""
        first = [queue[0][0] if queue else None for queue in (self._retries, self._gate_timeouts)]
        return first[0], first[1]

    # What the engine tells

    def admit(self, item: SourceItem, wall: float) -> None:
        """Take in the next image of the source."""
        group = Subject(item.group)
        if item.group > self.state.groups_opened:
            self._emit(e.GroupOpened(group, item.group_name))
        subject = Subject(item.group, item.ordinal)
        self._emit(
            e.ImageReceived(
                subject,
                item.sequence,
                item.name,
                item.path,
                item.bytes,
                item.mtime_ns,
                item.role,
                item.columns,
            )
        )
        self._enter(subject, item.sequence)
        if item.last:
            self._emit(e.GroupClosed(group, item.group_size, wall))
            self._watch_gates(item.group)
        self._refresh(subject)
        if item.last:
            self._refresh(group)

    def source_ended(self) -> None:
        """The source has no more images."""
        self._emit(e.SourceExhausted(self.state.groups_opened, self.state.received))
        self._lanes.source_ended()
        self._refresh(THE_RUN)

    def report(self, report: Report, now: float) -> None:
        """Take in what a pool says. What it says of an unknown order is of no consequence."""
        self._now = now
        flight = self.orders.flights.get(report.order)
        if flight is None:
            return
        match report:
            case StageReport():
                subject = flight.order.subject
                if flight.reported(self._stages[report.stage], self.state.of(subject)):
                    self._record(flight, report)
                    self._refresh(subject)
            case OrderDone():
                self._done(flight)
            case Claim():
                self.orders.budget.claim(report.order, report.bytes)

    def grants(self) -> list[int]:
        """Orders that may decode what they claimed."""
        return self.orders.budget.grants()

    def tick(self, now: float, wall: float) -> None:
        """Look at what time has brought: retries that are due, gates that have waited enough."""
        self._now = now
        while self._retries and self._retries[0][0] <= now:
            _, subject = heapq.heappop(self._retries)
            self._refresh(subject)
        while self._gate_timeouts and self._gate_timeouts[0][0] <= wall:
            _, number, gate = heapq.heappop(self._gate_timeouts)
            self._gate_timed_out(number, self._gates[gate][1])

    def stop(self, status: RunStatus, reason: str) -> None:
        """Begin nothing more; when the last order is done, the run settles in ``status``."""
        if self._stopping is None:
            self._stopping = (status, reason)

    def settle(self) -> None:
        """Settle the run, if nothing is left to do or it was stopped and stands still."""
        if self.orders.flights or self.state.status is not RunStatus.RUNNING:
            return
        if self._stopping is not None:
            self._emit(e.RunSettled(*self._stopping))
        elif (settled := run_end(self.state, self._stages)) is not None:
            self._emit(settled)

    def dispatch(self, now: float) -> list[Order]:
        """Orders that may begin now, oldest group first, each within all of its limits."""
        self._now = now
        orders: list[Order] = []
        while self._stopping is None and (order := self.orders.begin(now, self._wanted)):
            orders.append(order)
        return orders

    # Taking up a run

    def _take_up(self) -> None:
        in_order = sorted(self.state.images.items(), key=lambda entry: entry[1].sequence)
        for subject, image in in_order:
            self._enter(subject, image.sequence)
        for number in self.state.groups:
            self._watch_gates(number)
        if self.state.exhausted:
            self._lanes.source_ended()
        for subject, _ in in_order:
            self._refresh(subject)
        for subject in (*map(Subject, self.state.groups), THE_RUN):
            self._refresh(subject)

    def _enter(self, subject: Subject, sequence: int) -> None:
        self._lanes.enter(subject, sequence)
        self._members.setdefault(subject.group, set()).add(subject)

    def _watch_gates(self, number: int) -> None:
        closed_at = self.state.groups[number].closed_at
        for index, (_, gate) in enumerate(self._gates):
            if closed_at is not None and gate.timeout is not None:
                heapq.heappush(self._gate_timeouts, (closed_at + gate.timeout, number, index))

    # Reports

    def _done(self, flight: Flight) -> None:
        turns = self.orders.done(flight)
        if not flight.any_reported:
            self._record(flight, flight.lost(self._now))
        for subject in (flight.order.subject, *turns):
            self._refresh(subject)

    def _record(self, flight: Flight, report: StageReport) -> None:
        order = flight.order
        subject, stage = order.subject, report.stage
        attempt = order.attempts[order.stages.index(stage)]
        if isinstance(report.outcome, Skipped):
            self._emit(e.TaskSkipped(subject, stage, report.outcome.reason))
        elif isinstance(report.outcome, Failure):
            self._failed(subject, attempt, report.outcome, report)
        else:
            self._emit(succeeded(subject, attempt, report.outcome, report))

    def _failed(
        self, subject: Subject, attempt: int, failure: Failure, report: StageReport
    ) -> None:
        stage, spec = report.stage, self._stages[report.stage].spec
        delay = retry_delay(spec.retry, failure, attempt, self._draw())
        self._emit(failed(subject, attempt, failure, report, delay))
        if delay is not None:
            due = self._now + delay
            self.orders.wait(subject, stage, due)
            heapq.heappush(self._retries, (due, subject))
        elif spec.on_failure is FailurePolicy.HALT:
            self.stop(RunStatus.HALTED, f"{stage} failed on {subject}: {failure.message}")

    # Looking at a subject again after something happened to it

    def _refresh(self, subject: Subject) -> None:
        match subject.scope:
            case Scope.IMAGE:
                if (image := self.state.images.get(subject)) is not None:
                    self._refresh_image(subject, image)
            case Scope.GROUP:
                if (group := self.state.groups.get(subject.group)) is not None:
                    self._refresh_group(subject, group)
            case Scope.RUN:
                self._refresh_run()

    def _refresh_image(self, subject: Subject, image: ImageRecord) -> None:
        group = self.state.groups[subject.group]
        fate = self._fates.of_member(subject.group, group, image) or image_fate(image, self._stages)
        self._skip_what_lacks(subject, image, Scope.IMAGE)
        if fate is not None:
            self.orders.withdraw(subject)
            wanted = still_wanted(image, fate, self._stages)
            if not wanted:
                self._wanted.pop(subject, None)
                if not self.orders.busy(subject):
                    self._settle_image(subject, image, fate)
                return
            self._wanted[subject] = wanted
        if all(image.resolved(stage.name) for stage in self._of_scope[Scope.IMAGE]):
            if not self.orders.busy(subject):
                state = ImageState.PARTIAL if image.missing else ImageState.PROCESSING
                reason = "; ".join(f"{stage}: {why}" for stage, why in image.missing.items())
                stage = next(iter(image.missing), None)
                self._settle_image(subject, image, Fate(state, stage, reason))
            return
        if not self._waits_for_primary(group, image) and self._lanes.turn(subject, image.sequence):
            self._push(subject, image, (subject.group, image.sequence))

    def _refresh_group(self, subject: Subject, group: GroupRecord) -> None:
        if group.state is GroupState.HELD:
            return
        at_rest = group.size is not None and not self._members.get(subject.group)
        fate = self._fates.of_group(subject.group, group)
        if fate is not None:
            state, reason = fate
            self.orders.withdraw(subject)
            if state is GroupState.ABORTED and subject.group not in self._aborting:
                # Each member that settles looks at its group again; once round is enough.
                self._aborting.add(subject.group)
                for member in sorted(self._members.get(subject.group, ())):
                    self._refresh(member)
                self._aborting.discard(subject.group)
                at_rest = group.size is not None and not self._members.get(subject.group)
            if at_rest and not self.orders.busy(subject) and subject.group in self.state.groups:
                self._settle_group(subject, state, reason)
            return
        if not at_rest or not self._gates_open(subject, group):
            return
        self._skip_what_lacks(subject, group, Scope.GROUP)
        if all(group.resolved(stage.name) for stage in self._of_scope[Scope.GROUP]):
            if not self.orders.busy(subject):
                self._finish_group(subject, group)
            return
        self._push(subject, group, (subject.group, AFTER_ITS_IMAGES))

    def _refresh_run(self) -> None:
        if not self.state.exhausted or self.state.images or self.state.groups:
            return
        self._skip_what_lacks(THE_RUN, self.state.run, Scope.RUN)
        self._push(THE_RUN, self.state.run, (AFTER_ALL_GROUPS, AFTER_ITS_IMAGES))

    def _skip_what_lacks(self, subject: Subject, record: SubjectState, scope: Scope) -> None:
        """Skip the stages that need what is missing, and so on along the needs: they stand in
        topological order. A stage that gathers takes what there is."""
        if not record.missing:
            return
        for stage in self._of_scope[scope]:
            if record.resolved(stage.name) or stage.spec.traits.gathers:
                continue
            lacking = next((need for need in stage.needs if need in record.missing), None)
            if lacking is not None:
                self._emit(e.TaskSkipped(subject, stage.name, f"needs {lacking}, which is missing"))

    def _push(self, subject: Subject, record: SubjectState, place: tuple[int, int]) -> None:
        if self._stopping is None:
            self.orders.consider(subject, record, place, self._now, self._wanted.get(subject))

    # Groups

    def _waits_for_primary(self, group: GroupRecord, image: ImageRecord) -> bool:
        return (
            self.plan.logical.images.primary is not None
            and image.role != "primary"
            and "primary" in group.roles
            and group.primary_state is None
        )

    def _gates_open(self, subject: Subject, group: GroupRecord) -> bool:
        for stage, gate in self._gates:
            if stage in group.opened_gates:
                continue
            decision = decide_gate(gate, group)
            if decision.answer is GateAnswer.HOLD:
                self._settle_group(subject, GroupState.HELD, decision.reason)
            if decision.answer is not GateAnswer.OPEN:
                return False
            if stage != THE_END:
                present = group.settled_total - group.gone
                self._emit(e.GateOpened(subject, stage, present, group.gone))
        return True

    def _gate_timed_out(self, number: int, gate: GatePolicy) -> None:
        group = self.state.groups.get(number)
        missing = sorted(self._members.get(number, ()))
        if group is None or not missing:
            return
        names = ", ".join(self.state.images[subject].source.name for subject in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        self._fates.late(number, gate, f"the gate's timeout passed without {names}{more}")
        for subject in missing:
            self._refresh(subject)
        self._refresh(Subject(number))

    # Settling

    def _settle_image(self, subject: Subject, image: ImageRecord, fate: Fate) -> None:
        self.orders.forget(subject)
        members = self._members[subject.group]
        members.discard(subject)
        if not members:
            del self._members[subject.group]
        self._emit(e.ImageSettled(subject, fate.state, fate.stage, fate.reason))
        for turn in self._lanes.leave(image.sequence):
            self._refresh(turn)
        if image.role == "primary":
            self._primary_settled(subject.group, fate)
        self._refresh(subject.of_group)

    def _primary_settled(self, number: int, fate: Fate) -> None:
        primary = self.plan.logical.images.primary
        if primary is None:
            return
        failed = fate.state not in {ImageState.PROCESSING, ImageState.PARTIAL}
        if failed and primary.on_failure == "halt":
            self.stop(RunStatus.HALTED, f"the primary of group {number} is {fate.state}")
        for member in sorted(self._members.get(number, ())):
            self._refresh(member)

    def _finish_group(self, subject: Subject, group: GroupRecord) -> None:
        reasons = shortcomings(group, self._stages)
        state = GroupState.PARTIAL if reasons else GroupState.PUBLISHED
        self._settle_group(subject, state, "; ".join(reasons))

    def _settle_group(self, subject: Subject, state: GroupState, reason: str) -> None:
        group = self.state.groups[subject.group]
        manifest = None
        if state in {GroupState.PUBLISHED, GroupState.PARTIAL}:
            for facts in group.facts.values():
                manifest = facts.get("manifest", manifest)
        self._emit(e.GroupSettled(subject, state, reason, manifest))
        self._fates.forget(subject.group)
        self._refresh(THE_RUN)

    def _emit(self, event: e.Event) -> None:
        evolve(self.state, event)
        self._events.append(event)
