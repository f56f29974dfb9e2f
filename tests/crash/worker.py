"""A worker process that is dealt blows: `python -m tests.crash.worker`, as the real one starts."""

from __future__ import annotations

import sys
from pathlib import Path

from imagelane.workers.local import main
from tests.crash.blows import PLAN, AtRandom

if __name__ == "__main__":
    _, supervisor, _ = sys.argv[1:]
    main(sys.argv[1:], AtRandom(Path(PLAN), int(supervisor)))
