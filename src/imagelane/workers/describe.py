"""Looks at users' functions in a process of its own, so that no user code runs in the coordinator.

For each line ``{"uses", "parameters", "folder"}`` of JSON on standard input it writes a line on
standard output: what it found, as `model.codec` writes it. What the user's modules print goes to
standard error.
"""

from __future__ import annotations

import json
import os

from imagelane.execute.describe import describe
from imagelane.model.codec import to_json


def main() -> None:
    """Answer questions until there are no more.

    Raises:
        ValueError: what came is no question.
    """
    answers = os.dup(1)
    # A module may print from C as well, so the descriptor itself is turned away; nor may it take
    # the questions that are to come.
    questions = os.dup(0)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    with os.fdopen(questions, encoding="utf-8") as lines, os.fdopen(answers, "wb") as out:
        for line in lines:
            question = json.loads(line)
            found = describe(question["uses"], question["parameters"], question["folder"])
            out.write(json.dumps(to_json(found)).encode() + b"\n")
            out.flush()


if __name__ == "__main__":
    main()
