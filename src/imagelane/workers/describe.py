"""Looks at a user's function in a process of its own, so that no user code runs in the coordinator.

Reads ``{"uses", "parameters", "folder"}`` as JSON on standard input and writes what it found, as
`model.codec` writes it, on standard output. What the user's module prints goes to
standard error.
"""

from __future__ import annotations

import json
import os
import sys

from imagelane.execute.describe import describe
from imagelane.model.codec import to_json


def main() -> None:
    """Answer one question.

    Raises:
        ValueError: what came is no question.
    """
    answer = os.dup(1)
    # A module may print from C as well, so the descriptor itself is turned away.
    os.dup2(2, 1)
    question = json.load(sys.stdin)
    found = describe(question["uses"], question["parameters"], question["folder"])
    with os.fdopen(answer, "w", encoding="utf-8") as out:
        json.dump(to_json(found), out)


if __name__ == "__main__":
    main()
