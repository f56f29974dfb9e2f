"""`store`: bring what was made into the target."""

from __future__ import annotations

from typing import ClassVar

from imagelane.declare.stages.base import StageParameters
from imagelane.declare.values import Text
from imagelane.model.spec import Place, Reads, StageTraits


class Store(StageParameters):
    """Bring the files of all stages that it needs into the target folder, verified by reading them
    back. They are not to be seen before `publish`."""

    KIND: ClassVar[str] = "store"
    TRAITS: ClassVar[StageTraits] = StageTraits(
        place=Place.THREAD, pool="io", reads=Reads.RENDITIONS, gathers=True
    )

    to: Text = "public/"
    """The target folder, relative to the pipeline's."""
