"""Reading a source file: once, whole, and only if it is what it was said to be."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imagelane.execute.errors import InvalidError, TransientError
from imagelane.model.ids import Digest
from imagelane.model.work import SourceFile

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A source file as it was read: its bytes never change under what follows."""

    file: SourceFile
    data: bytes
    digest: Digest


def open_source(file: SourceFile) -> int:
    """A descriptor from which a source file can be read. It waits for nobody.

    Raises:
        InvalidError: it is not there, not readable, not a plain file, or a link out of its folder.
        TransientError: the disk failed, or too many files are open.
    """
    with _told(file):
        path = _inside_its_folder(file)
        # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
        if kind == stat.S_IFREG:
            return descriptor
        os.close(descriptor)
        raise InvalidError(f"{file.name} is {_KINDS.get(kind, 'no plain file')}, not a file")


def read_source(file: SourceFile, most: int, opened: int | None = None) -> Source:
    """Read a source file of at most ``most`` bytes, from its descriptor where somebody else has
    opened it; who did closes it.

    The bytes are copied into memory, not mapped: a mapped file that shrinks kills the process.

    Raises:
        InvalidError: as `open_source`; or it is too large, or not what it was when it was listed.
        TransientError: the disk failed.
    """
    descriptor = open_source(file) if opened is None else opened
    try:
        with _told(file):
            data = _read(file, descriptor, most)
    finally:
        if opened is None:
            os.close(descriptor)
    digest = Digest(hashlib.sha256(data).hexdigest())
    if file.digest is not None and digest != file.digest:
        raise InvalidError(
            f"{file.name} has changed since it was first read in this run: start a new run for it"
        )
    return Source(file, data, digest)


@contextmanager
def _told(file: SourceFile) -> Iterator[None]:
    """What the system says of a file, as a stage says it."""
    try:
        yield
    except FileNotFoundError:
        raise InvalidError(
            f"{file.name} is gone: it was there when the source was listed"
        ) from None
    except PermissionError:
        raise InvalidError(f"{file.name} cannot be read: no permission") from None
    except ValueError:
        raise InvalidError(f"{file.name!r} is no file name") from None
    except OSError as error:
        if error.errno in {errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO, errno.ELOOP}:
            raise InvalidError(f"{file.name} cannot be read: {error.strerror}") from None
        raise TransientError(f"{file.name} could not be read: {error.strerror}") from error


def _read(file: SourceFile, descriptor: int, most: int) -> bytes:
    before = os.fstat(descriptor)
    if before.st_size > most:
        raise InvalidError(
            f"{file.name} has {before.st_size:,} bytes, more than the {most:,} allowed: "
            "raise max_bytes of the validate stage if it is meant to be that large"
        )
    if file.digest is None and (before.st_size, before.st_mtime_ns) != (file.bytes, file.mtime_ns):
        raise InvalidError(f"{file.name} was changed after it was listed: start a new run")
    data = _all(descriptor, before.st_size)
    after = os.fstat(descriptor)
    if len(data) != before.st_size or (after.st_size, after.st_mtime_ns) != (
        before.st_size,
        before.st_mtime_ns,
    ):
        raise InvalidError(f"{file.name} was changed while it was read: try again when it is whole")
    return data


def _all(descriptor: int, size: int) -> bytes:
    parts: list[bytes] = []
    left = size + 1  # one more than there should be shows that the file has grown
    while left > 0 and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _inside_its_folder(file: SourceFile) -> Path:
    path = Path(file.path)
    if not path.is_symlink():
        return path
    try:
        target = path.resolve(strict=True)
    except RuntimeError:  # Python 3.11 and 3.12 say so of a link that leads to itself
        raise InvalidError(f"{file.name} is a symbolic link that leads to itself") from None
    if not target.is_relative_to(path.parent.resolve()):
        raise InvalidError(
            f"{file.name} is a symbolic link out of its folder: put the file itself there, "
            "or list the folder that holds it"
        )
    return target
