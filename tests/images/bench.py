"""A bench to try stages on: real openings, orders and stores, without engine or pool."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagelane.declare.stages import CATALOGUE
from imagelane.execute.message import Opening, PlannedStage
from imagelane.execute.segment import execute
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Rendition, Success
from imagelane.model.spec import Extent, Place, Reads, Resampler
from imagelane.model.states import Scope
from imagelane.model.work import Order, SourceFile, StageReport

PLENTY = 1 << 40


def source_of(path: Path, **more: Any) -> SourceFile:
    found = path.lstat()
    return SourceFile(str(path), path.name, found.st_size, found.st_mtime_ns, **more)


@dataclass
class Bench:
    """Stages are declared with `stage`, in order, and executed on files with `order` or `one`."""

    folder: Path
    stages: dict[StageName, PlannedStage] = field(default_factory=dict)
    decode: list[Extent] = field(default_factory=list)
    claims: list[int] = field(default_factory=list)
    resampler: Resampler = Resampler.FAST_IMAGE_RESIZE

    def stage(
        self,
        name: str,
        uses: str | None = None,
        *,
        needs: Sequence[str] = (),
        picture: str | None = None,
        materialise: bool = False,
        scope: Scope | None = None,
        timeout: float | None = None,
        **parameters: Any,
    ) -> Bench:
        kind = uses or name
        given: Mapping[str, Any] = parameters
        place, reads = Place.PROCESS, True
        if kind in CATALOGUE:
            declared = CATALOGUE[kind](**parameters)
            given = declared.model_dump(mode="json")
            traits, extent = declared.traits(), declared.extent()
            place, reads = traits.place, traits.reads is Reads.PICTURE
            scope = scope or min(traits.scopes, key=list(Scope).index)
            if reads and picture is None and extent is not None:
                self.decode.append(extent)
        self.stages[StageName(name)] = PlannedStage(
            name=StageName(name),
            uses=kind,
            scope=scope or Scope.IMAGE,
            place=place,
            parameters=given,
            picture=None if picture is None else StageName(picture),
            reads_picture=reads,
            materialise=materialise,
            timeout=timeout,
            needs=tuple(StageName(need) for need in needs),
        )
        return self

    @property
    def opening(self) -> Opening:
        for name in ("artifacts", "scratch"):
            (self.folder / name).mkdir(exist_ok=True)
        return Opening(
            stages=self.stages,
            decode=tuple(self.decode),
            artifacts=str(self.folder / "artifacts"),
            scratch=str(self.folder / "scratch"),
            folder=str(self.folder),
            resampler=self.resampler,
        )

    def order(
        self,
        file: Path | SourceFile | None,
        stages: Iterable[str] | None = None,
        *,
        reservation: int = PLENTY,
        **more: Any,
    ) -> list[StageReport]:
        """Execute an order; every report of it."""
        names = tuple(StageName(name) for name in stages or self.stages)
        source = source_of(file) if isinstance(file, Path) else file
        more.setdefault("subject", Subject(1, 1))
        more.setdefault("group_name", "harbour")
        order = Order(
            number=7,
            segment=0,
            stages=names,
            attempts=(1,) * len(names),
            source=source,
            reservation=reservation,
            **more,
        )
        return list(execute(order, self.opening, self.claims.append))

    def all(
        self, file: Path | SourceFile | None, stages: Iterable[str] | None = None, **more: Any
    ) -> list[Success]:
        """Execute an order, all of whose stages must succeed."""
        outcomes = []
        for report in self.order(file, stages, **more):
            assert isinstance(report.outcome, Success), report.outcome
            outcomes.append(report.outcome)
        return outcomes

    def one(self, file: Path | SourceFile | None, stage: str | None = None, **more: Any) -> Success:
        """Execute one stage (or all, for the last one's outcome), which must succeed."""
        report = self.order(file, None if stage is None else [stage], **more)[-1]
        assert isinstance(report.outcome, Success), report.outcome
        return report.outcome

    def fails(
        self, file: Path | SourceFile | None, stage: str | None = None, **more: Any
    ) -> Failure:
        """Execute one stage (or all, for the last report's outcome), which must fail."""
        report = self.order(file, None if stage is None else [stage], **more)[-1]
        assert isinstance(report.outcome, Failure), report.outcome
        assert "\n" not in report.outcome.message
        assert "Traceback" not in report.outcome.message
        return report.outcome

    def bytes_of(self, rendition: Rendition) -> bytes:
        path = self.folder / "artifacts" / rendition.digest[:2] / rendition.digest[2:]
        return path.read_bytes()

    def members(self, lines: Iterable[Mapping[str, Any]]) -> str:
        path = self.folder / "members.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return str(path)


def member(ordinal: int, name: str, outcomes: Mapping[str, Success], **more: Any) -> dict[str, Any]:
    """A line of a members file."""
    return {
        "subject": f"1.{ordinal}",
        "ordinal": ordinal,
        "name": name,
        "state": "processing",
        "reason": "",
        "role": "",
        "columns": {},
        "facts": {stage: dict(outcome.facts) for stage, outcome in outcomes.items()},
        "renditions": {
            stage: [
                [one.name, one.digest, one.bytes, one.format, one.width, one.height]
                for one in outcome.renditions
            ]
            for stage, outcome in outcomes.items()
            if outcome.renditions
        },
        "missing": {},
        **more,
    }


def is_root() -> bool:
    return os.geteuid() == 0
