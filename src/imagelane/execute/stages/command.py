"""A program is run for the picture: what was a shell script becomes a stage."""

from __future__ import annotations

import json
import os
import selectors
import shlex
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypedDict

from imagelane.execute import answer
from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.errors import (
    BugError,
    DeadlineError,
    InvalidError,
    TransientError,
    writing_to,
)
from imagelane.execute.text import clean
from imagelane.model.ids import StageName
from imagelane.model.outcome import Rendition
from imagelane.model.template import parse

_MOST_OUTPUT = 4 * 1024 * 1024
_MOST_KEPT_OF_ERRORS = 64 * 1024
_LARGEST_FILE = 500_000_000
_TICK = 0.05
_FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT})
"""By an operator, or by the kernel for want of memory. A crash (SIGSEGV …) comes from within."""
_OF_THE_SHELL = {126: "what it started may not be executed", 127: "what it started is not there"}


class Parameters(TypedDict):
    run: list[str] | str
    shell: bool
    input: str
    output: str | None
    facts: str
    exit_codes: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Ended:
    code: int
    said: bytes
    complained: bytes


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """Run it in the pipeline's folder, and collect its output file and its facts."""
    with _scratch(attempt) as folder:
        output = folder / parameters["output"] if parameters["output"] else None
        with writing_to(folder, 0):
            arguments = _arguments(parameters, attempt, folder, output)
        ended = _execute(arguments, attempt)
        _judge(parameters["exit_codes"], ended, Path(arguments[0]).name)
        renditions = () if output is None else (_collect(output, attempt),)
        facts = answer.parse(ended.said, "the command") if parameters["facts"] == "json" else {}
    return Result(renditions, facts)


@contextmanager
def _scratch(attempt: Attempt) -> Iterator[Path]:
    folder = attempt.piece.shelf.scratch_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _arguments(
    parameters: Parameters, attempt: Attempt, folder: Path, output: Path | None
) -> list[str]:
    texts = [parameters["run"]] if isinstance(parameters["run"], str) else parameters["run"]
    read = {name for text in texts for name in parse(text).names}
    own: dict[str, str] = {}
    if "source" in read:
        own["source"] = str(_input(parameters["input"], attempt, folder))
    if output is not None:
        own["output"] = str(output)
    if "facts" in read:
        own["facts"] = str(_facts_file(attempt, folder))
    facts = attempt.facts().having(own)
    if parameters["shell"]:
        return ["/bin/sh", "-c", facts.render(texts[0], shlex.quote)]
    arguments = [facts.render(text) for text in texts]
    if any("\0" in argument for argument in arguments):
        raise InvalidError("an argument of the command would have a NUL character in it")
    return arguments


def _input(which: str, attempt: Attempt, folder: Path) -> Path:
    """The source, checked to be what it was; or a copy of a rendition, under a name with an
    ending, so that the program may do with it what it likes."""
    if which == "source":
        return Path(attempt.piece.source.file.path)
    rendition = attempt.largest_of(StageName(which))
    copy = folder / f"input.{rendition.suffix}"
    copy.write_bytes(attempt.piece.shelf.read(rendition))
    return copy


def _facts_file(attempt: Attempt, folder: Path) -> Path:
    order = attempt.piece.order
    known = {
        "name": order.source.name if order.source else "",
        "group": order.group_name,
        "ordinal": order.subject.ordinal,
        "columns": dict(order.source.columns) if order.source else {},
        "facts": attempt.facts().merged(),
    }
    path = folder / "facts.json"
    path.write_text(json.dumps(known), encoding="utf-8")
    return path


