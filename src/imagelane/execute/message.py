"""What a worker is told once, when it is opened, before orders come.

`adapters/pools` build it from a plan; `encode` and `decode` of the wire stand below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagelane.model.ids import StageName
from imagelane.model.spec import Extent, Place
from imagelane.model.states import Scope

VERSION = 1


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One stage as a worker needs to know it.

    ``picture`` names the stage whose picture it takes (None: the source's). ``materialise``: its
    own picture is needed by another segment, so it is stored as a rendition called ``picture``.
    ``needs`` are its direct needs: where one of the same order failed, it is not tried.
    """

    name: StageName
    uses: str
    scope: Scope
    place: Place
    parameters: Mapping[str, Any]
    picture: StageName | None
    reads_picture: bool
    materialise: bool
    timeout: float | None
    needs: tuple[StageName, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """``artifacts`` and ``scratch`` are absolute folders on one file system; ``folder`` is the
    pipeline's own, where user modules and relative paths are found."""

    stages: Mapping[StageName, PlannedStage]
    decode: tuple[Extent, ...]
    artifacts: str
    scratch: str
    folder: str
    version: int = VERSION
