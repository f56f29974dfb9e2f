"""The leaves that were written down when a checkpoint was made, event by event.

A root says that something was changed; these say where. They are believed as far as the root over
them is one that was signed. One line an event: the digest of its content, and its parents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from imagelane.model.audit import Leaf
from imagelane.model.merkle import Frontier

_LINE = re.compile(r"([0-9a-f]{64}) ((?:[0-9]+(?:,[0-9]+)*)?)\n")


@dataclass(slots=True)
class Sealed:
    """Entry n - 1 of each list is of event n."""

    contents: list[str] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    _frontier: Frontier = field(default_factory=Frontier)
    _roots: dict[int, bytes] = field(default_factory=dict)

    def add(self, leaf: Leaf) -> None:
        self.contents.append(leaf.content)
        self.hashes.append(leaf.hash())

    def root(self, size: int) -> bytes | None:
        """The root over the first so many leaves; None if there are fewer. Quick where it was asked
        for before, or sizes rise."""
        if size not in self._roots and size <= len(self.hashes):
            if size < self._frontier.size:
                self._frontier = Frontier()
            for leaf in self.hashes[self._frontier.size : size]:
                self._frontier.append(leaf)
            self._roots[size] = self._frontier.root()
        return self._roots.get(size)

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
