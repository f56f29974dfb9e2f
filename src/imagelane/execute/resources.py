"""What the machine had too little of, told from what libraries say when they fail.

Out of memory in the middle of a decode says nothing about the picture. It passes, so such a failure
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


def lacking_in(complaint: str) -> str | None:
    """What a library lacked, by its complaint; None if it complains of something else."""
    text = complaint.casefold()
    return next((LACKING[number] for said, number in _SAID if said in text), None)
