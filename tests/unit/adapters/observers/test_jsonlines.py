from __future__ import annotations

import io
import json

from imagelane.adapters.observers.jsonlines import JsonLines
from imagelane.model.event_form import decode
from imagelane.model.ids import Subject
from imagelane.model.states import ErrorClass
from tests.unit.report.made_up import HOSTILE, RUN, MadeUp, Recipe
from tests.unit.report.playing import play

RECIPE = Recipe(
    {f"harbour {HOSTILE}": 4},
    failing={Subject(1, 2): ("validate", ErrorClass.INVALID, HOSTILE, 1)},
    names={Subject(1, 1): f"{HOSTILE}\udce9.jpg"},
)


def test_every_event_is_a_line_from_which_it_can_be_read_back() -> None:
    out = io.StringIO()
    play(RECIPE, JsonLines(out))
    first, *middle, last = map(json.loads, out.getvalue().splitlines())
    assert (first["type"], first["run"], first["images"]) == ("opened", RUN, 4)
    assert last == {
        "type": "closed",
        "run": RUN,
        "status": "finished",
        "reason": "",
        "received": 4,
        "images": {"published": 3, "skipped": 1},
        "groups": {"published": 1},
    }
    read_back = [
        decode(line.pop("type"), Subject.parse(line.pop("subject")), line.pop("stage", None), line)
        for line in middle
    ]
    assert read_back == [event for _, event in MadeUp(RECIPE).events()]


def test_all_of_it_is_ascii_without_control_characters() -> None:
    out = io.StringIO()
    play(RECIPE, JsonLines(out))
    assert out.getvalue().isascii()
    assert not set(map(chr, range(32))) - {"\n"} & set(out.getvalue())
