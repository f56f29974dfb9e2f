"""Files that hold something of an image: found by their bytes and by what they say, and removed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import apsw

from imagelane.adapters.durable import sync_folder
from imagelane.ports.artifacts import QUARANTINE, object_path

PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Trace:
    """A file that still says something, and what."""

    file: Path
    what: str


def traces(
    folders: Iterable[Path], digests: Collection[str], words: Sequence[str]
) -> Iterator[Trace]:
    """Every regular file below the folders that is one of the files by its bytes, whatever its name
    is, or that has one of the words in it. Reads all of them; links are not followed."""
    sought = [word.encode(errors="surrogateescape") for word in words]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            with suppress(FileNotFoundError):
                yield from _in_file(path, digests, sought)


def _in_file(path: Path, digests: Collection[str], words: Sequence[bytes]) -> Iterator[Trace]:
    whole = hashlib.sha256()
    found: set[bytes] = set()
    overlap = max(map(len, words), default=1) - 1
    before = b""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            whole.update(piece)
            text = before + piece
            found |= {word for word in words if word in text}
            before = text[-overlap:] if overlap else b""
    if whole.hexdigest() in digests:
        yield Trace(path, f"is the file {whole.hexdigest()[:16]}")
    for word in sorted(found):
        yield Trace(path, f"says {word.decode(errors='replace')!r}")


def remove(paths: Iterable[Path]) -> int:
    """Remove files and folders durably; how many files those were."""
    count = 0
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            count += sum(one.is_file() for one in path.rglob("*"))
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
            count += 1
        else:
            continue
        sync_folder(path.parent)
    return count


def stored_as(store: Path, digest: str) -> list[Path]:
    """The files of a store that hold, or held before they were damaged, the bytes of a digest."""
    return [store / object_path(digest), *(store / QUARANTINE).glob(f"{digest}-*")]


def forget_rows(spool: Path, path: str) -> None:
    """Let the spool of a source keep the place of a file and nothing that says which it was."""
    connection = apsw.Connection(str(spool), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.execute("PRAGMA secure_delete = on")
        connection.execute(
            "UPDATE files SET relative = '', path = '', columns = '{}', file_order = x'',"
            " bytes = 0, mtime_ns = 0 WHERE path = ? OR path = ?",
            (path, path.encode(errors="surrogatepass")),
        )
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


def compact(database: Path) -> None:
    """Leave nothing in the free pages of a database that nobody has open."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(10_000)
        connection.execute("VACUUM")
    finally:
        connection.close()
