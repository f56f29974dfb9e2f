"""What a coordinator that was replaced may be making live at this moment, and does not know it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.plan import LogicalStage
from imagelane.model.run import RunState
from imagelane.model.spec import Place
from imagelane.model.states import Scope


def may_go_live(
    state: RunState, stages: Sequence[LogicalStage]
) -> Iterator[tuple[Subject, StageName]]:
    """The promotions that an earlier coordinator may have begun and not recorded, as the record
    stands when a run is taken up.

    A promotion is begun only when it is recorded that the gate before it is open, and one whose
    end is recorded is over. So these are all, and they are few: groups wait long for their images,
    and not at all for their promotion.
    """
    promotions = [stage for stage in stages if stage.spec.traits.place is Place.COORDINATOR]
    for stage in promotions:
        if stage.scope is Scope.GROUP:
            for number, group in state.groups.items():
                if stage.name in group.opened_gates and not group.resolved(stage.name):
                    yield Subject(number), stage.name
        elif state.exhausted and not state.run.resolved(stage.name):
            yield THE_RUN, stage.name
