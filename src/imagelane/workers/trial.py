"""Puts the sandbox around itself and tries to get out: JSON on standard output."""

from __future__ import annotations

import json
import sys

from imagelane.execute.sandbox.trial import trial


def main(folder: str) -> None:
    """Write what `execute.sandbox.trial` found; ``folder`` is an empty one."""
    json.dump(trial(folder), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
