"""What a worker is told of its sandbox, and what a system can give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

LAYERS = ("limits", "privileges", "files", "tcp", "signals", "system-calls")
"""From the outside in. What `tcp` and `signals` hold, `system-calls` holds a second time."""

REQUIRED = frozenset({"limits", "privileges", "files", "system-calls"})
"""Without one of these a captured decoder can get out."""


@dataclass(frozen=True, slots=True)
class Containment:
    """What holds a worker. ``memory`` and ``file`` (the size of one) are in bytes, ``seconds`` of
    processor time. ``reads`` are files that its stages name, ``hidden`` those that it must not see
    wherever they lie; ``modules``: it imports its user's own from the pipeline's folder."""

    layers: tuple[str, ...]
    memory: int
    file: int
    seconds: int
    reads: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    modules: bool = False


def examine() -> Mapping[str, str]:
    """Why each of `LAYERS` is not to be had here; an empty text where it is."""
    # Loaded when it is asked for: most processes never need to know.
    from imagelane.execute.sandbox import landlock, limits, privileges, system_calls  # noqa: PLC0415

    asked: Mapping[str, Callable[[], str]] = {
        "limits": limits.lacking,
        "privileges": privileges.lacking,
        "files": partial(landlock.lacking, "files"),
        "tcp": partial(landlock.lacking, "tcp"),
        "signals": partial(landlock.lacking, "signals"),
        "system-calls": system_calls.lacking,
    }
    return {layer: asked[layer]() for layer in LAYERS}
