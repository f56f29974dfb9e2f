"""Equal content, names that differ by case or Unicode form alone, equal groups, groups of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagelane.model.states import ImageState
from tests.hostile.conftest import Ended, RunOver
from tests.images.files import coded, photo

NAMES = (
    "one/only.jpg",
    "deep/one/only.jpg",
    "Case/boat.jpg",
    "case/boat.jpg",
    "case/Boat.jpg",
    "case/boat.png.jpg",
    "forms/caf\u00e9.jpg",
    "forms/cafe\u0301.jpg",
    "signs/=cmd|' calc'!A0.jpg",
    "signs/<img src=x onerror=alert(1)>.jpg",
    "signs/\u202egpj.exe.jpg",
    "signs/\x1b[2J.jpg",
    "signs/line\nbreak.jpg",
    "long/" + "x" * 240 + ".jpg",
)


@pytest.fixture(scope="module")
def ended(run_over: RunOver) -> Ended:
    picture = coded(photo(64, 48), "jpeg")
    return run_over(dict.fromkeys(NAMES, picture))


def galleries(ended: Ended) -> list[Path]:
    return sorted(path for path in (ended.folder / "public").iterdir() if path.is_symlink())


def test_every_one_of_them_is_live(ended: Ended) -> None:
    assert {row.state for row in ended.images.values()} == {ImageState.PUBLISHED}
    assert len(galleries(ended)) == len({name.rpartition("/")[0] for name in NAMES})


def test_none_takes_the_place_of_another(ended: Ended) -> None:
    marked = [
        path for gallery in galleries(ended) for path in gallery.iterdir() if "marked" in path.name
    ]
    assert len(marked) == len(NAMES)
    folded = [str(path.relative_to(ended.folder)).casefold() for path in marked]
    assert len(set(folded)) == len(NAMES)


def test_no_published_name_can_mislead_a_terminal_a_page_or_another_system(ended: Ended) -> None:
    for gallery in galleries(ended):
        for path in (gallery, *gallery.iterdir()):
            assert path.name.isprintable()
            assert len(path.name.encode()) <= 255
            assert not set(path.name) & set('<>"|\\/:*?')
