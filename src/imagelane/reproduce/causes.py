"""Why a stage may give something else today: what is known to have changed since."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from imagelane.config import versions
from imagelane.model import events as e
from imagelane.model.ids import THE_RUN, RunId, StageName
from imagelane.model.plan import LogicalStage
from imagelane.model.spec import StageSpec
from imagelane.model.work import SourceFile
from imagelane.ports.journal import Journal
from imagelane.wiring.describing import describing


class Again(Enum):
    """What a stage gives when it is executed once more, with the same input."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Beginnings:
    """The versions of the program and its libraries, by where in the journal they begin to hold."""

    indices: tuple[int, ...]
    versions: tuple[Mapping[str, str], ...]

    @classmethod
    def of(cls, journal: Journal, run: RunId) -> Beginnings:
        found = [
            (one.index, one.event.versions)
            for one in journal.events(run, subject=THE_RUN)
            if isinstance(one.event, e.RunStarted | e.RunResumed)
        ]
        return cls(tuple(index for index, _ in found), tuple(known for _, known in found))

    def at(self, index: int) -> Mapping[str, str]:
        """Those with which the event of an index came about; empty where nobody recorded any."""
        place = bisect_right(self.indices, index)
        return self.versions[place - 1] if place else {}


@dataclass(frozen=True, slots=True)
class Blame:
    """``recorded`` gives, by stage, the versions with which it was executed."""

    source: SourceFile
    folder: Path
    recorded: Mapping[StageName, Mapping[str, str]]

    def causes(
        self, stage: LogicalStage, suspects: Sequence[LogicalStage], again: Again
    ) -> Iterator[str]:
        """Lines that each name something; where nothing is known, what that leaves.

        Args:
            stage: where a difference was seen first.
            suspects: it, and stages before it that may differ unseen.
            again: what it gave when it was executed once more.
        """
        found = [*self._source(), *self._edited(suspects), *self._versions(stage)]
        yield from found
        if again is Again.OTHER:
            yield (
                f"{stage.name}, executed twice with the same input, gives two results: it depends "
                "on something else, such as the time, chance or a file of its own"
            )
        elif not found:
            known = "" if self.recorded.get(stage.name) else " (the run recorded no versions)"
            yield (
                "nothing is known to have changed: not the source, nor the version of a stage or a "
                f"library{known}; was imagelane itself edited, or what {stage.name} reads besides, "
                "such as a font, a model or a file that its parameters name?"
            )

    def _source(self) -> Iterator[str]:
        if self.source.digest is None:
            return
        name = self.source.name
        try:
            with Path(self.source.path).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            yield f"the source {name} cannot be read: {error.strerror}"
            return
        if digest != self.source.digest:
            yield (
                f"the source {name} was changed: its bytes are {digest[:12]}, "
                f"recorded {self.source.digest[:12]}"
            )

    def _edited(self, suspects: Sequence[LogicalStage]) -> Iterator[str]:
        for one in suspects:
            version, now = one.spec.traits.version, self._version(one.spec)
            if now is None:
                yield f"stage {one.name} cannot be looked at any more: is {one.spec.uses} there?"
            elif now != version:
                yield (
                    f"stage {one.name} was edited: {one.spec.uses} has version {now}, "
                    f"recorded {version}"
                )

    def _version(self, spec: StageSpec) -> str | None:
        """The version that a stage has today; None where it cannot be had."""
        if ":" in spec.uses:
            with describing() as describe:
                found = describe(spec.uses, spec.parameters, self.folder)
            # A parameter that it has no more is an edit, too, and told by its version.
            return None if found.traits.version == "1" and found.errors else found.traits.version
        from imagelane.declare.stages import CATALOGUE  # noqa: PLC0415 - pydantic takes a while

        kind = CATALOGUE.get(spec.uses)
        return kind.TRAITS.version if kind else None

    def _versions(self, stage: LogicalStage) -> Iterator[str]:
        then, now = self.recorded.get(stage.name, {}), versions()
        for name in sorted(then.keys() | now.keys()) if then else ():
            if then.get(name) != now.get(name):
                today, before = now.get(name, "not installed"), then.get(name, "none")
                yield f"{name} is {today}, recorded {before}"
