"""One event shown to be in a log, to somebody who has nothing but a public key.

The form is c2sp.org/tlog-proof. What the leaf stands for goes with it as its extra data: the proof
holds it against the leaf, so nothing of it need be believed.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from imagelane.model.audit import Content, Leaf
from imagelane.model.merkle import ProofError, check_inclusion, inclusion_path
from imagelane.model.note import Checkpoint, Note, NoteError
from imagelane.ports.audit import Stored
from imagelane.record.audit.leaf import commitment, is_erased, salt_of
from imagelane.record.audit.reading import Account, Progress

TITLE = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a commitment stands for: a payload as it is stored, and its salt."""

    payload: str
    salt: bytes

    @classmethod
    def of(cls, stored: Stored) -> Opening | None:
        """None where it was erased, or has never been committed to."""
        if stored.key is None or is_erased(stored.body):
            return None
        return cls(stored.body, salt_of(stored.key, stored.body))

    def opens(self, content: Content) -> bool:
        return commitment(self.salt, self.payload) == content.payload


@dataclass(frozen=True, slots=True)
class Proof:
    """``opening`` is None where what the event says is withheld, or was erased."""

    leaf: Leaf
    content: Content
    path: tuple[bytes, ...]
    note: str
    opening: Opening | None = None

    def __str__(self) -> str:
        extra = {"content": self.content.as_json(), "parents": list(self.leaf.parents)}
        if self.opening is not None:
            extra |= {"payload": self.opening.payload, "salt": self.opening.salt.hex()}
        said = base64.b64encode(json.dumps(extra, sort_keys=True).encode()).decode()
        lines = [TITLE, f"extra {said}", f"index {self.leaf.index - 1}"]
        lines += [base64.b64encode(node).decode() for node in self.path]
        return "\n".join(lines) + f"\n\n{self.note}"

    @classmethod
    def parse(cls, text: str) -> Proof:
        """The inverse of ``str``. That a text is one says nothing of whether it proves anything.

        Raises:
            ProofError: it is none, or of an event that is not ours.
        """
        head, blank, note = text.partition("\n\n")
        try:
            title, extra, index, *path = head.split("\n")
            if title != TITLE or not blank:
                raise ProofError(f"expected a proof: its first line is {TITLE}")
            values = json.loads(_decoded(extra.removeprefix("extra ")))
            content = Content.from_json(values["content"])
            place = int(index.removeprefix("index ")) + 1
            leaf = Leaf(content.digest(), place, tuple(map(int, values["parents"])))
            opening = None
            if "payload" in values:
                opening = Opening(str(values["payload"]), bytes.fromhex(values["salt"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ProofError(f"the proof is damaged: {error}") from error
        return cls(leaf, content, tuple(map(_decoded, path)), note, opening)

    def check(self, signed: Callable[[Note], object]) -> Checkpoint:
        """The checkpoint that the event is shown to be in.

        ``signed`` raises for a note that nobody who is trusted signed.

        Raises:
            ProofError, NoteError: nothing is shown.
        """
        note = Note.parse(self.note)
        signed(note)
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin.rpartition("/")[2] != self.content.run:
            raise NoteError(
                f"the checkpoint is of {checkpoint.origin}, the event of run {self.content.run}"
            )
        check_inclusion(
            self.leaf.hash(), self.leaf.index - 1, checkpoint.size, self.path, checkpoint.root
        )
        if self.opening is not None and not self.opening.opens(self.content):
            raise ProofError("what the event is said to say is not what it said")
        return checkpoint


def prove(
    account: Account,
    start: Progress,
    index: int,
    checkpoint: Checkpoint,
    note: str,
    opening: Opening | None,
) -> Proof:
    """The proof that an event is in a checkpoint.

    Raises:
        ProofError: the log is not what the checkpoint signed, or it does not reach that far.
    """
    hashes: list[bytes] = []
    found: tuple[Leaf, Content] | None = None
    for entry in account.entries(start.copy()):
        hashes.append(entry.hash)
        if entry.leaf.index == index:
            found = entry.leaf, entry.content
        if len(hashes) == checkpoint.size:
            break
    if found is None:
        raise ProofError(f"event {index:,} is not among the {checkpoint.size:,} that were signed")
    leaf, content = found
    path = tuple(inclusion_path(hashes, index - 1))
    check_inclusion(leaf.hash(), index - 1, checkpoint.size, path, checkpoint.root)
    return Proof(leaf, content, path, note, opening)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ProofError("the proof is damaged: it holds what is no base64") from error
