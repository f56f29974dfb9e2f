"""How far a run is, while it runs: what live displays draw. No clock and no output of its own."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.plan import LogicalStage, PhysicalPlan
from imagelane.model.run import RunState, final_image_state
from imagelane.model.states import LIVE_GROUPS, GroupState, ImageState, Scope
from imagelane.ports.observer import Pulse
from imagelane.report.losses import NOT_WHOLE, OTHER_REASONS
from imagelane.report.outlook import Outlook

WINDOW = 10.0
"""Seconds over which rates are taken."""
REASONS = 50
"""Reasons of losses that are told apart."""
NEWS = 100
"""Ended groups that are kept until somebody asks."""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """``resolved`` of ``expected`` subjects need the stage no more, whatever the outcome was.
    ``done``, ``failed`` and ``skipped`` count what this coordinator saw; ``rate`` is done a second.
    """

    name: StageName
    queued: int
    running: int
    done: int
    failed: int
    skipped: int
    resolved: int
    expected: int
    rate: float


@dataclass(frozen=True, slots=True)
class GroupProgress:
    group: int
    name: str
    state: GroupState
    settled: int
    size: int


@dataclass(frozen=True, slots=True)
class Loss:
    """Images that left for one reason; ``first`` is one of them."""

    state: ImageState
    stage: StageName | None
    reason: str
    count: int
    first: Subject
    first_name: str


@dataclass(frozen=True, slots=True)
class GroupNews:
    """A group is over, or held. ``images`` counts its members by the state that they are in now."""

    group: int
    name: str
    state: GroupState
    reason: str
    images: Mapping[ImageState, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment. ``images`` adds up to ``received``; ``left`` is None where it cannot be said."""

    elapsed: float
    left: float | None
    received: int
    settled: int
    images_expected: int
    images: Mapping[ImageState, int]
    groups: Mapping[GroupState, int]
    groups_expected: int
    open_groups: tuple[GroupProgress, ...]
    stages: tuple[StageProgress, ...]
    bottleneck: StageName | None
    short_of_memory: bool = False

    @property
    def live(self) -> int:
        """Groups that are live, whole or in part."""
        return sum(self.groups.get(state, 0) for state in LIVE_GROUPS)

    @property
    def failed(self) -> int:
        return sum(stage.failed for stage in self.stages)


@dataclass(slots=True)
class _Seen:
    done: int = 0
    failed: int = 0
    skipped: int = 0
    tries: int = 0
    seconds: float = 0.0

    @property
    def mean(self) -> float:
        return self.seconds / self.tries if self.tries else 0.0


