"""Pseudonyms that follow from a secret: for one key the same, on any machine and in any order."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import date, timedelta
from pathlib import Path

from imagelane.execute.dicom.library import load
from imagelane.execute.errors import InvalidError

LEAST_KEY = 32
_MOST_KEY = 1 << 16
_MOST_DAYS, _LEAST_DAYS = 3_650, 365


class Pseudonyms:
    """What stands for UIDs, patients and dates, by a key of at least `LEAST_KEY` bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def uid(self, uid: str) -> str:
        """Another UID (PS3.5, B.2: 2.25 and a UUID as a number); one of the standard stays."""
        if not uid or is_standard(uid):
            return uid
        return f"2.25.{uuid.UUID(bytes=self._made('uid', uid)[:16], version=4).int}"

    def patient(self, issuer: str, number: str) -> str:
        """What stands for a patient's number and name; 16 characters."""
        return f"P-{self._made('patient', issuer, number).hex()[:14].upper()}"

    def moved(self, issuer: str, number: str, day: date) -> date:
        """A date of a patient, one to ten years back; by as many days for all of that patient."""
        drawn = int.from_bytes(self._made("days", issuer, number)[:8], "big")
        return day - timedelta(days=_LEAST_DAYS + drawn % (_MOST_DAYS - _LEAST_DAYS))

    def key_id(self) -> str:
        """Tells keys apart, and nothing of them."""
        return self._made("key").hex()[:12]

    def _made(self, *texts: str) -> bytes:
        # The lengths keep ("a", "bc") and ("ab", "c") apart.
        message = b"".join(
            len(raw).to_bytes(4, "big") + raw
            for raw in (text.encode("utf-8", "surrogatepass") for text in texts)
        )
        return hmac.new(self._key, message, hashlib.sha256).digest()


def is_standard(uid: str) -> bool:
    """Whether the standard itself names it: a class, a transfer syntax, a well-known frame."""
    return uid in load("uid").UID_dictionary


def read_key(path: Path, named: str) -> bytes:
    """The secret in a file; line breaks at its end do not count. ``named`` is how the pipeline
    calls it.

    Raises:
        InvalidError: there is no such file, or it is no key.
    """
    try:
        with path.open("rb") as file:
            key = file.read(_MOST_KEY).rstrip(b"\r\n")
    except OSError as error:
        raise InvalidError(f"the key {named} cannot be read: {error.strerror}") from None
    if len(key) < LEAST_KEY:
        raise InvalidError(
            f"the key {named} has {len(key)} bytes: expected at least {LEAST_KEY}, e.g. from "
            f"openssl rand -hex 32 > {named}"
        )
    return key
