"""Checks of the picture libraries, in a process of their own: this one never loads them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from imagelane.cli.checks import Finding, missing, ok, warning
from imagelane.report.clean import visible

FORMATS = "Formats"
REQUIRED = frozenset({("read", "jpeg"), ("read", "png"), ("write", "jpeg")})
"""Without these nearly no pipeline makes anything."""
PATIENCE = 120.0
"""Seconds for loading and trying all libraries, on a slow machine."""


def probed() -> Mapping[str, Any] | str:
    """What the libraries really decode and encode; or why that cannot be tried."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "imagelane.workers.probe"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"trying the picture libraries took more than {PATIENCE:.0f} s"
    except OSError as error:
        return f"no process can be started: {error.strerror}"
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"code {done.returncode}"
        return said[-1] if said else f"it ended with {how} and said nothing"
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return "it gave no JSON"
    return found if isinstance(found, dict) else "it gave no JSON object"


def format_checks(found: Mapping[str, Any] | str) -> Iterator[Finding]:
    """Findings from what `probed` gave."""
    if isinstance(found, str):
        yield missing(
            FORMATS, "libraries", f"the picture libraries do not load: {visible(found)}",
            f"{sys.executable} -m pip install --force-reinstall imagelane",
        )  # fmt: skip
        return
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    yield ok(FORMATS, "libraries", versions)
    for way, verb in (("read", "decodes"), ("write", "encodes")):
        good = [name for name, error in found[way].items() if not error]
        if good:
            yield ok(FORMATS, way, f"{verb} {', '.join(good)}")
        for name, error in found[way].items():
            if error:
                yield _broken(way, name, f"{name} is not {verb[:-1]}d: {visible(error)}")
    if error := found["text"]:
        yield warning(
            FORMATS, "text", f"no text can be drawn: {visible(error)}",
            "watermarks and labels with text will fail; logos work",
        )  # fmt: skip
    else:
        yield ok(FORMATS, "text", f"draws text in {found['font']}")
    if error := found["presets"]:
        yield warning(
            FORMATS, "presets", f"JPEG presets save less: {visible(error)}",
            f"{sys.executable} -m pip install --force-reinstall pyvips-binary",
        )  # fmt: skip
    else:
        yield ok(FORMATS, "presets", "encodes JPEG by all presets")
    for extra, works in (("moderation", "moderates offline"), ("dicom", "decodes DICOM files")):
        said = visible(found[extra])
        if said and not said.startswith("not installed"):
            yield warning(
                FORMATS, extra, f"{extra} does not work: {said}",
                f"{sys.executable} -m pip install --force-reinstall 'imagelane[{extra}]'",
            )  # fmt: skip
            continue
        yield ok(FORMATS, extra, f"{extra}, which is optional, is {said}" if said else works)


def _broken(way: str, name: str, said: str) -> Finding:
    if (way, name) in REQUIRED:
        then = f"{sys.executable} -m pip install --force-reinstall pyvips-binary simplejpeg"
        return missing(FORMATS, f"{way} {name}", said, then)
    then = (
        f"photographs in {name} will be left out as invalid"
        if way == "read"
        else f"choose another format than {name} in the pipeline file"
    )
    return warning(FORMATS, f"{way} {name}", said, then)
