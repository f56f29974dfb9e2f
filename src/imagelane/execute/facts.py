"""What a stage's templates may read, and where each name is looked up."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from imagelane.execute.errors import InvalidError
from imagelane.execute.message import Opening, PlannedStage
from imagelane.model.ids import StageName
from imagelane.model.template import PRIMARY, Field, MissingFactError, Template, parse
from imagelane.model.work import Order


class Facts:
    """Facts by name, as one stage sees them.

    ``name`` is looked for among the facts of the stages that it needs, directly or not, the later
    ones first; then among the built-in names; then in the manifest's columns. ``stage.name`` asks
    one stage, ``primary.name`` the group's primary. What stages that it does not need have found
    is not seen, whether they were done in the same order or not.
    """

    def __init__(
        self,
        stage: PlannedStage,
        opening: Opening,
        order: Order,
        known: Mapping[StageName, Mapping[str, Any]],
    ) -> None:
        reachable = ancestors(stage, opening)
        self._stages = [
            (name, known[name])
            for name in reversed(list(opening.stages))
            if name in reachable and name in known
        ]
        self._order = order
        self._own: Mapping[str, Any] = {}

    def having(self, own: Mapping[str, Any]) -> Facts:
        """The same, with names that the stage itself gives a meaning, before all others."""
        facts = copy.copy(self)
        facts._own = own  # noqa: SLF001 - its own class
        return facts

    def __call__(self, name: str) -> Any | None:
        """The fact, or None."""
        if name in self._own:
            return self._own[name]
        if name.startswith(PRIMARY):
            own_name = name.removeprefix(PRIMARY)
            return self(own_name) if self._order.is_primary else self._order.primary.get(own_name)
        for _, facts in self._stages:
            if name in facts:
                return facts[name]
        owner, dot, own_name = name.partition(".")
        if dot:
            for stage, facts in self._stages:
                if stage == owner and own_name in facts:
                    return facts[own_name]
        built_in = self._built_in().get(name)
        if built_in is not None:
            return built_in
        source = self._order.source
        return source.columns.get(name) if source is not None else None

    def render(self, template: str, quote: Callable[[str], str] | None = None) -> str:
        """A template's text. ``quote`` is applied to each fact that is put in, never to the rest.

        Raises:
            InvalidError: a fact is missing and has no fallback.
        """
        return self.fill(parse(template), quote)

    def merged(self) -> dict[str, Any]:
        """All facts that stages have found, by name, the later stages winning."""
        merged: dict[str, Any] = {}
        for _, facts in reversed(self._stages):
            merged.update(facts)
        return merged

    def fill(self, template: Template, quote: Callable[[str], str] | None = None) -> str:
        """The same for a template that was parsed."""

        def lookup(name: str) -> Any | None:
            value = self(name)
            if quote is None or value is None:
                return value
            return quote(written(value))

        try:
            return template.render(lookup)
        except MissingFactError as error:
            raise InvalidError(str(error)) from None

    def _built_in(self) -> Mapping[str, Any]:
        order = self._order
        names: dict[str, Any] = {"group": order.group_name}
        if order.subject.ordinal:
            names["ordinal"] = order.subject.ordinal
        if order.source is not None:
            names["name"] = order.source.name
            names["stem"] = PurePath(order.source.name).stem
            names["path"] = order.source.path
        return names


def ancestors(stage: PlannedStage, opening: Opening) -> frozenset[StageName]:
    """All stages that a stage needs, directly or not."""
    found: set[StageName] = set()
    waiting = list(stage.needs)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(opening.stages[name].needs)
    return frozenset(found)


def written(value: Any) -> str:
    """A fact as templates write it; empty where it counts as missing."""
    return Template((Field("value", ""),)).render(lambda _: value)
