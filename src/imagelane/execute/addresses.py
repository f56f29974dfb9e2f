"""Which addresses a URL made of data may lead to: those of the public internet."""

from __future__ import annotations

import ipaddress
import socket
from typing import TypeAlias

from imagelane.execute.errors import InvalidError, TransientError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_HOSTS_OWN = ipaddress.ip_address("168.63.129.16")
"""Public by its number, and yet the host's own on Azure, where it gives away credentials."""


def public_address(host: str, port: int) -> str:
    """An address of a host, after all that it has were found to be public.

    The caller must connect to this address, not to the name: what a name means may change between
    the look and the connection.

    Raises:
        InvalidError: there is no such host, or one of its addresses is private, loopback,
            link-local or otherwise not of the public internet.
        TransientError: the name could not be looked up just now.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise TransientError(f"the host {host!r} could not be looked up: {error}") from error
        raise InvalidError(f"there is no host {host!r}: {error.strerror}") from error
    except (UnicodeError, OSError) as error:
        raise InvalidError(f"{host!r} is no host: {error}") from error
    addresses = [str(entry[4][0]) for entry in found]
    for text in addresses:
        if not is_public(text):
            raise InvalidError(
                f"the host {host!r} leads to {text}, which is not on the public internet: write "
                "the address out in the pipeline file, or say private: true, if that is meant"
            )
    return addresses[0]


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet, also where it wraps an IPv4 address."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
        elif address.is_site_local:
            return False
    if address == _HOSTS_OWN:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
