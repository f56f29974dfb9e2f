"""What the machine had too little of, told from what libraries say when they fail.

A full disk in the middle of a stage says nothing about the picture. It passes, so such a failure
must not end as `invalid`, which is never tried again.
"""

from __future__ import annotations

import errno
import re

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
    ("no space left on device", errno.ENOSPC),
    ("too many open files", errno.EMFILE),
    ("input/output error", errno.EIO),
    ("resource temporarily unavailable", errno.EAGAIN),
    ("error creating thread", errno.EAGAIN),
)
"""As libvips passes on what the C library and the codecs below it say, in lower case."""

OUT_OF_MEMORY = (
    "out of memory: this took more than its worker may have; give the run fewer workers, "
    "or the machine more memory"
)

# libheif and libtiff say nearly the same of a file that asks for more than their own limits allow,
# or for nothing at all, and that is the file's own fault.
_NO_MEMORY = re.compile(
    r"out of memory(?! reading of)|cannot allocate|insufficient memory|bad_alloc"
    r"|failed to map|failed to allocate(?!.*elements of)"
    r"|memory allocation(?!.*(security limit|invalid image size|beyond))",
    re.IGNORECASE | re.DOTALL,
)


def lacking_in(complaint: str) -> str | None:
    """What a library lacked beside memory, by its complaint; None if it complains of something
    else."""
    text = complaint.casefold()
    return next((LACKING[number] for said, number in _SAID if said in text), None)


def says_out_of_memory(complaint: str) -> bool:
    """Whether a decoder, or the dynamic linker, says that the machine gave it no more memory."""
    return _NO_MEMORY.search(complaint) is not None
