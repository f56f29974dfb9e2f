"""Signed notes and checkpoints, as text: c2sp.org/signed-note and c2sp.org/tlog-checkpoint.

Nothing here signs or verifies: what does is handed in, so this is plain text and numbers.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

ED25519 = b"\x01"
"""The signature type of signed notes that are signed with Ed25519."""
MOST_SIGNATURES = 100
"""That are looked at in one note."""

_NAME = re.compile(r"[^\s+]+")
_DASH = "\N{EM DASH} "

Verify = Callable[[bytes, bytes, bytes], bool]
"""Of a public key, a message and a signature: whether it is one."""


class NoteError(Exception):
    """A text is no signed note, no checkpoint or no key; or nobody who is trusted signed it."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that notes are verified with: a name, and the 32 bytes of an Ed25519 public key."""

    name: str
    public: bytes

    @property
    def number(self) -> bytes:
        """The key's id: four bytes that, with its name, tell it from others."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """The usual one-line form: ``name+id+key``."""
        return f"{self.name}+{self.number.hex()}+{_base64(ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """The inverse of ``str``.

        Raises:
            NoteError: it is no such key.
        """
        name, _, rest = text.strip().partition("+")
        number, _, key = rest.partition("+")
        raw = _bytes(key)
        if not _NAME.fullmatch(name) or len(raw) != 33 or raw[:1] != ED25519:
            raise NoteError("expected a public key such as NAME+12ab34cd+ASa…, on one line")
        found = cls(name, raw[1:])
        if found.number.hex() != number:
            raise NoteError(f"the id {number} is not that of the key {name}: it was mistyped")
        return found


@dataclass(frozen=True, slots=True)
class Signature:
    name: str
    number: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {_base64(self.number + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """``text`` ends with a newline."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    @classmethod
    def parse(cls, content: str) -> Note:
        """
        Raises:
            NoteError: it is no signed note.
        """
        if any(character < " " and character != "\n" for character in content):
            raise NoteError("expected a signed note; found control characters")
        text, blank, lines = content.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise NoteError("expected a signed note: text, an empty line, signatures")
        signatures = tuple(map(_signature, lines.splitlines()))
        if len(signatures) > MOST_SIGNATURES:
            raise NoteError(f"expected at most {MOST_SIGNATURES} signatures")
        return cls(text + "\n", signatures)

    def signed_by(self, keys: Iterable[PublicKey], verify: Verify) -> list[PublicKey]:
        """The keys that have signed it; signatures of others are of no consequence.

        Raises:
            NoteError: none of the keys has; or one of their signatures is none.
        """
        known = {(key.name, key.number): key for key in keys}
        found = []
        for one in self.signatures:
            key = known.get((one.name, one.number))
            if key is None:
                continue
            if not verify(key.public, self.text.encode(), one.signature):
                raise NoteError(f"the signature of {one.name} is not one: the text was changed")
            found.append(key)
        if not found:
            said = ", ".join(f"{one.name}+{one.number.hex()}" for one in self.signatures)
            raise NoteError(f"none of the trusted keys has signed it; who did: {said}")
        return found


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log was at a moment: ``size`` events with that ``root``. ``origin`` names the log."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint that a note's text is.

        Raises:
            NoteError: it is none.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise NoteError("expected a checkpoint: origin, size and root on three lines")
        origin, size, root = lines[:3]
        if not re.fullmatch("0|[1-9][0-9]{0,17}", size) or len(_bytes(root)) != 32:
            raise NoteError("expected a checkpoint: its size or its root is none")
        return cls(origin, int(size), _bytes(root))


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    raw = _bytes(encoded)
    if not line.startswith(_DASH) or not _NAME.fullmatch(name) or len(raw) < 5:
        raise NoteError("expected a signature: an em dash, a key's name and base64")
    return Signature(name, raw[:4], raw[4:])


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return b""
