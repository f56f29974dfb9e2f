from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imagelane.adapters.auditing import ed25519
from imagelane.model.note import Checkpoint, Note, NoteError, PublicKey, Signature

# The signer of golang.org/x/mod/sumdb/note, note_test.go (BSD-3-Clause): its key, text, signature.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb"
    "6KE6RyyBwJnAM=\n"
)

SEED = bytes(range(32))
KEY = PublicKey("example.com/log", ed25519.public_of(SEED))
ROOT = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
TEXT = "example.com/log/run\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def signed(text: str = TEXT, key: PublicKey = KEY, seed: bytes = SEED) -> Note:
    return Note(text, (Signature(key.name, key.number, ed25519.sign(seed, text.encode())),))


def test_reads_and_verifies_what_go_has_signed() -> None:
    key = PublicKey.parse(GO_KEY)
    assert str(key) == GO_KEY
    note = Note.parse(GO_NOTE)
    assert str(note) == GO_NOTE
    assert note.signed_by([key], ed25519.verify) == [key]


def test_a_note_goes_round() -> None:
    note = signed()
    again = Note.parse(str(note))
    assert again == note
    assert again.signed_by([KEY], ed25519.verify) == [KEY]
    assert Checkpoint.parse(again.text) == Checkpoint("example.com/log/run", 20852163, ROOT)
    assert str(Checkpoint.parse(again.text)) == TEXT


def test_signatures_are_those_of_rfc_8032() -> None:
    # RFC 8032, 7.1, test 2.
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    expected = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert ed25519.sign(seed, b"\x72").hex() == expected
    assert ed25519.public_of(seed) == (
        Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    )


def test_a_changed_text_is_not_signed() -> None:
    note = Note.parse(str(signed()).replace("20852163", "20852164"))
    with pytest.raises(NoteError, match="the text was changed"):
        note.signed_by([KEY], ed25519.verify)


def test_strangers_signatures_are_of_no_consequence() -> None:
    stranger = PublicKey("example.com/log", ed25519.public_of(bytes(32)))
    note = signed()
    both = Note(note.text, (*signed(key=stranger, seed=bytes(32)).signatures, *note.signatures))
    assert both.signed_by([KEY], ed25519.verify) == [KEY]
    with pytest.raises(NoteError, match=r"none of the trusted keys"):
        note.signed_by([stranger], ed25519.verify)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nnot a signature\n",
        "text\n\n— name !!!!\n",
        "text\r\n\n— name AAAAAAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n— name AAAAAAAA",
    ],
)
def test_what_is_no_note_is_refused(content: str) -> None:
    with pytest.raises(NoteError):
        Note.parse(content)


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\n",
        "origin\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "origin\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "origin\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError, match="expected a checkpoint"):
        Checkpoint.parse(text)


@pytest.mark.parametrize("text", ["", "name", "a+b+c", str(KEY)[:-4], "x" + str(KEY)])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        PublicKey.parse(text)
