"""The Merkle tree of RFC 9162 (section 2.1), with SHA-256: roots, and the two kinds of proof.

Leaves are counted from 0 here, as in the RFC. Nothing here knows what a leaf says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""


class ProofError(Exception):
    """A proof does not show what it is meant to show."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf; the prefix tells it from that of a node."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: all that is needed to append, and to tell the root.

    ``subtrees`` are the roots of the full subtrees, largest first: one for each bit of ``size``.
    """

    size: int = 0
    subtrees: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Append a leaf's hash."""
        full = self.size
        while full & 1:
            leaf = node_hash(self.subtrees.pop(), leaf)
            full >>= 1
        self.subtrees.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.subtrees:
            return EMPTY
        root = self.subtrees[-1]
        for subtree in reversed(self.subtrees[:-1]):
            root = node_hash(subtree, root)
        return root

    def copy(self) -> Frontier:
        return Frontier(self.size, list(self.subtrees))


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves' hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that a leaf is in the tree over all leaves: its sibling first, the root's child
    last.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index}: the tree has {len(leaves)}")
    path: list[bytes] = []
    first, last = 0, len(leaves)
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append(root_of(leaves[middle:last]))
            last = middle
        else:
            path.append(root_of(leaves[first:middle]))
            first = middle
    return path[::-1]


def consistency_path(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """The proof that the tree over the first ``size`` leaves is a beginning of that over all.

    Raises:
        IndexError: ``size`` is 0, or larger than the tree.
    """
    if not 0 < size <= len(leaves):
        raise IndexError(f"there is no tree of size {size} in one of {len(leaves)}")
    path: list[bytes] = []
    first, last, whole = 0, len(leaves), True
    while size != last:
        middle = first + _split(last - first)
        if size <= middle:
            path.append(root_of(leaves[middle:last]))
            last = middle
        else:
            path.append(root_of(leaves[first:middle]))
            first, whole = middle, False
    if not whole:
        path.append(root_of(leaves[first:last]))
    return path[::-1]


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that a proof of inclusion leads to (RFC 9162, 2.1.3.2).

    Raises:
        ProofError: the proof has not the length that such a proof has.
    """
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} cannot be in a tree of {size}")
    place, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError("the proof is longer than the tree is high")
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the proof is shorter than the tree is high")
    return root


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """
    Raises:
        ProofError: the leaf is not shown to be at that index of the tree with that root.
    """
    if root_by_inclusion(leaf, index, size, path) != root:
        raise ProofError(f"leaf {index} is not in the tree of {size} with that root")


def check_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """That one tree is a beginning of another (RFC 9162, 2.1.4.2).

    Raises:
        ProofError: it is not shown to be.
    """
    if not 0 < old <= new:
        raise ProofError(f"a tree of {old} cannot be shown to begin one of {new}")
    if old == new:
        if path or old_root != new_root:
            raise ProofError(f"two trees of {old} leaves differ")
        return
    # Where the old tree is one full subtree, its root is not said again.
    nodes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not path:
        raise ProofError("the proof is empty")
    if _climb(old, new, nodes) != (old_root, new_root):
        raise ProofError(f"the tree of {new} does not begin with that of {old}")


def _climb(old: int, new: int, nodes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The two roots that a proof of consistency leads to."""
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    was = now = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise ProofError("the proof is longer than the tree is high")
        if place & 1 or place == last:
            was, now = node_hash(node, was), node_hash(node, now)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            now = node_hash(now, node)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError("the proof is shorter than the tree is high")
    return was, now


def _split(size: int) -> int:
    """The largest power of two below a size of 2 or more."""
    return 1 << (size - 1).bit_length() - 1
