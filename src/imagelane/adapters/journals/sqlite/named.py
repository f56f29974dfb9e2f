"""Which artifacts a journal names."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import apsw

from imagelane.adapters.database import named_queries, sql
from imagelane.adapters.journals.sqlite.failures import explained

_QUERIES = named_queries(sql(__package__, "named.sql"))

Named = Callable[[str], frozenset[str]]
"""By the first two hexadecimal digits of digests, those that are named."""


@contextmanager
def named_artifacts(journal: Path) -> Iterator[Named]:
    """What the events of a journal name, at one moment. Kept on disk meanwhile, so that millions
    take no more memory than a hundred.

    Raises:
        JournalError: it cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="imagelane-") as place, explained(journal):
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(str(Path(place, "named.db")), flags=flags)
        try:
            connection.execute("PRAGMA journal_mode = off")
            connection.execute("PRAGMA synchronous = off")
            connection.execute(_QUERIES["schema"])
            uri = f"file:{quote(str(journal.absolute()))}?mode=ro"
            connection.execute("ATTACH ? AS journal", (uri,))
            connection.execute(_QUERIES["gather"])

            def below(prefix: str) -> frozenset[str]:
                first = bytes.fromhex(prefix)
                beyond = first + b"\xff" * 32
                return frozenset(
                    digest for (digest,) in connection.execute(_QUERIES["below"], (first, beyond))
                )

            yield below
        finally:
            connection.close()
