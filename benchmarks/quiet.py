"""How busy the machine is with what is not ours: its speed is shared, and a figure is worth what it
was undisturbed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.say import say

QUIET = 0.05
"""The share of all cores below which the machine is quiet."""
_WINDOW = 1.0


def busy(stat: str) -> float:
    """Seconds of processor time that all cores together have spent since the start, from the text
    of ``/proc/stat``; what the host took for other guests (steal) counts, waiting for disks not."""
    user, nice, system, _, _, interrupts, soft, steal, *_ = map(
        int, stat.split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + interrupts + soft + steal) / os.sysconf("SC_CLK_TCK")


def busy_now() -> float:
    return busy(Path("/proc/stat").read_text(encoding="ascii"))


def cores() -> int:
    """The machine's, not only those that this process may use: others run on all of them."""
    return os.cpu_count() or 1


def others(spent: float, ours: float, wall: float) -> float:
    """The share of the machine that others took in ``wall`` seconds, of which all cores together
    worked ``spent`` and our own processes ``ours``."""
    return max(0.0, spent - ours) / (wall * cores())


def wait_until_quiet(
    patience: float,
    *,
    reading: Callable[[], float] = busy_now,
    sleep: Callable[[float], None] = time.sleep,
) -> float:
    """Wait until others take less than `QUIET` of the machine, at most ``patience`` seconds; gives
    the share that they took in the last second of it."""
    waited = 0.0
    while True:
        before = reading()
        sleep(_WINDOW)
        share = others(reading() - before, 0.0, _WINDOW)
        waited += _WINDOW
        if share < QUIET or waited >= patience:
            if waited > _WINDOW:
                say(f"  waited {waited:.0f} s for a quiet machine; others take {share:.0%} of it")
            return share


def described(shares: Sequence[float]) -> str:
    """A line for the results: how much others took while it was measured."""
    if not shares:
        return "nothing was measured"
    ordered = sorted(shares)
    half, most = ordered[len(ordered) // 2], ordered[-1]
    verdict = "quiet" if most < 2 * QUIET else "disturbed: read the ratios, and measure again"
    taken = f"others took {half:.0%} of the machine while it was measured"
    return f"{taken} (median; at most {most:.0%}): {verdict}"
