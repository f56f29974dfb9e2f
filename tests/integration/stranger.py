"""The audit trail verified by somebody who has read docs/explanation/audit.md and RFCs, and none of
our code."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import rfc8785


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def tree(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    middle = split(len(leaves))
    return node(tree(leaves[:middle]), tree(leaves[middle:]))


def leaf_of(values: dict[str, Any]) -> bytes:
    """The bytes of a leaf, once what its commitment stands for was held against it."""
    if values["payload"] is not None:
        salted = bytes.fromhex(values["salt"]) + values["payload"].encode()
        assert sha256(salted).hexdigest() == values["content"]["payload"]
    digest = sha256(rfc8785.dumps(values["content"])).hexdigest()
    return rfc8785.dumps(
        {
            "content": digest,
            "index": values["index"],
            "parents": values["parents"],
            "version": 1,
        }
    )


def climbed(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root, from the top of the path down: how a tree of that size must be built."""
    if size == 1:
        assert not path
        return sha256(b"\0" + leaf).digest()
    middle, sibling = split(size), path[-1]
    if index < middle:
        return node(climbed(leaf, index, middle, path[:-1]), sibling)
    return node(sibling, climbed(leaf, index - middle, size - middle, path[:-1]))
