"""One subject while an order is executed: its bytes, its decode, its pictures, each made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from imagelane.execute import stages
from imagelane.execute.allowance import Allowance
from imagelane.execute.attempt import Attempt
from imagelane.execute.errors import BugError, StageError
from imagelane.execute.limits import Limits
from imagelane.execute.members import Member, read_members
from imagelane.execute.message import Opening
from imagelane.execute.shelf import Shelf
from imagelane.execute.source import Source, read_source
from imagelane.model.ids import StageName
from imagelane.model.outcome import Rendition
from imagelane.model.spec import Place
from imagelane.model.work import Order
from imagelane.ports.faults import Fault, no_fault

NOTHING_HANDED: Mapping[str, int | StageError] = {}

PICTURE = "picture"
"""Name of the rendition that materialises a stage's picture for another segment."""

if TYPE_CHECKING:
    # Loaded when a picture is asked for: what only waits or copies files never needs libvips.
    from imagelane.execute.header import Header
    from imagelane.execute.picture import Picture


class Workpiece:
    """What the stages of one order share.

    A picture that the order's own stages made is taken from memory, one that another segment made
    from its materialised samples, and one that was not kept is made again from what it needs: in
    each case the same samples. ``handed`` are the descriptors of the files that a contained worker
    cannot open itself, or why there is none.
    """

    def __init__(
        self,
        order: Order,
        opening: Opening,
        claim: Callable[[int], None],
        handed: Mapping[str, int | StageError] = NOTHING_HANDED,
        fault: Fault = no_fault,
    ) -> None:
        self.order = order
        self.opening = opening
        self.allowance = Allowance(order.reservation, claim)
        pixels = any(opening.stages[name].place is Place.PROCESS for name in order.stages)
        self.fault = fault
        self.shelf = Shelf(
            opening.artifacts,
            opening.scratch,
            beside=pixels,
            listed=opening.containment is None,
            fault=fault,
        )
        self.facts: dict[StageName, Mapping[str, Any]] = dict(order.facts)
        self.limits = _limits(opening)
        self._handed = handed
        self._source: Source | None = None
        self._header: Header | None = None
        self._pictures: dict[StageName | None, Picture] = {}

    @property
    def source(self) -> Source:
        """The source file's bytes, read once.

        Raises:
            InvalidError: it is not there, not a plain file, or not what it was.
        """
        if self._source is None:
            if self.order.source is None:
                raise BugError(f"subject {self.order.subject} has no source file to read")
            opened = self._opened("source")
            self._source = read_source(self.order.source, self.limits.max_bytes, opened)
        return self._source

    def members(self) -> Iterator[Member]:
        """The images of the order's group or run, in published order, read anew each time.

        Raises:
            BugError: the order names no file of them.
        """
        return read_members(self.order, self._opened("members"))

    @property
    def source_digest(self) -> str | None:
        """The digest of the bytes that were read, if any were."""
        return None if self._source is None else self._source.digest

    @property
    def header(self) -> Header:
        """What the source file says of itself, within the limits.

        Raises:
            InvalidError: it is no picture, or asks for more than the limits allow.
        """
        if self._header is None:
            from imagelane.execute import decode  # noqa: PLC0415 - see above
            from imagelane.execute.header import read_header  # noqa: PLC0415

            decode.check_format(self.source.data, self.limits)
            decode.check_declared(self.source.data, self.limits)
            header = read_header(self.source.data, self.limits.max_bytes)
            decode.check_limits(self.source.data, header, self.limits)
            self._header = header
        return self._header

    def picture(self, stage: StageName | None) -> Picture:
        """The picture as a stage left it; None asks for the source's own."""
        if stage not in self._pictures:
            self._pictures[stage] = self._obtain(stage)
        return self._pictures[stage]

    def unconverted(self) -> Picture:
        """The source's own picture in the colours of its own profile, decoded anew."""
        from imagelane.execute import decode  # noqa: PLC0415 - see above

        picture = decode.decode(
            self.source.data, self.header, self.opening.decode, self.allowance, to_standard=False
        )
        # It is counted again as what the stage makes of it.
        self.allowance.give_back(picture.size)
        return picture

    def made(self, stage: StageName, picture: Picture) -> None:
        """Keep the picture that a stage of this order made."""
        if stage not in self._pictures:
            self.allowance.take(picture.size)
        self._pictures[stage] = picture

    def learn(self, stage: StageName, facts: Mapping[str, Any]) -> None:
        """Let later stages of this order read a stage's facts."""
        self.facts.pop(stage, None)
        self.facts[stage] = facts

    def store_picture(self, picture: Picture) -> Rendition:
        """Materialise a picture for other segments."""
        return self.shelf.put(PICTURE, "raw", picture.dump(), picture.width, picture.height)

    def forget(self, remaining: Iterable[StageName]) -> None:
        """Let go of pictures that none of the remaining stages can reach."""
        wanted: set[StageName | None] = set()
        for name in remaining:
            wanted.add(self.opening.stages[name].picture)
        for held in self._pictures.keys() - wanted:
            self.allowance.give_back(self._pictures.pop(held).size)

    def _opened(self, what: str) -> int | None:
        """The descriptor of a file of the order, where the supervisor has opened it."""
        handed = self._handed.get(what)
        if isinstance(handed, StageError):
            raise handed
        return handed

    def _obtain(self, stage: StageName | None) -> Picture:
        from imagelane.execute import decode  # noqa: PLC0415 - see above
        from imagelane.execute.picture import Picture  # noqa: PLC0415

        if stage is None:
            return decode.decode(self.source.data, self.header, self.opening.decode, self.allowance)
        for rendition in self.order.inputs.get(stage, ()):
            if rendition.name == PICTURE and rendition.format == "raw":
                self.allowance.take(rendition.bytes)
                return Picture.load(self.shelf.read(rendition))
        planned = self.opening.stages[stage]
        module = cast("stages.PictureStage", stages.load(planned.uses))
        picture = module.make(planned.parameters, Attempt(planned, self))
        self.allowance.take(picture.size)
        return picture


def _limits(opening: Opening) -> Limits:
    """Those of the plan's validate stage, for every decode; the defaults where there is none."""
    for stage in opening.stages.values():
        if stage.uses == "validate":
            given = stage.parameters
            return Limits(
                given["max_megapixels"],
                given["max_total_megapixels"],
                given["max_bytes"],
                given["max_scans"],
                tuple(given["formats"]),
            )
    return Limits()
