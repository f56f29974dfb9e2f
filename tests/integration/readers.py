"""Visitors of a gallery, as processes of their own: each resolves the pointer once, then reads the
manifest and all files that it names, and says what it saw."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.unit.adapters.child import start

_READING = """
import hashlib, json, sys
from collections import Counter
from pathlib import Path

pointer, times = Path(sys.argv[1]), int(sys.argv[2])
seen, wrong = Counter(), []
print("reading", flush=True)
for _ in range(times):
    try:
        folder = pointer.parent / pointer.readlink()
        manifest = (folder / "manifest.json").read_bytes()
        content = json.loads(manifest)
        named = [content["contact_sheet"]] if "contact_sheet" in content else []
        named += [one for image in content["images"] for one in image["renditions"]]
        for one in named:
            data = (folder / one["file"]).read_bytes()
            if hashlib.sha256(data).hexdigest() != one["digest"]:
                wrong.append(f"{one['file']} is not that of the manifest {folder.name}")
        digest = hashlib.sha256(manifest).hexdigest()
        if not digest.startswith(folder.name):
            wrong.append(f"the manifest in {folder.name} is {digest}")
        seen[digest] += 1
    except OSError as error:
        wrong.append(str(error))
print(json.dumps({"seen": seen, "wrong": wrong[:20], "count": len(wrong)}))
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """``versions`` counts whole looks by the manifest's digest; ``wrong`` says what else was seen,
    ``mixtures`` how often."""

    versions: Counter[str]
    wrong: tuple[str, ...]
    mixtures: int


class Readers:
    """So many visitors who look so many times each, from now on."""

    def __init__(self, pointer: Path, visitors: int, looks: int) -> None:
        self._visitors: Sequence[subprocess.Popen[str]] = [
            start(_READING, pointer, looks) for _ in range(visitors)
        ]
        for visitor in self._visitors:
            assert visitor.stdout is not None
            visitor.stdout.readline()

    def reading(self) -> bool:
        """Whether any of them still looks."""
        return any(visitor.poll() is None for visitor in self._visitors)

    def seen(self) -> Seen:
        """What all of them saw, once they are done."""
        versions: Counter[str] = Counter()
        wrong: list[str] = []
        mixtures = 0
        for visitor in self._visitors:
            said, complaint = visitor.communicate(timeout=600)
            assert visitor.returncode == 0, complaint
            one = json.loads(said)
            versions.update(one["seen"])
            wrong += one["wrong"]
            mixtures += one["count"]
        return Seen(versions, tuple(wrong), mixtures)

    def leave(self) -> None:
        """They are not needed any more."""
        for visitor in self._visitors:
            visitor.kill()
            visitor.wait()
