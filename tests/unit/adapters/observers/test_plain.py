from __future__ import annotations

import io
import re
from itertools import pairwise

from imagelane.adapters.observers.console import Console
from imagelane.adapters.observers.plain import Plain
from imagelane.model import events as e
from imagelane.model.ids import Subject
from imagelane.model.run import RunState, evolve
from imagelane.model.states import ErrorClass, ImageState, RunStatus
from imagelane.ports.observer import Pulse
from imagelane.report.summary import Whereabouts
from tests.unit.report.made_up import HOSTILE, RUN, Recipe, plan
from tests.unit.report.playing import play

TRUNCATED = ("validate", ErrorClass.INVALID, "the file ends after 81,920 bytes", 1)
WHERE = Whereabouts("public/", "gallery.yaml")


def said(recipe: Recipe) -> list[str]:
    out = io.StringIO()
    play(recipe, Plain(out, WHERE, clock=lambda: 0.0))
    return out.getvalue().splitlines()


def test_a_whole_run_in_lines() -> None:
    recipe = Recipe(
        {"harbour": 12, "market day": 9},
        failing={Subject(2, 4): TRUNCATED},
        rejected=frozenset({Subject(1, 11)}),
    )
    lines = said(recipe)
    assert lines == [
        "news-gallery: 21 images in 2 groups, parallel, run 20261123-225900-k3f9",
        "[0:02] harbour is live, not whole: 12 images: 11 published, 1 rejected",
        "[0:04] market day is live: 9 images: 8 published, 1 skipped",
        "news-gallery finished in 0.0 ms.",
        "  21 images: 19 published, 1 skipped, 1 rejected",
        "  2 groups: 1 published, 1 partial",
        "  2 galleries in public/",
        "",
        "  Not live, or not whole:",
        "    1 rejected: IMG_1011.jpg",
        "      moderate rejected it",
        "    1 skipped: IMG_2004.jpg",
        "      validate: invalid: the file ends after 81,920 bytes",
        "",
        "  imagelane show 1.11           what happened there, step by step",
        "  imagelane report              the whole run as one HTML file",
        "  imagelane status              everything that was left out, and why",
        "  imagelane dead-letters        what failed for good; redrive sends it round again",
    ]


def test_a_run_that_waits_for_memory_says_so() -> None:
    state, physical = RunState(), plan(2)
    out = io.StringIO()
    plain = Plain(out, WHERE, clock=lambda: 0.0)
    plain.opened(physical, RUN, (2, 1))
    plain.pulse(state, Pulse(elapsed=11.0, short_of_memory=True))
    plain.pulse(state, Pulse(elapsed=22.0))
    lines = out.getvalue().splitlines()
    assert lines[-2].endswith("waiting for memory")
    assert "memory" not in lines[-1]


def test_how_far_it_is_comes_every_ten_seconds() -> None:
    lines = said(Recipe({"harbour": 200}))
    far = [line for line in lines if re.match(r"\[\d+:\d\d\] \d+ of 200 images done", line)]
    moments = [int(line[3:5]) for line in far]
    assert moments[0] == 10
    assert all(after - before == 10 for before, after in pairwise(moments))
    assert "left (bottleneck: " in far[0]
    assert "0 of 1 group live" in far[0]


def test_many_groups_do_not_fill_a_log() -> None:
    lines = said(Recipe({f"g{n}": 1 for n in range(150)}, moderation=0.01, workers=8))
    news = [line for line in lines if "live" in line and line.startswith("[")]
    assert len(news) < 20
    counted = [int(number) for number in re.findall(r"(\d+) groups settled", "\n".join(news))]
    assert sum(counted) > 100


def test_a_group_that_does_not_go_live_says_why() -> None:
    recipe = Recipe({"harbour": 4}, failing={Subject(1, 2): TRUNCATED}, policy=ImageState.DEAD)
    lines = said(recipe)
    assert "[0:01] harbour is aborted: 1 of its images failed for good" in lines
    assert "  4 images: 3 skipped, 1 dead" in lines
    assert not [line for line in lines if "public/" in line]


def test_no_escape_codes_and_no_control_characters() -> None:
    recipe = Recipe(
        {f"{HOSTILE}": 3},
        failing={Subject(1, 2): ("validate", ErrorClass.INVALID, HOSTILE, 1)},
        names={Subject(1, 2): HOSTILE},
    )
    out = io.StringIO()
    play(recipe, Plain(out, Whereabouts(HOSTILE, HOSTILE)))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out.getvalue())
    assert "␛[2J[U+202E]" in out.getvalue()


def test_an_empty_run() -> None:
    lines = said(Recipe({}))
    assert "  0 images: nothing was found" in lines
    assert lines[-1] == "  imagelane report              the whole run as one HTML file"


def test_a_paused_run_says_how_to_go_on() -> None:
    out = io.StringIO()
    observer = Plain(out, WHERE)
    observer.opened(plan(), RUN, (3, 1))
    observer.closed(evolve(RunState(), e.RunSettled(RunStatus.PAUSED, "paused by Ctrl-C")))
    assert "news-gallery paused after" in out.getvalue()
    assert "  paused by Ctrl-C" in out.getvalue()
    assert "imagelane run gallery.yaml    carries on from here" in out.getvalue()


def test_what_is_not_a_terminal_gets_lines() -> None:
    out = io.StringIO()
    play(Recipe({"harbour": 2}), Console(out, WHERE))
    assert "\x1b" not in out.getvalue()
    assert "2 images: 2 published" in out.getvalue()
