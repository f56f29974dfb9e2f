"""How a user who may do little reaches the Python that runs the tests, also where it lies in
somebody's closed home: in a mount namespace of the command's own, in which the closed folder is an
open one with nothing in it but that Python. Nothing on the machine is changed or copied."""

from __future__ import annotations

import pwd
import shlex
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


def as_user(user: str, needed: Sequence[Path]) -> list[str]:
    """What to write before a command, so that a user executes it and reaches the needed folders.
    Only root may."""
    who = pwd.getpwnam(user)
    steps = ["set -eu", "umask 022", "stash=$(mktemp -d)"]
    places = [(path, closed) for path in needed if (closed := _closed(path)) is not None]
    for number, (path, _) in enumerate(places):
        steps.append(f'mkdir "$stash/{number}"; mount --bind {_quoted(path)} "$stash/{number}"')
    steps += [
        f"mount -t tmpfs -o mode=755 tmpfs {_quoted(closed)}"
        for closed in dict.fromkeys(closed for _, closed in places)
    ]
    for number, (path, _) in enumerate(places):
        steps.append(f'mkdir -p {_quoted(path)}; mount --bind "$stash/{number}" {_quoted(path)}')
        steps.append(f'umount "$stash/{number}"; rmdir "$stash/{number}"')
    steps += [
        'rmdir "$stash"',
        f'exec setpriv --reuid {who.pw_uid} --regid {who.pw_gid} --clear-groups -- "$@"',
    ]
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(steps), "sh"]


def of_this_python(*more: Path) -> list[Path]:
    """The folders without which it does not start."""
    prefixes = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]}
    return sorted({path.resolve() for path in (*prefixes, *more)})


def _closed(path: Path) -> Path | None:
    """The first folder on the way that not everybody may pass."""
    return next(_shut(path), None)


def _shut(path: Path) -> Iterator[Path]:
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            yield folder


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
