"""The scheduler: what to begin, what to record, and when to look again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from imagelane.model import events as e
from imagelane.model.alert import AlertCause
from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.plan import LogicalStage, PhysicalPlan
from imagelane.model.policy import GatePolicy
from imagelane.model.run import GroupRecord, ImageRecord, RunState, SubjectState
from imagelane.model.states import GroupState, ImageState, RunStatus, Scope
from imagelane.model.work import Claim, Order, OrderDone, Report, StageReport
from imagelane.ports.source import SourceItem
from imagelane.schedule.attempts import Attempts
from imagelane.schedule.consequences import (
    THE_END,
    Fate,
    gates_of,
    image_fate,
    still_wanted,
    why_the_run_ends,
    without_needs,
)
from imagelane.schedule.decided import Decided
from imagelane.schedule.dispatching import Dispatcher
from imagelane.schedule.ending import manifest_of, run_end, shortcomings
from imagelane.schedule.fates import GroupFates
from imagelane.schedule.flight import Flight
from imagelane.schedule.gates import GateAnswer, GateTimeouts, decide_gate, late_reason
from imagelane.schedule.lanes import lanes_of
from imagelane.schedule.ready import AFTER_ALL_GROUPS, AFTER_ITS_IMAGES
from imagelane.schedule.received import received
from imagelane.schedule.retries import Retries

Reopened = e.GroupReopened | e.ImageReopened


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
        expected: images in the source; 0: not known before it is exhausted.

    ``orders`` tells what is queued and in flight, ``decided`` whether the run is to stop. While
    there is ``more_to_come``, subjects that will be reopened, the run does not end; while it
    ``makes_room`` for them, none is admitted.
    """

    def __init__(
        self, plan: PhysicalPlan, state: RunState, draw: Callable[[], float], expected: int = 0
    ) -> None:
        self.plan = plan
        self.state = state
        self.decided = Decided(state, plan.logical.tolerance, expected)
        self._emit = self.decided.emit
        self._stages: dict[StageName, LogicalStage] = {s.name: s for s in plan.logical.stages}
        self._of_scope = {scope: plan.logical.of_scope(scope) for scope in Scope}
        self._gates = gates_of(self._stages)
        self._lanes = lanes_of(plan.lane)
        self.orders = Dispatcher(plan, state, self._stages, self._lanes)
        self._members: dict[int, set[Subject]] = {}
        self._retries = Retries(self._stages, state, self.orders)
        self._attempts = Attempts(self._stages, self.decided, self.orders, self._retries, draw)
        self._gate_timeouts = GateTimeouts([gate for _, gate in self._gates])
        self._wanted: dict[Subject, frozenset[StageName]] = {}
        self._aborting: set[int] = set()
        self._fates = GroupFates(plan.logical, self._stages)
        self._now = 0.0
        self.more_to_come = False
        self.makes_room = False
        self._take_up()

    # What the engine asks

    def take_events(self) -> list[e.Event]:
        """What was decided since the last call, in order."""
        return self.decided.take()

    def admits(self) -> bool:
        """Whether the window has a place for the next image of the source."""
        return (
            self.decided.stopping is None
            and not self.state.exhausted
            and not self.makes_room
            and len(self.state.images) < self._window()
            and self._lanes.admits(self.state.received, self.orders.group_tasks_ready())
        )

    def wake_at(self) -> tuple[float | None, float | None]:
        """When `tick` has something to do, if nothing happens before: (monotonic, wall clock)."""
        moments = (self._retries.wake_at(self._now), self.orders.breakers.wake_at(self._now))
        soonest = min((moment for moment in moments if moment is not None), default=None)
        return soonest, self._gate_timeouts.wake_at()

    # What the engine tells

    def admit(self, item: SourceItem, wall: float) -> None:
        """Take in the next image of the source."""
        group = Subject(item.group)
        if item.group > self.state.groups_opened:
            self._emit(e.GroupOpened(group, item.group_name))
        subject = Subject(item.group, item.ordinal)
        self._emit(received(subject, item))
        self._enter(subject, item.sequence)
        if item.last:
            self._emit(e.GroupClosed(group, item.group_size, wall))
            self._gate_timeouts.watch(item.group, self.state.groups[item.group])
        self._refresh(subject)
        if item.last:
            self._refresh(group)

    def reopen(self, events: Iterable[Reopened]) -> None:
        """Take settled subjects up again, each group before its images."""
        reopened = list(events)
        for event in reopened:
            self._emit(event)
            if isinstance(event, e.ImageReopened):
                image = self.state.images[event.subject]
                self._enter(event.subject, image.sequence)
                if image.role == "primary":
                    # Alternates that stand ready wait for it again.
                    for member in self._members[event.subject.group]:
                        self.orders.withdraw(member)
            else:
                # A list of all groups would not be one of this group as it will be.
                self.orders.undo(THE_RUN)
                number = event.subject.group
                self._fates.forget(number)
                self._gate_timeouts.watch(number, self.state.groups[number])
        for event in reopened:
            self._refresh(event.subject)
            self._refresh(event.subject.of_group)

    def reopens(self, images: int) -> bool:
        """Whether the window has places for so many images that are taken up again together. More
        than it holds come in alone: their group's gate must not open for a part of them."""
        flying = len(self.state.images)
        fits = not flying or flying + images <= self._window()
        return self.decided.stopping is None and fits

    def unrecorded(self, group: int) -> bool:
        """Whether something was decided of a group since `take_events`."""
        return self.decided.pending(group)

    def _window(self) -> int:
        return 1 if self.orders.pressure.short else self.plan.window

    def source_ended(self) -> None:
        """The source has no more images."""
        self._emit(e.SourceExhausted(self.state.groups_opened, self.state.received))
        self._lanes.source_ended()
        self.decided.weigh_losses()
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
                    self._attempts.reported(flight, report, now)
                    self._refresh(subject)
            case OrderDone():
                self._done(flight)
            case Claim():
                self.orders.budget.claim(report.order, report.bytes)

    def give_back(self, number: int) -> None:
        """An order came back, and what is open of it counts as never tried."""
        if (flight := self.orders.flights.get(number)) is not None:
            flight.came_back = True
            self._done(flight)

    def grants(self) -> list[int]:
        """Orders that may decode what they claimed."""
        return self.orders.budget.grants()

    def tick(self, now: float, wall: float) -> None:
        """Look at what time has brought: retries that are due, gates that have waited enough."""
        self._now = now
        for subject in self._retries.due(now):
            self._refresh(subject)
        for number, gate in self._gate_timeouts.due(wall, self.state.groups):
            self._gate_timed_out(number, gate)

    def stop(self, status: RunStatus, reason: str) -> None:
        """Begin nothing more; when the last order is done, the run settles in ``status``, unless a
        failure has decided otherwise. Safe in a signal handler."""
        self.decided.ask_to_stop(status, reason)

    def settle(self) -> None:
        """Settle the run, if nothing is left to do or it was stopped and stands still."""
        if self.orders.flights or self.state.status is not RunStatus.RUNNING:
            return
        if (stopping := self.decided.stopping) is not None:
            self._emit(e.RunSettled(*stopping))
        elif not self.more_to_come and (settled := run_end(self.state, self._stages)):
            self._emit(settled)

    def dispatch(self, now: float) -> list[Order]:
        """Orders that may begin now, oldest group first, each within all of its limits."""
        self._now = now
        orders: list[Order] = []
        while self.decided.stopping is None and (order := self.orders.begin(now, self._wanted)):
            self._retries.began(order, now)
            orders.append(order)
        return orders

    # Taking up a run

    def _take_up(self) -> None:
        in_order = sorted(self.state.images.items(), key=lambda entry: entry[1].sequence)
        for subject, image in in_order:
            self._enter(subject, image.sequence)
        for number, group in self.state.groups.items():
            self._gate_timeouts.watch(number, group)
        self._retries.take_up()
        if self.state.exhausted:
            self._lanes.source_ended()
        for subject, _ in in_order:
            self._refresh(subject)
        for subject in (*map(Subject, self.state.groups), THE_RUN):
            self._refresh(subject)
        self.decided.weigh_losses()

    def _enter(self, subject: Subject, sequence: int) -> None:
        self._lanes.enter(subject, sequence)
        self._members.setdefault(subject.group, set()).add(subject)

    # Reports

    def _done(self, flight: Flight) -> None:
        turns = self.orders.done(flight)
        if not flight.any_reported:
            self._attempts.reported(flight, flight.lost(self._now), self._now)
        for subject in (flight.order.subject, *turns):
            self._refresh(subject)

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
        if not self._fates.waits(group, image) and self._lanes.turn(subject, image.sequence):
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
        for stage, lacking in without_needs(record, self._of_scope[scope]):
            self._emit(e.TaskSkipped(subject, stage, f"needs {lacking}, which is missing"))

    def _push(self, subject: Subject, record: SubjectState, place: tuple[int, int]) -> None:
        if self.decided.stopping is None:
            self.orders.consider(subject, record, place, self._now, self._wanted.get(subject))

    # Groups

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
        reason = late_reason([self.state.images[subject].source.name for subject in missing])
        self._fates.late(number, gate, reason)
        self.decided.alert(AlertCause.GATE_TIMED_OUT, f"group {number}: {reason}", Subject(number))
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
            self._primary_settled(subject, fate)
        if (reason := why_the_run_ends(fate, subject, self._stages)) is not None:
            self.decided.fail(reason, subject)
        self.decided.weigh_losses()
        self._refresh(subject.of_group)

    def _primary_settled(self, subject: Subject, fate: Fate) -> None:
        primary = self.plan.logical.images.primary
        if primary is None:
            return
        failed = fate.state not in {ImageState.PROCESSING, ImageState.PARTIAL}
        if failed and primary.on_failure == "halt":
            reason = f"the primary of group {subject.group} is {fate.state}"
            self.decided.halt(reason, subject)
        for member in sorted(self._members.get(subject.group, ())):
            self._refresh(member)

    def _finish_group(self, subject: Subject, group: GroupRecord) -> None:
        reasons = shortcomings(group, self._stages)
        state = GroupState.PARTIAL if reasons else GroupState.PUBLISHED
        self._settle_group(subject, state, "; ".join(reasons))

    def _settle_group(self, subject: Subject, state: GroupState, reason: str) -> None:
        group = self.state.groups[subject.group]
        self._emit(e.GroupSettled(subject, state, reason, manifest_of(group, state)))
        self._fates.forget(subject.group)
        self.orders.forget(subject)
        self.decided.weigh_losses()
        self._refresh(THE_RUN)
