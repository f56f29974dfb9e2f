"""``python -m benchmarks.audit``: what the audit trail costs, in processor time an event."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.adapters.journals.sqlite.audit import SqliteAuditLog
from imagelane.record.audit.check import verify
from imagelane.record.audit.reading import JournalAccount, Progress
from imagelane.record.audit.seal import seal
from imagelane.testing.audit_runs import PLAN, RUN, record


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imagelane-bench-") as folder:
        path = Path(folder, "journal.db")
        journal = SqliteJournal(path)
        recording = _seconds(lambda: record(journal, asked.events))
        journal.close()
        log = SqliteAuditLog(path)
        keys = _seconds(lambda: log.make_keys(RUN))
        account, start = JournalAccount(log, RUN), Progress.at_the_beginning(PLAN)
        leaves: list[str] = []
        began = time.process_time()
        made = seal(account, start, "bench", [], leaves.append)
        sealing = time.process_time() - began
        verifying = _seconds(lambda: verify(account, start, [made]))
        log.close()
    print(f"{made.size:,} events; microseconds of processor time an event:")
    for name, seconds in (
        ("recording, and making them up", recording),
        ("keys of commitments, once", keys),
        ("leaves, parents and tree, once", sealing),
        ("verifying", verifying),
    ):
        print(f"  {name:<31} {seconds / made.size * 1e6:6.1f}")
    print(f"bytes of leaves an event: {sum(map(len, leaves)) / made.size:.0f}")


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
