"""The keys of a workspace: one that signs, and all that ever did.

A private key is one line in a file that only its owner may read, in the form that Go's
``sumdb/note`` uses. When a key is replaced, a note signed by both says so: whoever trusts the old
one can follow to the new.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imagelane.adapters.auditing import ed25519
from imagelane.adapters.durable import sync_folder, write_synced
from imagelane.model.note import ED25519, Note, NoteError, PublicKey, Signature
from imagelane.ports.audit import SigningError

_SUCCESSION = "imagelane key succession"
_PRIVATE = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class SigningKey:
    public: PublicKey
    seed: bytes

    def sign(self, text: str) -> Signature:
        """A signature of a note's text."""
        signature = ed25519.sign(self.seed, text.encode())
        return Signature(self.public.name, self.public.number, signature)

    def line(self) -> str:
        """The private key as it is kept."""
        encoded = base64.b64encode(ED25519 + self.seed).decode()
        return f"{_PRIVATE}{self.public.name}+{self.public.number.hex()}+{encoded}\n"


def new_key(name: str) -> SigningKey:
    """A key that nobody has had before.

    Raises:
        SigningError: the name cannot be one, or signatures cannot be made here.
    """
    seed = ed25519.new_seed()
    key = SigningKey(PublicKey(name, ed25519.public_of(seed)), seed)
    try:
        PublicKey.parse(str(key.public))
    except NoteError:
        raise SigningError(
            f"{name!r} is no name for a key: expected one word without '+', such as "
            "example.com/imagelane"
        ) from None
    return key


def read_key(path: Path) -> SigningKey:
    """The private key in a file.

    Raises:
        SigningError: it cannot be read, is none, or others may read it.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
        loose = path.stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError) as error:
        raise SigningError(f"the key {path} cannot be read: {error}") from error
    if loose:
        raise SigningError(f"others may read the key {path}: chmod 600 {path}")
    name, number, encoded = [*text.removeprefix(_PRIVATE).split("+", 2), "", ""][:3]
    with suppress(ValueError):
        raw = base64.b64decode(encoded, validate=True)
        if text.startswith(_PRIVATE) and len(raw) == 33 and raw[:1] == ED25519:
            key = SigningKey(PublicKey(name, ed25519.public_of(raw[1:])), raw[1:])
            if key.public.number.hex() == number:
                return key
    raise SigningError(
        f"{path} holds no private key: expected {_PRIVATE}NAME+… on one line, as "
        "`imagelane audit key new` writes it"
    )


class Keys:
    """The keys in a folder: ``private``, ``<id>.pub`` and ``<id>.succession``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def private(self) -> Path:
        return self._folder / "private"

    def public(self) -> list[PublicKey]:
        """All that ever signed here.

        Raises:
            SigningError: one of them cannot be read.
        """
        try:
            return [
                PublicKey.parse(path.read_text(encoding="utf-8"))
                for path in sorted(self._folder.glob("*.pub"))
            ]
        except (OSError, UnicodeDecodeError, NoteError) as error:
            raise SigningError(f"a public key in {self._folder} cannot be read: {error}") from error

    def successions(self) -> list[str]:
        """The notes that say that one key took the place of another."""
        return [
            path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(self._folder.glob("*.succession"))
        ]

    def keep(self, key: SigningKey, private: Path | None = None) -> None:
        """Begin to sign with a key: the first one, or one that takes the place of ``private``.

        Raises:
            SigningError: there is one already, or it cannot be written.
        """
        target = private or self.private
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_synced(target, key.line().encode(), 0o600)
            sync_folder(target.parent)
            self._publish(key.public)
        except FileExistsError:
            raise SigningError(
                f"there is a key already: {target}; `imagelane audit key rotate` replaces it"
            ) from None
        except OSError as error:
            raise SigningError(f"the key cannot be written: {error}") from error

    def replace(self, old: SigningKey, new: SigningKey, private: Path) -> None:
        """Sign with another key from now on. Of the old one only the public half is left.

        Raises:
            SigningError: it cannot be written.
        """
        text = f"{_SUCCESSION}\n{old.public}\n{new.public}\n"
        note = Note(text, (old.sign(text), new.sign(text)))
        succession = self._folder / f"{new.public.number.hex()}.succession"
        fresh = private.with_name(f"{private.name}.new")
        try:
            fresh.unlink(missing_ok=True)
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_synced(fresh, new.line().encode(), 0o600)
            for key in (old.public, new.public):
                self._publish(key)
            write_synced(succession, str(note).encode(), 0o644)
            sync_folder(self._folder)
            fresh.replace(private)
            sync_folder(private.parent)
        except OSError as error:
            raise SigningError(f"the key cannot be replaced: {error}") from error

    def _publish(self, key: PublicKey) -> None:
        target = self._folder / f"{key.number.hex()}.pub"
        with suppress(FileExistsError):
            write_synced(target, f"{key}\n".encode(), 0o644)
        sync_folder(self._folder)


def followed(trusted: Iterable[PublicKey], successions: Iterable[str]) -> list[PublicKey]:
    """The trusted keys, and those that took their place one after the other."""
    found = list(trusted)
    notes = [read for text in successions if (read := _succession(text)) is not None]
    progress = True
    while progress:
        progress = False
        for note, old, new in notes:
            if old not in found or new in found:
                continue
            with suppress(NoteError):
                if set(note.signed_by((old, new), ed25519.verify)) == {old, new}:
                    found.append(new)
                    progress = True
    return found


def _succession(text: str) -> tuple[Note, PublicKey, PublicKey] | None:
    try:
        note = Note.parse(text)
        title, old, new = note.text.splitlines()
        if title != _SUCCESSION:
            return None
        return note, PublicKey.parse(old), PublicKey.parse(new)
    except (NoteError, ValueError):
        return None


def name_here() -> str:
    """What a key is called that nobody gave a name: by this machine."""
    return f"{os.uname().nodename.replace('+', '-') or 'localhost'}/imagelane"
