"""`publish`: the moment at which a group goes live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from imagelane.declare.problems import Path
from imagelane.declare.stages.base import StageParameters
from imagelane.declare.values import TemplateText, Text
from imagelane.model.spec import Place, Reads, StageTraits
from imagelane.model.states import Scope


class Publish(StageParameters):
    """Make a group visible, all of it at once: its manifest, its files under readable names, its
    rows in the gallery database. The version before stays, to go back to."""

    KIND: ClassVar[str] = "publish"
    TRAITS: ClassVar[StageTraits] = StageTraits(
        scopes=frozenset({Scope.GROUP, Scope.RUN}),
        place=Place.COORDINATOR,
        reads=Reads.RENDITIONS,
        gathers=True,
    )

    to: Text | None = None
    """The target folder; that of the `store` stage where nothing is said."""
    database: Text | None = "galleries.db"
    """The SQLite file with a row for each gallery and picture, in the target folder; null: none."""
    title: TemplateText | None = None
    """The gallery's title; it may read {group} and facts of the {primary.…}."""

    def templates(self) -> Iterable[tuple[Path, str, frozenset[str]]]:
        if self.title is not None:
            yield ("title",), self.title, frozenset()
