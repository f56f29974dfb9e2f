"""Which stage of an order is running: what a worker does next, as told by what it reported."""

from __future__ import annotations

from imagelane.execute.message import Opening
from imagelane.execute.wire import MessageError
from imagelane.model.ids import StageName
from imagelane.model.outcome import Failure
from imagelane.model.work import Order, StageReport


class Progress:
    """Follows one order through its stages.

    ``stage`` is the one that is running, None after the last. Stages are done in the order's own
    order, and one that needs a failed one is passed over, as `segment.execute` does it.
    """

    def __init__(self, order: Order, opening: Opening) -> None:
        self.stage: StageName | None = None
        self._order = order
        self._opening = opening
        self._failed: set[StageName] = set()
        self._go_on(0)

    @property
    def may_end(self) -> bool:
        """Whether the order can be done now: nothing of it is left, or a failure cut it short."""
        return self.stage is None or bool(self._failed)

    def reported(self, report: StageReport) -> None:
        """A stage is over; what follows it is running now.

        Raises:
            MessageError: it is not a stage of the order that is still to be reported.
        """
        stages = self._order.stages
        if self.stage is None or report.stage not in stages[stages.index(self.stage) :]:
            raise MessageError(
                f"found a report of stage {report.stage!r} of order {self._order.number}; "
                f"expected {self.stage or 'none any more'}"
            )
        if isinstance(report.outcome, Failure):
            self._failed.add(report.stage)
        self._go_on(stages.index(report.stage) + 1)

    def _go_on(self, place: int) -> None:
        for name in self._order.stages[place:]:
            planned = self._opening.stages[name]
            if not self._failed.intersection(planned.needs) and planned.picture not in self._failed:
                self.stage = name
                return
            self._failed.add(name)
        self.stage = None