@dataclass(slots=True)
class Progress:
    """Follows one coordinator's work on a run. Memory does not grow with the run."""

    plan: PhysicalPlan
    run: str
    expected: tuple[int, int] = (0, 0)
    undelivered: list[e.AlertSettled] = field(default_factory=list)
    executed: int = 0
    """Tasks that were done, but for those of the coordinator itself."""
    reused: int = 0
    """Tasks whose outcome was taken from the record instead."""
    _seen: dict[StageName, _Seen] = field(default_factory=dict)
    _names: dict[Subject, str] = field(default_factory=dict)
    _losses: dict[tuple[ImageState, StageName | None, str], Loss] = field(default_factory=dict)
    _samples: deque[tuple[float, Counter[StageName]]] = field(default_factory=deque)
    _groups: dict[int, str] = field(default_factory=dict)
    _members: dict[int, Counter[ImageState]] = field(default_factory=dict)
    _news: list[GroupNews] = field(default_factory=list)
    _more_news: int = 0
    _outlook: Outlook = field(init=False)

    def __post_init__(self) -> None:
        self._seen = {stage.name: _Seen() for stage in self.plan.logical.stages}
        self._outlook = Outlook(self.plan)

    def recorded(self, events: Sequence[e.Event]) -> None:
        for event in events:
            match event:
                case e.TaskSucceeded():
                    self._succeeded(event)
                case e.TaskFailed():
                    seen = self._seen[event.stage]
                    seen.failed += event.retry_in is None
                    seen.tries += 1
                    seen.seconds += event.finished - event.started
                case e.TaskSkipped():
                    self._seen[event.stage].skipped += 1
                case e.ImageReceived():
                    self._names[event.subject] = event.name
                case e.ImageSettled():
                    self._image_settled(event)
                case e.GroupOpened():
                    self._groups[event.subject.group] = event.name
                case e.GroupSettled():
                    self._group_settled(event)
                case e.AlertSettled() if event.problem:
                    self.undelivered.append(event)

    def _succeeded(self, event: e.TaskSucceeded) -> None:
        seen = self._seen[event.stage]
        seen.done += 1
        if event.reused:
            self.reused += 1
            return
        self.executed += event.worker != "coordinator"
        seen.tries += 1
        seen.seconds += event.finished - event.started

    def _image_settled(self, event: e.ImageSettled) -> None:
        name = self._names.pop(event.subject, "")
        self._members.setdefault(event.subject.group, Counter())[event.state] += 1
        if event.state in NOT_WHOLE:
            self._lose((event.state, event.stage, event.reason), 1, event.subject, name)

    def _group_settled(self, event: e.GroupSettled) -> None:
        number = event.subject.group
        members = self._members.get(number, Counter())
        name = self._groups.get(number, f"group {number}")
        images: Counter[ImageState] = Counter()
        for settled, count in members.items():
            held = event.state is GroupState.HELD
            images[settled if held else final_image_state(settled, event.state)] += count
        if event.state is GroupState.ABORTED and (whole := members[ImageState.PROCESSING]):
            reason = f"the group {name} was aborted: {event.reason}"
            self._lose((ImageState.SKIPPED, None, reason), whole, event.subject, name)
        if event.state is not GroupState.HELD:
            self._members.pop(number, None)
            self._groups.pop(number, None)
        if len(self._news) < NEWS:
            self._news.append(GroupNews(number, name, event.state, event.reason, images))
        else:
            self._more_news += 1

    def _lose(
        self, key: tuple[ImageState, StageName | None, str], count: int, first: Subject, name: str
    ) -> None:
        if key not in self._losses and len(self._losses) >= REASONS:
            key = (*key[:2], OTHER_REASONS)
        known = self._losses.get(key, Loss(*key, 0, first, name))
        self._losses[key] = Loss(*key, known.count + count, known.first, known.first_name)

    def take_news(self) -> tuple[tuple[GroupNews, ...], int]:
        """The groups that ended since this was last asked, and how many more there were."""
        news, more = tuple(self._news), self._more_news
        self._news, self._more_news = [], 0
        return news, more

    def losses(self) -> tuple[Loss, ...]:
        """Most frequent first."""
        return tuple(sorted(self._losses.values(), key=lambda one: (-one.count, one.first)))

    def snapshot(self, state: RunState, pulse: Pulse) -> Snapshot:
        expected = (
            max(pulse.expected[0], state.received),
            max(pulse.expected[1], state.groups_opened),
        )
        remaining = {
            stage.name: _remaining(stage, state, expected) for stage in self.plan.logical.stages
        }
        done = Counter({name: seen.done for name, seen in self._seen.items()})
        self._sample(pulse.elapsed, done)
        means = {name: seen.mean for name, seen in self._seen.items()}
        tries = {name: seen.tries for name, seen in self._seen.items()}
        return Snapshot(
            elapsed=pulse.elapsed,
            left=self._outlook.left(means, tries, remaining, pulse.elapsed),
            received=state.received,
            settled=state.received - len(state.images),
            images_expected=expected[0],
            images=image_counts(state),
            groups=_group_counts(state),
            groups_expected=expected[1],
            open_groups=tuple(
                GroupProgress(
                    n, group.name, group.state, group.settled_total, group.size or group.received
                )
                for n, group in state.groups.items()
            ),
            stages=tuple(
                self._stage(stage, remaining[stage.name], expected, pulse)
                for stage in self.plan.logical.stages
            ),
            bottleneck=self._outlook.bottleneck(means, remaining),
            short_of_memory=pulse.short_of_memory,
        )

    def _stage(
        self, stage: LogicalStage, remaining: int, expected: tuple[int, int], pulse: Pulse
    ) -> StageProgress:
        seen = self._seen[stage.name]
        total = _expected_of(stage, expected)
        return StageProgress(
            name=stage.name,
            queued=pulse.queued.get(stage.name, 0),
            running=pulse.running.get(stage.name, 0),
            done=seen.done,
            failed=seen.failed,
            skipped=seen.skipped,
            resolved=total - remaining,
            expected=total,
            rate=self._rate(stage.name, pulse.elapsed),
        )

    def _sample(self, elapsed: float, done: Counter[StageName]) -> None:
        if not self._samples or elapsed - self._samples[-1][0] >= 1.0:
            self._samples.append((elapsed, done))
        while len(self._samples) > 2 and elapsed - self._samples[1][0] >= WINDOW:
            self._samples.popleft()

    def _rate(self, stage: StageName, elapsed: float) -> float:
        since, before = self._samples[0]
        span = elapsed - since
        return (self._seen[stage].done - before[stage]) / span if span >= 0.5 else 0.0


def image_counts(state: RunState) -> dict[ImageState, int]:
    """How many images are in each state; they add up to those received."""
    counts = Counter(state.image_counts)
    for group in state.groups.values():
        for settled, number in group.settled.items():
            counts[settled] += number
    for image in state.images.values():
        begun = bool(image.done or image.missing or image.attempts)
        counts[ImageState.PROCESSING if begun else ImageState.RECEIVED] += 1
    return {one: counts[one] for one in ImageState if counts[one]}


def _group_counts(state: RunState) -> dict[GroupState, int]:
    counts = Counter(state.group_counts)
    counts.update(group.state for group in state.groups.values())
    return {one: counts[one] for one in GroupState if counts[one]}


def _expected_of(stage: LogicalStage, expected: tuple[int, int]) -> int:
    if stage.scope is Scope.RUN:
        return 1
    return expected[0] if stage.scope is Scope.IMAGE else expected[1]


def _remaining(stage: LogicalStage, state: RunState, expected: tuple[int, int]) -> int:
    """Subjects that may still need the stage."""
    name = stage.name
    if stage.scope is Scope.RUN:
        return 0 if state.run.resolved(name) else 1
    if stage.scope is Scope.IMAGE:
        over = state.received - len(state.images)
        resolved = sum(1 for image in state.images.values() if image.resolved(name))
        return max(0, expected[0] - over - resolved)
    over = state.groups_opened - len(state.groups)
    resolved = sum(1 for group in state.groups.values() if group.resolved(name))
    return max(0, expected[1] - over - resolved)
