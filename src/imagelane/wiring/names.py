"""Names of runs."""

from __future__ import annotations

import secrets
import time

from imagelane.model.ids import RunId


def new_run() -> RunId:
    """A name that no other run has, and that sorts by time."""
    return RunId(f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}")
