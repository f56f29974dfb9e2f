"""What the machine had too little of, told from what libraries say when they fail.

A full disk in the middle of a stage says nothing about the picture. It passes, so such a failure
must not end as `invalid`, which is never tried again.
"""

from __future__ import annotations

import errno

LACKING = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EIO: "the disk reports an input/output error",
    errno.ESTALE: "a file on the network has gone stale",
    errno.EBUSY: "the file or the device is busy",
    errno.ETXTBSY: "the program is being written",
    errno.EMFILE: "too many open files in this process",
    errno.ENFILE: "too many open files on this machine",
    errno.ENOMEM: "out of memory",
    errno.ENOBUFS: "the system has no more buffers to give just now",
    errno.EAGAIN: "the system has no more processes or memory to give just now",
    errno.EINTR: "the call was interrupted",
    errno.ENETDOWN: "the network is down",
    errno.ENETUNREACH: "the network cannot be reached",
    errno.EHOSTDOWN: "the other machine is down",
    errno.EHOSTUNREACH: "the other machine cannot be reached",
}
"""Errors of the system that may pass, each in words."""

_SAID = (
    ("out of memory", errno.ENOMEM),
    ("memory allocation", errno.ENOMEM),
    ("cannot allocate memory", errno.ENOMEM),
    ("unable to allocate", errno.ENOMEM),
    ("unable to malloc", errno.ENOMEM),
    ("no space left on device", errno.ENOSPC),
    ("too many open files", errno.EMFILE),
    ("input/output error", errno.EIO),
    ("resource temporarily unavailable", errno.EAGAIN),
    ("error creating thread", errno.EAGAIN),
)
"""As libvips passes on what the C library and the codecs below it say, in lower case."""


_ENOUGH = 64 << 20
"""Bytes. Where these are left, it was not the machine that had too little memory."""


def lacking_in(complaint: str) -> str | None:
    """What a library lacked, by its complaint; None if it complains of something else.

    A damaged file often claims to be so large that its decoder finds no memory for it. So where
    memory is what is complained of, it is tried whether there is any.
    """
    text = complaint.casefold()
    number = next((number for said, number in _SAID if said in text), None)
    if number is None or (number == errno.ENOMEM and not memory_is_short()):
        return None
    return LACKING[number]


def memory_is_short() -> bool:
    """Whether this process can get no more memory to speak of."""
    try:
        bytearray(_ENOUGH)
    except MemoryError:
        return True
    return False
