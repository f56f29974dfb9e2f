from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts
from imagelane.model.ids import StageName
from imagelane.model.outcome import Failure, Rendition
from imagelane.model.replay import Comparison, Likeness, Step
from imagelane.model.states import ErrorClass
from imagelane.report.ink import Ink
from imagelane.report.replaying import fact_lines, outcome_of, step_lines, verdict
from imagelane.report.strip import render
from tests.unit.report.made_up import HOSTILE

PLAIN = Ink(colour=False)


def step(number: int, likeness: Likeness, **fields: object) -> Step:
    name = StageName(f"stage{number}")
    return Step(number, name, "own:stage", {"by": 1}, likeness, **fields)  # type: ignore[arg-type]


def hostile(store: FilesystemArtifacts) -> Step:
    data = b"no picture at all"
    made = Rendition(HOSTILE, store.put(data), len(data), "jpeg", 4, 3)
    return Step(
        1,
        StageName(HOSTILE),
        HOSTILE,
        {HOSTILE: HOSTILE},
        Likeness.DIFFERS,
        reason=HOSTILE,
        comparison=Comparison((HOSTILE,)),
        seconds=1.0,
        renditions=(made,),
        facts={HOSTILE: [HOSTILE]},
        failure=Failure(ErrorClass.BUG, HOSTILE, HOSTILE),
        before=made,
    )


def test_it_says_what_was_compared() -> None:
    same = step(1, Likeness.SAME, comparison=Comparison(digests=3, facts=1), seconds=0.5)
    assert outcome_of(same) == "as recorded: 3 digests, 1 fact"
    kept = step(2, Likeness.KEPT, reason="it may act on the world outside")
    (line,) = verdict([same, kept], (), 2)
    assert (
        line == "Everything is as recorded: 1 of 2 stages executed, 3 digests and 1 fact compared."
    )


def test_a_picture_that_nobody_kept_is_not_called_the_same() -> None:
    unseen = step(1, Likeness.SAME, comparison=Comparison(unseen=True))
    assert outcome_of(unseen).startswith("done; its picture was not kept")


def test_only_the_first_difference_is_blamed() -> None:
    first = step(1, Likeness.DIFFERS, comparison=Comparison(("x is 1, recorded 2",)))
    later = step(2, Likeness.DIFFERS, first=StageName("stage1"))
    assert outcome_of(first) == "DIFFERS"
    assert outcome_of(later) == "differs, and follows stage1, which does"
    assert list(verdict([first, later], ("it was edited",), 2)) == [
        "It first differs at stage1.",
        "it was edited",
    ]
    assert "      x is 1, recorded 2" in list(step_lines(first, 8, PLAIN))


def test_hostile_texts_are_shown_as_texts(tmp_path: Path) -> None:
    one = hostile(FilesystemArtifacts(tmp_path))
    lines = [*step_lines(one, 20, PLAIN), *fact_lines(one, PLAIN)]
    assert len(lines) == 7
    for line in lines:
        assert line.isprintable(), line


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_escapes_what_it_shows(tmp_path: Path) -> None:
    store = FilesystemArtifacts(tmp_path)
    page = render(HOSTILE, HOSTILE, [hostile(store)], [HOSTILE], store)
    tags = Tags(page)
    assert not [1 for tag, _ in tags.found if tag in {"script", "iframe", "object"}]
    pictures = [values for tag, values in tags.found if tag == "img"]
    assert len(pictures) == 2
    assert all((one["src"] or "").startswith("data:image/jpeg;base64,") for one in pictures)
    assert not [1 for _, values in tags.found if any(name.startswith("on") for name in values)]
    assert "\x1b" not in page
    assert "\u202e" not in page
