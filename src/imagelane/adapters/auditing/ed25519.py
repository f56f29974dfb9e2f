"""Ed25519 signatures (RFC 8032), by the package `cryptography` of the extra `audit`."""

from __future__ import annotations

import secrets
from typing import Any

from imagelane.ports.audit import SigningError


def new_seed() -> bytes:
    """The 32 bytes that are a private key."""
    return secrets.token_bytes(32)


def public_of(seed: bytes) -> bytes:
    """The 32 bytes of the public key.

    Raises:
        SigningError: the package is not there.
    """
    private = _module().Ed25519PrivateKey.from_private_bytes(seed)
    return bytes(private.public_key().public_bytes_raw())


def sign(seed: bytes, message: bytes) -> bytes:
    """
    Raises:
        SigningError: the package is not there.
    """
    return bytes(_module().Ed25519PrivateKey.from_private_bytes(seed).sign(message))


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether it is the key's signature of the message.

    Raises:
        SigningError: the package is not there.
    """
    module = _module()
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - loads when it is needed

    try:
        module.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _module() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415
    except ImportError:
        raise SigningError(
            "signatures need a package that is not installed: pip install 'imagelane[audit]'"
        ) from None
    return ed25519
