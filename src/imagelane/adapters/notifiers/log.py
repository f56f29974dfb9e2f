"""Alerts as lines of a file."""

from __future__ import annotations

import os
from pathlib import Path

from imagelane.adapters.notifiers.body import as_json
from imagelane.model.alert import Alert
from imagelane.ports.notifier import NotifierError


class Log:
    """Appends each alert as a line of JSON, in one write, so that several runs may share a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def deliver(self, alert: Alert) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab", buffering=0) as file:
                file.write(as_json(alert) + b"\n")
                os.fsync(file.fileno())
        except OSError as error:
            raise NotifierError(f"{self._path} cannot be written: {error.strerror}") from error