def _execute(arguments: list[str], attempt: Attempt) -> _Ended:
    try:
        process = subprocess.Popen(
            arguments,
            cwd=attempt.piece.opening.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise BugError(
            f"there is no program {arguments[0]!r}: install it, or give its path"
        ) from None
    except PermissionError:
        raise BugError(f"{arguments[0]!r} may not be executed: no permission") from None
    except OSError as error:
        if error.errno in {7, 8}:  # E2BIG, ENOEXEC
            raise BugError(f"{arguments[0]!r} cannot be executed: {error.strerror}") from None
        raise
    with process:
        try:
            said, complained = _listen(process, attempt)
            limit = None if attempt.deadline is None else attempt.seconds_left(0)
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise DeadlineError("the command did not end in time and was killed") from None
        finally:
            # Also what it left behind in the background, which may hold its pipes open.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return _Ended(code, said, complained)


@dataclass(slots=True)
class _Tap:
    """What comes out of a pipe; more than ``most`` bytes are read and dropped."""

    stream: IO[bytes]
    most: int
    kept: bytearray = field(default_factory=bytearray)

    def drain(self) -> bool:
        """Take what is there; whether more may come."""
        part = self.stream.read(1 << 16)
        if part:
            self.kept += part[: max(0, self.most - len(self.kept))]
        return part != b""


def _listen(process: subprocess.Popen[bytes], attempt: Attempt) -> tuple[bytes, bytes]:
    """What it prints, until it ends; what it left in the background is not waited for."""
    if process.stdout is None or process.stderr is None:
        raise BugError("the command was started without pipes")
    taps = (_Tap(process.stdout, _MOST_OUTPUT), _Tap(process.stderr, _MOST_KEPT_OF_ERRORS))
    with selectors.DefaultSelector() as selector:
        for tap in taps:
            os.set_blocking(tap.stream.fileno(), False)
            selector.register(tap.stream, selectors.EVENT_READ, tap)
        ended = False
        while selector.get_map():
            if attempt.deadline is not None and time.monotonic() >= attempt.deadline:
                raise DeadlineError("the command did not end in time and was killed")
            ready = selector.select(0 if ended else min(_TICK, attempt.seconds_left(_TICK)))
            for key, _ in ready:
                if not key.data.drain():
                    selector.unregister(key.fileobj)
            if ended and not ready:
                break
            ended = process.poll() is not None
    return bytes(taps[0].kept), bytes(taps[1].kept)


def _judge(meanings: Mapping[str, str], ended: _Ended, program: str) -> None:
    meaning = meanings.get(str(ended.code))
    if meaning == "ok":
        return
    # A shell tells by 128 and more which signal ended what it had started.
    killed_by = -ended.code if ended.code < 0 else ended.code - 128
    if meaning is None and killed_by > 0:
        with suppress(ValueError):
            killed = f"{program} was killed by {signal.Signals(killed_by).name}"
            if killed_by in _FROM_OUTSIDE:
                raise TransientError(killed, _tail(ended.complained))
            raise BugError(killed, _tail(ended.complained))
    lines = ended.complained.decode("utf-8", "replace").strip().splitlines()
    last = clean(lines[-1], 300) if lines else ""
    message = f"{program} ended with exit code {ended.code}" + (f": {last}" if last else "")
    if found := _OF_THE_SHELL.get(ended.code):
        message = f"{message}: {found}"
    kind = {"invalid": InvalidError, "transient": TransientError}.get(meaning or "bug", BugError)
    raise kind(message, _tail(ended.complained))


def _tail(complained: bytes) -> str:
    return complained[-8000:].decode("utf-8", "replace")


def _collect(output: Path, attempt: Attempt) -> Rendition:
    try:
        found = output.lstat()
    except FileNotFoundError:
        raise BugError(
            f"the command did not write {output.name!r}: give it {{output}} as an argument"
        ) from None
    if not stat.S_ISREG(found.st_mode):
        raise BugError(f"what the command wrote as {output.name!r} is no plain file")
    if not 0 < found.st_size <= _LARGEST_FILE:
        raise BugError(
            f"the command wrote {output.name!r} with {found.st_size:,} bytes: expected 1 to "
            f"{_LARGEST_FILE:,}"
        )
    ending = output.suffix.lstrip(".").lower() or "bin"
    format_ = {"jpg": "jpeg", "tif": "tiff", "heif": "heic"}.get(ending, ending)
    return attempt.collect(output.stem, format_, output.read_bytes())
