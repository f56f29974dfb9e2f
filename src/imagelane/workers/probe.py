"""Tries what this installation can do, in a process of its own: JSON on standard output."""

from __future__ import annotations

import json
import sys

from imagelane.execute.capabilities import probe


def main() -> None:
    """Write what `execute.capabilities.probe` found."""
    json.dump(probe(), sys.stdout)


if __name__ == "__main__":
    main()
