"""An alert as JSON and as text: what every way out of the house says."""

from __future__ import annotations

import json
import time

from imagelane.model.alert import Alert


def as_json(alert: Alert) -> bytes:
    """One line. Every character beyond ASCII is escaped, so nothing in it is obeyed by a terminal
    that shows it, and none ends the line."""
    body = {
        "pipeline": alert.pipeline,
        "run": alert.run,
        "alert": alert.number,
        "kind": alert.cause,
        "subject": alert.about,
        "stage": alert.stage,
        "message": alert.message,
        "next": alert.next_command,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(alert.at)),
    }
    return json.dumps(body, separators=(",", ":")).encode()


def as_text(alert: Alert) -> str:
    """For people."""
    where = f"Run {alert.run}, alert {alert.number}"
    verbs = f"VERB is one of {', '.join(alert.verbs)}\n\n" if alert.verbs else ""
    return f"{alert.message}\n\nNext: {alert.next_command}\n\n{verbs}{where}\n"
