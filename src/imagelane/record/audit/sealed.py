"""The leaves that were written down when a checkpoint was made, event by event.

A root says that something was changed; these say where. They are believed as far as the root over
them is one that was signed. One line an event: the digest of its content, and its parents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from imagelane.model.audit import Leaf

_LINE = re.compile(r"([0-9a-f]{64}) ((?:[0-9]+(?:,[0-9]+)*)?)\n")


@dataclass(slots=True)
class Sealed:
    """Entry n - 1 of each list is of event n."""

    contents: list[str] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)

    def add(self, leaf: Leaf) -> None:
        self.contents.append(leaf.content)
        self.hashes.append(leaf.hash())

    @classmethod
    def read(cls, lines: Iterable[str]) -> Sealed:
        """What stands before the first line that is none: a file that was damaged, or that a power
        cut left unfinished, is good for what precedes that."""
        found = cls()
        for index, line in enumerate(lines, 1):
            match = _LINE.fullmatch(line)
            if match is None:
                break
            parents = tuple(map(int, match[2].split(","))) if match[2] else ()
            found.add(Leaf(match[1], index, parents))
        return found


def line(leaf: Leaf) -> str:
    """The line of an event, which `Sealed.read` reads."""
    return f"{leaf.content} {','.join(map(str, leaf.parents))}\n"
