from __future__ import annotations

import io
import os
import pty
import re
import select
import time
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.adapters.observers.console import Console
from imagelane.adapters.observers.frame import ASCII, Look, Title, frame
from imagelane.adapters.observers.live import EVERY, Drawn
from imagelane.model.ids import Subject
from imagelane.model.states import ErrorClass
from imagelane.report.progress import Progress, Snapshot
from imagelane.report.summary import Whereabouts
from tests.unit.report.made_up import HOSTILE, RUN, Recipe, plan
from tests.unit.report.playing import STEP, moments, play

RECIPE = Recipe(
    {"harbour": 12, f"market {HOSTILE}": 9, "old town": 8, **{f"SKU{n}": 1 for n in range(9)}},
    failing={Subject(2, 4): ("validate", ErrorClass.INVALID, HOSTILE, 1)},
    rejected=frozenset({Subject(1, 11)}),
)
TITLE = Title("news-gallery", "parallel", RUN)


def snapshots() -> list[Snapshot]:
    progress = Progress(plan(), RUN)
    taken = []
    for state, batch, pulse in moments(RECIPE):
        progress.recorded(batch)
        taken.append(progress.snapshot(state, pulse))
    return taken


SNAPSHOTS = snapshots()


@given(st.sampled_from(SNAPSHOTS), st.integers(20, 200), st.integers(4, 60))
def test_a_frame_fits_its_terminal(now: Snapshot, width: int, height: int) -> None:
    lines = frame(TITLE, now, width, height, Look())
    assert len(lines) <= height
    plain = "".join(line.plain for line in lines)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", plain)
    if width >= 79:
        assert max(line.cell_len for line in lines) <= width


@pytest.mark.parametrize("height", [23, 40])
def test_a_frame_says_everything_in_eighty_columns(height: int) -> None:
    now = SNAPSHOTS[len(SNAPSHOTS) // 2]
    text = "\n".join(line.plain for line in frame(TITLE, now, 79, height, Look()))
    for word in ("news-gallery · parallel", "of 38 images", "stage", "queued running", "groups"):
        assert word in text
    for stage in now.stages:
        assert stage.name in text
    assert f"▸ {now.bottleneck}" in text
    counts = re.search(r"images +(\d+) = (.*?)\ngroups", text, re.DOTALL)
    assert counts is not None
    assert int(counts[1]) == sum(int(number) for number in re.findall(r"(\d+) \w", counts[2]))


def test_ascii_terminals_get_ascii() -> None:
    recipe_free = [line.plain for line in frame(TITLE, SNAPSHOTS[5], 79, 16, ASCII)]
    assert "\n".join(recipe_free[:14]).isascii()


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_it_draws_a_few_times_a_second_and_leaves_the_summary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal, ticks = Terminal(), count()
    played = Drawn(terminal, Whereabouts("public/"), clock=lambda: next(ticks) * STEP)
    play(RECIPE, played)
    written = terminal.getvalue()
    frames = written.count("news-gallery\x1b")
    assert 3 <= frames <= len(SNAPSHOTS) * STEP / EVERY + 2
    after = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.rsplit("\x1b[2K", 1)[-1])
    assert "news-gallery finished in" in after
    assert "38 images: 36 published, 1 skipped, 1 rejected" in after
    assert written.count("\x1b[?25h") >= 1
    assert written.rfind("\x1b[?25h") > written.rfind("\x1b[?25l"), "the cursor is back"


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    play(RECIPE, Drawn(terminal, Whereabouts()))
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", terminal.getvalue())


def test_a_real_terminal_that_is_closed_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    reading, writing = pty.openpty()
    with os.fdopen(writing, "w", encoding="utf-8") as terminal:
        observer = Console(terminal)
        observer.opened(plan(), RUN, (38, 12))
        seen = b""
        closed = False
        for number, (state, batch, pulse) in enumerate(moments(RECIPE)):
            observer.recorded(batch)
            observer.pulse(state, pulse)
            while not closed and select.select([reading], [], [], 0)[0]:
                seen += os.read(reading, 65_536)
            if number == 4:
                os.close(reading)
                closed = True
            if number < 4:
                time.sleep(EVERY)
        observer.closed(state)
    assert b"news-gallery" in seen


def test_what_it_waits_for_stands_above_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal, ticks = Terminal(), count()
    drawn = Drawn(terminal, Whereabouts(), clock=lambda: next(ticks) * EVERY)
    drawn.opened(plan(), RUN, (38, 12))
    for state, batch, pulse in [*moments(RECIPE)][:3]:
        drawn.recorded(batch)
        drawn.pulse(state, replace(pulse, waiting=f"no room {HOSTILE}"))
    drawn.closed(state)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert re.search(r"no room [^\x00-\x1f]*\r?\n *news-gallery", shown)
