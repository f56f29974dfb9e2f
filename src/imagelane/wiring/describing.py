"""Looking at users' functions, in a process of its own: the coordinator runs nobody's code."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, cast

from imagelane.model.codec import from_json
from imagelane.model.spec import Described

PATIENCE = 60.0
"""Seconds that a look at one function may take: its module is imported for it."""

_CHUNK = 1 << 16


class Describe(Protocol):
    """What a plan must know of ``module:function``; what is wrong with it stands in ``errors``."""

    def __call__(self, uses: str, parameters: Mapping[str, Any], folder: Path) -> Described: ...


@contextmanager
def describing() -> Iterator[Describe]:
    """A look at as many functions as there are, by one process, started for the first of them."""
    with tempfile.TemporaryFile() as words:
        looker = _Looker(words)
        try:
            yield looker
        finally:
            looker.end()


class _Looker:
    """One that ends while it looks, or takes too long, is followed by another."""

    def __init__(self, words: IO[bytes]) -> None:
        self._words = words
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None

    def __call__(self, uses: str, parameters: Mapping[str, Any], folder: Path) -> Described:
        question = {"uses": uses, "parameters": dict(parameters), "folder": str(folder)}
        try:
            answer = self._ask(json.dumps(question).encode(), folder)
            if answer is None:
                self.end()
                slow = f"took more than {PATIENCE:g} s: does its module work when it is imported?"
                return Described(errors=(("", f"looking at {uses} {slow}"),))
            return from_json(Described, json.loads(answer))
        except (OSError, ValueError):
            self.end()
            return Described(errors=(("", f"{uses} cannot be looked at: {self._last_words()}"),))

    def end(self) -> None:
        """Let go of the process."""
        process, self._process = self._process, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        process.kill()
        process.wait()
        process.stdout.close()
        process.stdin.close()

    def _ask(self, question: bytes, folder: Path) -> bytes | None:
        """The line that answers; None if it did not come in time.

        Raises:
            OSError: there is nobody who answers.
        """
        asks, answers = self._started(folder)
        asks.write(question + b"\n")
        asks.flush()
        ends = time.monotonic() + PATIENCE
        answer = bytearray()
        with selectors.DefaultSelector() as waits:
            waits.register(answers, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if not waits.select(max(0.0, ends - time.monotonic())):
                    return None
                said = os.read(answers.fileno(), _CHUNK)
                if not said:
                    raise BrokenPipeError("it ended without an answer")
                answer += said
        return bytes(answer)

    def _started(self, folder: Path) -> tuple[IO[bytes], IO[bytes]]:
        """Where it is asked, and where it answers."""
        if self._process is None or self._folder != folder:
            self._start(folder)
        process = cast("subprocess.Popen[bytes]", self._process)
        return cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)

    def _start(self, folder: Path) -> None:
        self.end()
        self._words.seek(0)
        self._words.truncate()
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "imagelane.workers.describe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            cwd=folder,
        )

    def _last_words(self) -> str:
        self._words.seek(0)
        said = self._words.read().decode(errors="replace").strip().splitlines()
        return said[-1] if said else "it ended without a word"
