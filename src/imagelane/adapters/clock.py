"""The machine's own clock."""

from __future__ import annotations

import time


class SystemClock:
    """Time as the system tells it. Its monotonic clock is the one that workers read, too."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()
