"""Where checkpoints are kept outside: a file, a service, a program."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from imagelane.adapters.auditing.folder import LEAVES
from imagelane.ports.audit import Anchor, AnchorError

TIMEOUT = 10.0
"""Seconds."""
_COMMAND = "command:"


@dataclass(frozen=True, slots=True)
class FileAnchor:
    """One file, which always holds the newest checkpoint; or a folder, in which each is a file of
    its own. The leaves go beside it."""

    path: Path
    folder: bool

    def keep(self, name: str, note: str, leaves: Path) -> str:
        target = self.path / f"{name}.checkpoint" if self.folder else self.path
        unfinished = target.with_name(f"{target.name}.unfinished")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(leaves, unfinished)
            unfinished.replace(target.with_name(target.name + LEAVES))
            unfinished.write_text(note, encoding="utf-8")
            unfinished.replace(target)
        except OSError as error:
            raise AnchorError(f"the checkpoint cannot be kept as {target}: {error}") from error
        return str(target)


@dataclass(frozen=True, slots=True)
class WebhookAnchor:
    """Posts the note as text. Of the address only the host is ever shown: the rest may be
    secret."""

    url: str
    host: str

    def keep(self, name: str, note: str, leaves: Path) -> str:
        import urllib3  # noqa: PLC0415 - loads when it is needed

        del leaves
        try:
            with urllib3.PoolManager() as pool:
                response = pool.request(
                    "POST",
                    self.url,
                    body=note.encode(),
                    headers={
                        "User-Agent": "imagelane",
                        "Content-Type": "text/plain; charset=utf-8",
                        "X-Imagelane-Checkpoint": name,
                    },
                    redirect=False,
                    retries=False,
                    timeout=urllib3.Timeout(total=TIMEOUT),
                    preload_content=False,
                )
                status = response.status
                response.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            kind = type(error).__name__
            raise AnchorError(f"{self.host} could not be asked to keep it: {kind}") from error
        if not 200 <= status < 300:
            raise AnchorError(f"{self.host} did not keep it: it answered with status {status}")
        return self.host


@dataclass(frozen=True, slots=True)
class CommandAnchor:
    """Runs a program, without a shell, with the note on its standard input."""

    arguments: tuple[str, ...]

    def keep(self, name: str, note: str, leaves: Path) -> str:
        del name, leaves
        program = Path(self.arguments[0]).name
        try:
            done = subprocess.run(
                self.arguments, input=note.encode(), capture_output=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AnchorError(f"{program} could not keep it: {error}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise AnchorError(
                ": ".join([f"{program} did not keep it: exit code {done.returncode}", *said])
            )
        return program


def open_anchor(text: str) -> Anchor:
    """The anchor that is meant: an http or https address, ``command:PROGRAM …``, or a path.

    Raises:
        AnchorError: none can be.
    """
    if text.startswith(("http://", "https://")):
        host = urlsplit(text).hostname
        if not host:
            raise AnchorError("the address of an anchor is no URL")
        return WebhookAnchor(text, host)
    if text.startswith(_COMMAND):
        arguments = tuple(shlex.split(text.removeprefix(_COMMAND)))
        if not arguments:
            raise AnchorError("an anchor names no program: expected command:PROGRAM ARGUMENT …")
        return CommandAnchor(arguments)
    return FileAnchor(Path(text), text.endswith("/") or Path(text).is_dir())
