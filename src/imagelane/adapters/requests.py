"""Requests as files in the run's folder: one a request, gone when it is done."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from imagelane.adapters.durable import sync_folder, write_synced
from imagelane.model.codec import from_json, to_json
from imagelane.model.decision import Request
from imagelane.model.ids import RunId
from imagelane.ports.requests import Ticket

_MODE = 0o644


class FolderRequests:
    """``folder_of`` gives the folder of a run. Any number of processes may post."""

    def __init__(self, folder_of: Callable[[RunId], Path]) -> None:
        self._folder_of = folder_of

    def post(self, run: RunId, request: Request) -> Ticket:
        folder = self._folder(run)
        folder.mkdir(parents=True, exist_ok=True)
        ticket = Ticket(f"{time.time_ns():020d}-{secrets.token_hex(4)}")
        unfinished = folder / f".{ticket}"
        write_synced(unfinished, json.dumps(to_json(request)).encode(), _MODE)
        unfinished.rename(folder / f"{ticket}.json")
        sync_folder(folder)
        return ticket

    def waiting(self, run: RunId) -> list[tuple[Ticket, Request]]:
        return list(self._read(self._folder(run)))

    def done(self, run: RunId, ticket: Ticket) -> bool:
        try:
            (self._folder(run) / f"{ticket}.json").unlink()
        except FileNotFoundError:
            return False
        return True

    def _read(self, folder: Path) -> Iterator[tuple[Ticket, Request]]:
        try:
            names = sorted(path for path in folder.iterdir() if path.suffix == ".json")
        except FileNotFoundError:
            return
        for path in names:
            try:
                request = from_json(Request, json.loads(path.read_bytes()))
            except FileNotFoundError:
                # Whoever posted it took it back.
                continue
            yield Ticket(path.stem), request

    def _folder(self, run: RunId) -> Path:
        return self._folder_of(run) / "requests"
