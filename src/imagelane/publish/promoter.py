"""The `publish` stage: executed by the coordinator, for a group or for the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Outcome
from imagelane.model.plan import LogicalPlan, LogicalStage
from imagelane.model.states import ErrorClass, Scope
from imagelane.model.template import PRIMARY, MissingFactError, parse
from imagelane.model.work import Order
from imagelane.ports.publisher import IndexedPublisher
from imagelane.publish.promote import publish_group, publish_index


class SlugBook(Protocol):
    """Which folder name each group of the run has."""

    def of(self, number: int) -> str: ...

    def all(self) -> Iterable[str]: ...


class Promoter:
    """Executes orders of `publish` stages. ``publishers`` has one for each of them; ``fence`` is
    that of the coordinator, checked where a group goes live."""

    def __init__(
        self,
        plan: LogicalPlan,
        publishers: Mapping[StageName, IndexedPublisher],
        slugs: SlugBook,
        fence: int,
    ) -> None:
        self._plan = plan
        self._publishers = publishers
        self._slugs = slugs
        self._fence = fence

    def __call__(self, order: Order) -> Outcome:
        stage = self._plan.stage(order.stages[0])
        try:
            title = _title(stage, order)
        except MissingFactError as error:
            return Failure(ErrorClass.INVALID, f"the title of {order.group_name}: {error}")
        publisher = self._publishers[stage.name]
        if stage.scope is Scope.RUN:
            return publish_index(
                publisher,
                self._fence,
                pipeline=self._plan.name,
                slugs=self._slugs.all(),
                title=title,
            )
        return publish_group(
            publisher,
            self._fence,
            pipeline=self._plan.name,
            group_name=order.group_name,
            slug=self._slugs.of(order.subject.group),
            members=Path(order.members or ""),
            group_outputs=order.inputs,
            title=title,
            expected=self._expected(stage),
        )

    def take_over(self, subject: Subject, stage: StageName) -> None:
        """From here on no earlier coordinator makes a group, or the list of groups, live.

        Raises:
            StaleFenceError: a later one has taken it over already.
            PublishError: the target cannot be written.
        """
        publisher = self._publishers[stage]
        if subject.scope is Scope.RUN:
            publisher.take_over_index(self._fence)
        else:
            publisher.take_over(self._slugs.of(subject.group), self._fence)

    def is_live(self, group: int, manifest: str) -> bool:
        """Whether a group is where its manifest made it visible, in every place."""
        slug = self._slugs.of(group)
        live = {
            publisher.live(slug)
            for name, publisher in self._publishers.items()
            if self._plan.stage(name).scope is Scope.GROUP
        }
        return None not in live and manifest in live

    def _expected(self, stage: LogicalStage) -> frozenset[str]:
        """The image stages whose files a reader would miss."""
        return frozenset(
            name
            for name in stage.ancestors
            if (needed := self._plan.stage(name)).spec.traits.makes_renditions
            and needed.scope is Scope.IMAGE
        )


def _title(stage: LogicalStage, order: Order) -> str | None:
    text = stage.spec.parameters.get("title")
    if text is None:
        return None

    def fact(name: str) -> object | None:
        if name == "group":
            return order.group_name
        if name.startswith(PRIMARY):
            return order.primary.get(name.removeprefix(PRIMARY))
        return next((facts[name] for facts in order.facts.values() if name in facts), None)

    return parse(str(text)).render(fact)
