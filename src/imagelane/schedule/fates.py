"""What befalls a group as a whole, and its members because of it."""

from __future__ import annotations

from collections.abc import Mapping

from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalPlan, LogicalStage
from imagelane.model.policy import GatePolicy
from imagelane.model.run import GroupRecord, ImageRecord
from imagelane.model.states import GroupState, ImageState
from imagelane.schedule.consequences import Fate, gates_of, group_fate
from imagelane.schedule.gates import opens_without_the_late


class GroupFates:
    """The fates of groups that are under way. All follow from the record; what is kept here is
    the reason that was first."""

    def __init__(
        self,
        plan: LogicalPlan,
        stages: Mapping[StageName, LogicalStage],
    ) -> None:
        self._stages = stages
        self._gates = gates_of(stages)
        self._primary = plan.images.primary
        self._tolerance = plan.tolerance
        self._without: dict[int, str] = {}
        self._given_up: dict[int, tuple[GroupState, str]] = {}
        self._aborted: dict[int, tuple[GroupState, str]] = {}

    def late(self, number: int, gate: GatePolicy, reason: str) -> None:
        """A gate of a group has waited long enough: it goes on without the late, or gives up."""
        if opens_without_the_late(gate):
            self._without.setdefault(number, reason)
        else:
            self._given_up.setdefault(number, (GroupState(gate.on_failure), reason))

    def of_group(self, number: int, group: GroupRecord) -> tuple[GroupState, str] | None:
        """The state that the group goes to, and why, if it cannot go live."""
        if number in self._aborted:
            # The first reason stays: what follows from it would change what a gate counts.
            return self._aborted[number]
        fate = group_fate(group, self._stages, self._primary, self._gates, self._tolerance)
        fate = fate or self._given_up.get(number)
        if fate is not None and fate[0] is GroupState.ABORTED:
            self._aborted[number] = fate
        return fate

    def of_member(self, number: int, group: GroupRecord, image: ImageRecord) -> Fate | None:
        """What befalls an image because of its group."""
        fate = self.of_group(number, group)
        if fate is not None and fate[0] is GroupState.ABORTED:
            return Fate(ImageState.SKIPPED, None, f"its group was aborted: {fate[1]}")
        if number in self._without:
            return Fate(ImageState.SKIPPED, None, self._without[number])
        if image.role != "primary" and group.primary_state is ImageState.HELD:
            return Fate(ImageState.HELD, None, "its primary is held")
        return None

    def waits(self, group: GroupRecord, image: ImageRecord) -> bool:
        """Whether the image begins only when the primary of its group has settled."""
        return (
            self._primary is not None
            and image.role != "primary"
            and "primary" in group.roles
            and group.primary_state is None
        )

    def forget(self, number: int) -> None:
        """The group is over."""
        self._without.pop(number, None)
        self._given_up.pop(number, None)
        self._aborted.pop(number, None)
