"""Keys of tasks: a digest of all that an outcome depends on.

The same key, the same outcome: what is recorded for a key need not be executed again. A key holds
the stage's version and parameters, the versions of the libraries, the source's digest, the pictures
and files that it takes, and the facts that it reads. It holds no name, number or time that the
stage does not see, so a file that was renamed or touched keeps its keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from imagelane.model.codec import to_json
from imagelane.model.ids import StageName
from imagelane.model.outcome import Rendition
from imagelane.model.plan import LogicalPlan, LogicalStage
from imagelane.model.spec import Place, Reads, StageSpec
from imagelane.model.states import Scope
from imagelane.model.template import PRIMARY
from imagelane.model.work import Order

VERSION = 1
"""Of what goes into a key; another one forgets everything that was recorded."""

_IRRELEVANT = frozenset({"python"})
"""Of the versions, those that change no byte of an outcome."""
_OPEN = frozenset({"command", "http"})
"""Kinds that may see every fact, and the names of the image."""


def reusable(spec: StageSpec) -> bool:
    """Whether a stage's outcome may be taken from the record: as declared, or else where it reaches
    no more than its own image. What `store` brings along, publishing verifies, and brings again."""
    if spec.traits.place is Place.COORDINATOR:
        return False
    if spec.reuse is not None:
        return spec.reuse
    own = spec.traits.place is Place.PROCESS and spec.traits.contained
    return own or spec.uses == "store"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a subject when a stage begins: what the stages before it found and made, and
    the digest of its source file, or of the list of its members."""

    facts: Mapping[StageName, Mapping[str, Any]]
    files: Mapping[StageName, tuple[Rendition, ...]]
    source: str


class Keys:
    """Keys of the tasks of one plan.

    ``versions`` are those of the program and its libraries, ``files`` gives by stage the digests of
    the files that its parameters name.
    """

    def __init__(
        self,
        plan: LogicalPlan,
        versions: Mapping[str, str],
        files: Mapping[StageName, Mapping[str, str]],
    ) -> None:
        self._stages = {stage.name: stage for stage in plan.stages}
        limits = [one.spec.parameters for one in plan.stages if one.spec.uses == "validate"][:1]
        common = {
            "version": VERSION,
            "versions": {name: one for name, one in versions.items() if name not in _IRRELEVANT},
            "resampler": plan.resampler.value,
        }
        # What all decodes of the plan share: the shrink and the limits.
        decode = {"decode": to_json(plan.decode), "limits": limits}
        self._fixed = {
            stage.name: _digest(
                common
                | declared(stage.spec)
                | {"files": dict(files.get(stage.name, {}))}
                | (decode if _sees_pictures(stage.spec) else {})
            )
            for stage in plan.stages
        }

    @property
    def fixed(self) -> Mapping[StageName, str]:
        """By stage, the digest of what of a key is the same for all subjects."""
        return self._fixed

    def of(self, name: StageName, order: Order, known: Known) -> str:
        """The key of one stage of an order."""
        stage = self._stages[name]
        spec = stage.spec
        parts: dict[str, Any] = {"stage": self._fixed[name]}
        if spec.scope is Scope.IMAGE:
            if spec.traits.reads is Reads.PICTURE and stage.picture is not None:
                parts["picture"] = self.of(stage.picture, order, known)
            elif spec.traits.reads in {Reads.PICTURE, Reads.SOURCE}:
                parts["source"] = known.source
            if spec.traits.reads is Reads.RENDITIONS or spec.uses in _OPEN:
                parts["made"] = _made(stage, known)
        else:
            parts["members"] = known.source
            parts["group"] = order.group_name
        if ":" in spec.uses or spec.uses in _OPEN:
            parts["facts"] = {one: known.facts[one] for one in _before(stage, known.facts)}
            if spec.traits.reads is not Reads.PICTURE:
                parts["names"] = _names(order)
        if spec.reads_facts:
            parts["reads"] = {
                one: _fact(one, stage, order, known) for one in sorted(spec.reads_facts)
            }
        return _digest(parts)


def _sees_pictures(spec: StageSpec) -> bool:
    return spec.traits.reads is Reads.PICTURE or spec.traits.makes_picture


def declared(spec: StageSpec) -> dict[str, Any]:
    """What of a stage's declaration its outcome depends on."""
    return {
        "uses": spec.uses,
        "implementation": spec.traits.version,
        "with": spec.parameters,
        "scope": spec.scope.value,
    }


def members_digest(lines: Iterable[Mapping[str, Any]], stage: LogicalStage) -> str:
    """A digest of the list of members that a group stage is told of. A function of one's own may
    read all of it; a built-in sees the files of stages that it needs, names and states."""
    digest = hashlib.sha256()
    for line in lines:
        seen = line
        if ":" not in stage.spec.uses:
            files = {
                name: rows for name, rows in line["renditions"].items() if name in stage.ancestors
            }
            seen = {
                "name": line["name"],
                "state": line["state"],
                "group": line.get("group_name", ""),
                "files": files,
            }
        digest.update(_canonical(seen))
        digest.update(b"\n")
    return digest.hexdigest()


def _made(stage: LogicalStage, known: Known) -> dict[str, Any]:
    return {
        name: [
            [one.name, one.digest, one.format, one.width, one.height]
            for one in known.files[name]
            if one.format != "raw"
        ]
        for name in _before(stage, known.files)
    }


def _before(stage: LogicalStage, known: Mapping[StageName, Any]) -> list[StageName]:
    return [name for name in sorted(stage.ancestors) if known.get(name)]


def _fact(name: str, stage: LogicalStage, order: Order, known: Known) -> Any:
    """A fact as the stage's templates see it, or more than that: what could stand in for it."""
    if name.startswith(PRIMARY):
        name = name.removeprefix(PRIMARY)
        if not order.is_primary:
            return order.primary.get(name)
    owner, _, own = name.partition(".")
    found = {
        one: known.facts[one].get(name, known.facts[one].get(own) if one == owner else None)
        for one in _before(stage, known.facts)
    }
    found = {one: value for one, value in found.items() if value is not None}
    return found or _names(order).get(name)


def _names(order: Order) -> dict[str, Any]:
    source = order.source
    if source is None:
        return {"group": order.group_name}
    return {
        **source.columns,
        "group": order.group_name,
        "ordinal": order.subject.ordinal,
        "name": source.name,
        "stem": PurePath(source.name).stem,
        "path": source.path,
    }


def _digest(parts: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(parts)).hexdigest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict).encode()
