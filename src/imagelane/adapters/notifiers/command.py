"""Alerts handed to a program."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from imagelane.adapters.notifiers.body import as_json
from imagelane.model.alert import Alert
from imagelane.ports.notifier import NotifierError

TIMEOUT = 10.0
"""Seconds; then it is killed, with all that it started."""


class Command:
    """Runs a program for each alert, with the alert as JSON on its standard input.

    Its arguments are those of the pipeline file and no others, and there is no shell, so nothing
    that an image or a service said is ever part of a command.
    """

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self._arguments = list(arguments)
        self._folder = folder

    def deliver(self, alert: Alert) -> None:
        program = Path(self._arguments[0]).name
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as given:
            given.write(as_json(alert) + b"\n")
            given.seek(0)
            try:
                process = subprocess.Popen(
                    self._arguments,
                    cwd=self._folder,
                    stdin=given,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    start_new_session=True,
                )
            except OSError as error:
                raise NotifierError(f"{program} cannot be started: {error.strerror}") from error
            try:
                code = process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                raise NotifierError(f"{program} did not end within {TIMEOUT:g} s") from None
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if code:
                said.seek(0)
                last = said.read(64 * 1024).decode("utf-8", "replace").strip().splitlines()[-1:]
                raise NotifierError(": ".join([f"{program} ended with exit code {code}", *last]))
