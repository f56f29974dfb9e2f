"""What all built-in stages have in common on the declaring side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError

from imagelane.declare.callsite import caller, line_of
from imagelane.declare.document import Document
from imagelane.declare.mistakes import problems_of
from imagelane.declare.problems import DeclarationError, Path
from imagelane.declare.values import Strict
from imagelane.model.spec import Extent, StageTraits


class StageParameters(Strict):
    """The parameters of one kind of stage: what stands under its ``with``.

    ``KIND`` is its name in pipeline files. ``TRAITS`` holds for the kind as a whole; what depends
    on the parameters is in `traits`. Sizes are in pixels.

    Raises:
        DeclarationError: a parameter is unknown, or has a value that it cannot have.
    """

    KIND: ClassVar[str]
    TRAITS: ClassVar[StageTraits]

    if not TYPE_CHECKING:  # so that type checkers go by the fields

        def __init__(self, **parameters: Any) -> None:
            try:
                super().__init__(**parameters)
            except ValidationError as error:
                at = caller()
                document = Document(parameters, {(): at} if at else {}, line=line_of)
                problems = problems_of(error, type(self), document)
                raise DeclarationError(problems) from None

        # Says that validation of a mapping need not come through here: then the pipeline's own
        # reading collects the mistakes, with their places in its file.
        __init__.__pydantic_base_init__ = True

    def traits(self) -> StageTraits:
        """What the planner must know, given these parameters."""
        return self.TRAITS

    def extent(self) -> Extent | None:
        """The largest picture that it can make use of; None for a stage that uses no picture."""
        return None

    def templates(self) -> Iterable[tuple[Path, str, frozenset[str]]]:
        """The texts with facts in them: where each stands below ``with``, and which names the
        stage itself gives a meaning."""
        return ()

    def inputs(self) -> Iterable[tuple[Path, str]]:
        """Stages whose renditions it names, and where below ``with``."""
        return ()

    def files(self) -> Iterable[tuple[Path, str]]:
        """Files that it reads, relative to the pipeline's folder, and where below ``with``."""
        return ()
