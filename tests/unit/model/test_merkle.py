"""The tree held against the vectors of the certificate-transparency project, and against the
definition of the RFC, written down once more and with nothing in common."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.model.merkle import (
    EMPTY,
    Frontier,
    ProofError,
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
    leaf_hash,
    root_of,
)

# github.com/transparency-dev/merkle, proof/verify_test.go (Apache-2.0).
LEAVES = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [
    # Leaf (from 1), size, path.
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (3, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        2,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def unhex(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in path]


# RFC 9162, section 2.1, word for word: MTH, PATH and PROOF.


def mth(data: list[bytes]) -> bytes:
    if not data:
        return sha256().digest()
    if len(data) == 1:
        return sha256(b"\0" + data[0]).digest()
    k = power(len(data))
    return sha256(b"\1" + mth(data[:k]) + mth(data[k:])).digest()


def power(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path_of(m: int, data: list[bytes]) -> list[bytes]:
    if len(data) == 1:
        return []
    k = power(len(data))
    if m < k:
        return [*path_of(m, data[:k]), mth(data[k:])]
    return [*path_of(m - k, data[k:]), mth(data[:k])]


def subproof(m: int, data: list[bytes], *, whole: bool) -> list[bytes]:
    if m == len(data):
        return [] if whole else [mth(data)]
    k = power(len(data))
    if m <= k:
        return [*subproof(m, data[:k], whole=whole), mth(data[k:])]
    return [*subproof(m - k, data[k:], whole=False), mth(data[:k])]


def test_roots_are_those_that_were_published() -> None:
    frontier = Frontier()
    assert frontier.root() == EMPTY == sha256(b"").digest()
    for leaf, root in zip(HASHES, ROOTS, strict=True):
        frontier.append(leaf)
        assert frontier.root().hex() == root


@pytest.mark.parametrize(("leaf", "size", "path"), INCLUSION)
def test_proofs_of_inclusion_are_those_that_were_published(
    leaf: int, size: int, path: list[str]
) -> None:
    root = bytes.fromhex(ROOTS[size - 1])
    assert inclusion_path(HASHES[:size], leaf - 1) == unhex(path)
    check_inclusion(HASHES[leaf - 1], leaf - 1, size, unhex(path), root)


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_proofs_of_consistency_are_those_that_were_published(
    old: int, new: int, path: list[str]
) -> None:
    assert consistency_path(HASHES[:new], old) == unhex(path)
    roots = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
    check_consistency(old, new, unhex(path), *roots)


@given(st.lists(st.binary(max_size=8), max_size=70), st.data())
def test_every_tree_is_as_the_rfc_defines_it(data: list[bytes], draw: st.DataObject) -> None:
    hashes = [leaf_hash(one) for one in data]
    root = mth(data)
    assert root_of(hashes) == root
    if not data:
        return
    index = draw.draw(st.integers(0, len(data) - 1))
    path = inclusion_path(hashes, index)
    assert path == path_of(index, data)
    check_inclusion(hashes[index], index, len(data), path, root)
    old = draw.draw(st.integers(1, len(data)))
    proof = consistency_path(hashes, old)
    assert proof == subproof(old, data, whole=True)
    check_consistency(old, len(data), proof, mth(data[:old]), root)


def flipped(node: bytes) -> bytes:
    return bytes([node[0] ^ 8]) + node[1:]


@pytest.mark.parametrize(("leaf", "size", "path"), INCLUSION)
def test_a_damaged_proof_of_inclusion_shows_nothing(leaf: int, size: int, path: list[str]) -> None:
    nodes, root, index = unhex(path), bytes.fromhex(ROOTS[size - 1]), leaf - 1
    other = leaf_hash(b"other")
    damaged = [
        (HASHES[index], index + 1, size, nodes, root),
        (HASHES[index], index ^ 2, size, nodes, root),
        (HASHES[index], index, size * 2, nodes, root),
        (HASHES[index], index, size // 2, nodes, root),
        (HASHES[index], -1, size, nodes, root),
        (other, index, size, nodes, root),
        (HASHES[index], index, size, nodes, other),
        (HASHES[index], index, size, [*nodes, root], root),
        (HASHES[index], index, size, [root, *nodes], root),
        *((HASHES[index], index, size, nodes[:-1], root) for _ in nodes[:1]),
        *(
            (HASHES[index], index, size, [*nodes[:n], flipped(node), *nodes[n + 1 :]], root)
            for n, node in enumerate(nodes)
        ),
    ]
    for one in damaged:
        with pytest.raises(ProofError):
            check_inclusion(*one)


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_a_damaged_proof_of_consistency_shows_nothing(old: int, new: int, path: list[str]) -> None:
    nodes = unhex(path)
    was, now = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
    other = leaf_hash(b"other")
    damaged = [
        (0, new, nodes, was, now),
        (new + 1, new, nodes, was, now),
        (old, new, nodes, other, now),
        (old, new, nodes, was, other),
        (old, new, [*nodes, was], was, now),
        (old, new, [was, *nodes], was, now),
        *((old, new * 2, nodes, was, now) for _ in nodes[:1]),
        *((old + 1, new, nodes, was, now) for _ in nodes[:1]),
        *((old, new, nodes, now, was) for _ in nodes[:1]),
        *((old, new, [], was, now) for _ in nodes[:1]),
        *((old, new, nodes[:-1], was, now) for _ in nodes[:1]),
        *(
            (old, new, [*nodes[:n], flipped(node), *nodes[n + 1 :]], was, now)
            for n, node in enumerate(nodes)
        ),
    ]
    for one in damaged:
        with pytest.raises(ProofError):
            check_consistency(*one)


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(IndexError):
        inclusion_path(HASHES, 8)
    with pytest.raises(IndexError):
        consistency_path(HASHES, 0)
    with pytest.raises(IndexError):
        consistency_path(HASHES, 9)
