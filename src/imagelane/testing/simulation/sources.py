"""Made-up sources."""

from __future__ import annotations

from collections.abc import Sequence

from imagelane.ports.source import SourceItem


def items_of(
    groups: Sequence[int], *, primary: bool = False, primary_at: int = 1, role: str = ""
) -> list[SourceItem]:
    """A source with groups of these sizes.

    With ``primary``, the image at that ordinal of each group (its last, if it has fewer) is its
    primary and comes first. The first alternate of each group has the ``role``.
    """
    items: list[SourceItem] = []
    for number, size in enumerate(groups, 1):
        first = min(primary_at, size) if primary else 1
        ordinals = [first, *(one for one in range(1, size + 1) if one != first)]
        for place, ordinal in enumerate(ordinals):
            items.append(
                SourceItem(
                    sequence=len(items),
                    group=number,
                    ordinal=ordinal,
                    group_name=f"group-{number}",
                    group_size=size,
                    name=f"{ordinal}.jpg",
                    path=f"/photos/{number}/{ordinal}.jpg",
                    bytes=1,
                    mtime_ns=0,
                    last=place == size - 1,
                    role="primary" if primary and place == 0 else role if place == 1 else "",
                )
            )
    return items
