from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from imagelane.model.ids import Subject
from imagelane.model.states import ErrorClass, ImageState
from imagelane.report.html import CONTENT_POLICY, render
from imagelane.report.pictures import Picture, Pictures
from imagelane.report.read import Limits, read_run
from tests.unit.report.made_up import HOSTILE, RUN, Recipe, record

URL = "data:image/jpeg;base64,QUJD"
LOADING = {"src", "srcset", "href", "xlink:href", "poster", "data", "action", "manifest"} | {
    "background",
    "formaction",
}
VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """What a browser would make of it: elements, their attributes, and the text between them."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.inside: Counter[tuple[str, str]] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == [], "elements that are never closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.inside[self.open[-1] if self.open else "", tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, one, value in self.attributes if one == name]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


HOSTILE_RECIPE = Recipe(
    {f"{HOSTILE} group": 6, "quiet": 3},
    failing={
        Subject(1, 2): ("validate", ErrorClass.INVALID, HOSTILE, 1),
        Subject(1, 3): ("watermark", ErrorClass.BUG, f"{HOSTILE}</style></title><script>", 1),
    },
    names={Subject(1, 1): HOSTILE, Subject(1, 4): "</details><base href=//evil.example>"},
    rejected=frozenset({Subject(1, 5)}),
)


@pytest.fixture
def page(tmp_path: Path) -> Page:
    journal, row = record(HOSTILE_RECIPE, tmp_path)
    shown = Pictures({(1, 1): Picture(URL, 480, 320)}, {1: Picture(URL, 900, 600)})
    return Page(
        render(read_run(journal, row), shown, plan=HOSTILE, target=HOSTILE, version=HOSTILE)
    )


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    for tag, name, value in page.attributes:
        if name in LOADING:
            assert value.startswith("#") or value in {URL, "data:,"}, f"<{tag} {name}={value}>"
        assert "url(" not in value
    assert "@import" not in page.words
    assert "url(" not in page.words
    assert page.tags["base"] == page.tags["iframe"] == page.tags["object"] == 0


def test_nothing_runs(page: Page) -> None:
    assert page.tags["script"] == 0
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert CONTENT_POLICY in page.values("content")
    assert "default-src 'none'" in CONTENT_POLICY
    assert "script-src" not in CONTENT_POLICY


def test_hostile_text_is_text(page: Page) -> None:
    # Only the two pictures that were handed in are images.
    assert page.values("src") == [URL, URL]
    assert page.inside["head", "title"] == 1
    assert page.inside["rect", "title"] == page.tags["title"] - 1
    shown = "<img src=x onerror=alert(1)>␛[2J[U+202E]gpj.␀\"'&{{7*7}}"
    assert shown in page.words
    assert shown in page.values("alt")
    assert "</details><base href=//evil.example>" in page.words


def test_no_control_character_is_in_the_file(tmp_path: Path) -> None:
    journal, row = record(HOSTILE_RECIPE, tmp_path)
    source = render(read_run(journal, row), plan=HOSTILE)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source)
    source.encode()


def test_it_says_what_became_of_the_images(page: Page) -> None:
    assert "6 of 9 images are live in 2 galleries." in page.words
    for sentence in ("together 9 received", "moderate rejected it", "Where the time went"):
        assert sentence in page.words


def test_headings_tables_and_names_serve_who_cannot_see_it(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert set(page.values("aria-labelledby")) <= set(ids)
    links = [value[1:] for value in page.values("href") if value.startswith("#")]
    assert set(links) <= set(ids)
    assert page.tags["h1"] == 1
    images = [name for tag, name, _ in page.attributes if tag == "img"]
    assert images.count("alt") == page.tags["img"]
    assert page.values("lang") == ["en"]
    assert page.tags["caption"] >= 3
    assert page.tags["details"] == page.tags["summary"]
    assert page.values("tabindex").count("0") >= page.values("class").count("scroll") > 0


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe({}),
        Recipe({"empty": 0}),
        Recipe({"one": 1}),
        Recipe(
            {"lost": 5},
            failing={
                Subject(1, n): ("validate", ErrorClass.INVALID, "broken", 1) for n in range(1, 6)
            },
        ),
        Recipe(
            {"dead": 4, "well": 2},
            failing={Subject(1, 1): ("validate", ErrorClass.TIMEOUT, "too slow", 3)},
            policy=ImageState.DEAD,
        ),
        Recipe({"paused": 12}, pause_after=1.0),
        Recipe({"going on": 12}, finish=False),
    ],
    ids=lambda recipe: next(iter(recipe.groups), "nothing"),
)
def test_every_kind_of_run_can_be_shown(recipe: Recipe, tmp_path: Path) -> None:
    journal, row = record(recipe, tmp_path)
    page = Page(render(read_run(journal, row)))
    assert RUN in page.words
    assert page.tags["h2"] >= 2


def test_five_thousand_images_make_a_file_that_a_phone_can_open(tmp_path: Path) -> None:
    journal, row = record(Recipe({f"g{n}": 250 for n in range(20)}), tmp_path)
    source = render(read_run(journal, row, Limits(pictures=0)))
    page = Page(source)
    assert len(source) < 1_500_000
    assert page.tags["details"] <= 260
    assert "Every 25th of 5,000 images" in page.words
    assert "All 5,000 images are live in 20 galleries." in page.words


def test_groups_that_are_not_listed_are_counted(tmp_path: Path) -> None:
    journal, row = record(Recipe({f"g{n}": 1 for n in range(30)}), tmp_path)
    page = Page(render(read_run(journal, row, Limits(groups=10))))
    assert "and 20 groups that this report does not list" in page.words


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, as WCAG 2.2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_charts_have_enough_contrast(scheme: int) -> None:
    style = files("imagelane.report").joinpath("templates/style.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", blocks[scheme]))
    for ground in ("paper", "raised"):
        for text in ("ink", "soft", "accent", "bad"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for mark in ("good", "warn", "wait", "odd", "live"):
            assert contrast(colours[mark], colours[ground]) >= 3, (mark, ground)
