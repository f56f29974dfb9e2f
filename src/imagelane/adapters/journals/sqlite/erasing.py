"""What the record says of an image taken out of a journal's file for good."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import apsw

from imagelane.adapters.database import named_queries, sql
from imagelane.adapters.journals.sqlite import read_model
from imagelane.adapters.journals.sqlite.audit import SqliteAuditLog
from imagelane.adapters.journals.sqlite.failures import explained
from imagelane.adapters.journals.sqlite.file import connect
from imagelane.model import events as e
from imagelane.model.event_form import encode, type_name
from imagelane.model.ids import RunId
from imagelane.ports.audit import Stored
from imagelane.ports.journal import Claimed, StaleFenceError
from imagelane.record.audit.leaf import erased, is_erased


def erase_payloads(path: Path, claimed: Claimed, event: e.ImageErased) -> None:
    """In one transaction: put commitments in the place of all that the events of an image say,
    throw the key of the image away, and record that. The run is the caller's. Tree and proofs stay
    as they were.

    Raises:
        StaleFenceError: another coordinator has taken the run over.
        JournalError: the journal cannot be written; then nothing was erased.
    """
    log = SqliteAuditLog(path)
    try:
        log.make_keys(claimed.run)
        own = [one for one in log.stored(claimed.run) if one.subject == event.subject]
    finally:
        log.close()
    queries = named_queries(sql(__package__, "queries.sql"))
    with explained(path):
        connection = connect(path, create=False)
        try:
            # What takes less room than before must leave nothing of that behind.
            connection.execute("PRAGMA secure_delete = on")
            with connection:
                _erase(connection, queries, claimed, event, own)
            _forget_pages(connection)
        finally:
            connection.close()


def _erase(
    connection: apsw.Connection,
    queries: Mapping[str, str],
    claimed: Claimed,
    event: e.ImageErased,
    own: Sequence[Stored],
) -> None:
    number, fence, last = next(connection.execute(queries["begin_append"], (claimed.run,)))
    if fence != claimed.fence:
        raise StaleFenceError(
            f"another coordinator has taken {claimed.run} over (its fence is {fence}, ours "
            f"{claimed.fence}): nothing was erased"
        )
    connection.executemany(
        queries["erase_payload"],
        [(body, number, one.index) for one in own for body in _bodies(one)],
    )
    connection.execute(queries["drop_key"], (number, *event.subject))
    now = time.time()
    body = json.dumps(encode(event), separators=(",", ":"))
    row = (number, last + 1, now, fence, type_name(event), *event.subject, None, body)
    connection.execute(queries["append_event"], row)
    read_model.apply(connection, queries, number, [(now, event)])
    connection.execute(queries["end_append"], (last + 1, now, number))


def _bodies(stored: Stored) -> Iterator[str]:
    """What is stored of an event in the place of what it says; nothing, where that is done."""
    if is_erased(stored.body) or stored.key is None:
        return
    commitment = erased(stored, stored.key)
    if stored.type == "image_reopened":
        # Without the state that it leaves the counts of the run would not add up any more.
        settled = json.loads(stored.body)["settled"]
        commitment = f'{commitment[:-1]},"settled":{json.dumps(settled)}}}'
    yield commitment


def _forget_pages(connection: apsw.Connection) -> None:
    """Leave nothing of it in pages that are free, nor in the log of pages."""
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def names_of(path: Path, run: RunId, words: Sequence[str]) -> list[int]:
    """The events of a run whose payload has one of the words in it."""
    escaped = [json.dumps(word)[1:-1] for word in words]
    log = SqliteAuditLog(path)
    try:
        return [one.index for one in log.stored(run) if any(word in one.body for word in escaped)]
    finally:
        log.close()
