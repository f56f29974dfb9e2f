"""A run without some guarantees: ``python -m benchmarks.without PIPELINE [GUARANTEE...]``."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.without import switches
from imagelane import wiring
from imagelane.model.policy import Sandbox

_WORKERS = {
    (False, False): "imagelane.workers.local",
    (True, False): "benchmarks.without.worker_unread",
    (False, True): "benchmarks.without.worker_unsynced",
    (True, True): "benchmarks.without.worker_unsafe",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.without", description=__doc__)
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("guarantees", nargs="*", choices=[*switches.GUARANTEES, []])
    asked = parser.parse_args()
    without = set(asked.guarantees)
    if "read-back" in without:
        switches.leave_out_read_back()
    if "fsync" in without:
        switches.leave_out_fsync()
    if "journal" in without:
        switches.leave_out_journal()
    elif "syncs-of-the-journal" in without:
        switches.leave_out_syncs()
    spec = wiring.load(asked.pipeline)
    options = spec.options
    if "sandbox" in without:
        options = replace(options, sandbox=Sandbox.OFF)
    worker = _WORKERS["read-back" in without, "fsync" in without]
    with wiring.session(spec, options, worker=worker) as (engine, number):
        result = wiring.result(engine.execute(), number, wiring.workspace_of(spec).root)
    if not result.whole:
        sys.exit(f"the run ended as {result.status}: {result.reason or dict(result.images)}")


if __name__ == "__main__":
    main()
