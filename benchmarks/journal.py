"""Times as the journal has them: of the machine's monotonic clock, read by the workers."""

from __future__ import annotations

from pathlib import Path

import apsw

_SPAN = """
SELECT max(json_extract(body, '$.finished')) - min(json_extract(body, '$.started'))
FROM events
WHERE type = 'task_succeeded' AND run = (SELECT max(id) FROM runs)
"""


def makespan(workspace: Path) -> float:
    """Seconds from the begin of the newest run's first task to the end of its last."""
    path = workspace / "journal.db"
    with apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY) as journal:
        span = journal.execute(_SPAN).get
    if not isinstance(span, float):
        raise SystemExit(f"{path} holds no finished task: the run did nothing")
    return span
