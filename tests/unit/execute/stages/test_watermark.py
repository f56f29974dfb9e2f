from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from imagelane.execute import lettering
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.images.files import Array, coded, opened, photo

SIZE = (400, 300)


def flat(folder: Path, level: int) -> Path:
    path = folder / f"flat-{level}.png"
    path.write_bytes(coded(np.full((SIZE[1], SIZE[0], 3), level, np.uint8), "png"))
    return path


def marked(bench: Bench, path: Path, **parameters: Any) -> Array:
    bench.stages.clear()
    bench.stage("watermark", **{"format": "png", "text": "© Gazette", **parameters})
    (rendition,) = bench.one(path).renditions
    assert rendition.name == "marked"
    return opened(bench.bytes_of(rendition))


def changed(found: Array, level: int) -> npt.NDArray[np.bool_]:
    differs: npt.NDArray[np.bool_] = np.abs(found.astype(int) - level).max(axis=2) > 0
    return differs


@pytest.mark.parametrize(
    ("position", "across", "down"),
    [
        ("top-left", "start", "start"),
        ("top", "middle", "start"),
        ("top-right", "end", "start"),
        ("left", "start", "middle"),
        ("centre", "middle", "middle"),
        ("right", "end", "middle"),
        ("bottom-left", "start", "end"),
        ("bottom", "middle", "end"),
        ("bottom-right", "end", "end"),
    ],
)
def test_it_stands_where_it_should_and_nothing_else_changes(
    bench: Bench, tmp_path: Path, position: str, across: str, down: str
) -> None:
    found = marked(bench, flat(tmp_path, 100), position=position, shadow=False, margin=0.05)
    rows, columns = np.nonzero(changed(found, 100))
    margin = 20
    for places, side, where in ((columns, SIZE[0], across), (rows, SIZE[1], down)):
        first, last = int(places.min()), int(places.max())
        if where == "start":
            assert abs(first - margin) <= 1
        elif where == "end":
            assert abs(side - 1 - last - margin) <= 1
        else:
            assert abs((first + last) / 2 - side / 2) <= 2
        assert last - first < side / 2


@pytest.mark.parametrize("level", [0, 128, 255])
def test_it_can_be_read_on_dark_and_on_bright(bench: Bench, tmp_path: Path, level: int) -> None:
    found = marked(bench, flat(tmp_path, level), size=0.08).astype(int)
    assert found.max() - found.min() > 90


def test_without_a_shadow_white_on_white_cannot_be_seen(bench: Bench, tmp_path: Path) -> None:
    found = marked(bench, flat(tmp_path, 255), shadow=False)
    assert not changed(found, 255).any()


def test_opacity(bench: Bench, tmp_path: Path) -> None:
    path = flat(tmp_path, 0)
    brightest = [
        int(marked(bench, path, opacity=opacity, size=0.1).max()) for opacity in (0, 0.25, 0.5, 1)
    ]
    assert brightest[0] == 0
    assert abs(brightest[1] - 64) <= 2
    assert abs(brightest[2] - 128) <= 2
    assert brightest[3] == 255


def test_size_is_a_share_of_the_width(bench: Bench, tmp_path: Path) -> None:
    path = flat(tmp_path, 0)
    heights = []
    for size in (0.05, 0.1):
        rows, _ = np.nonzero(changed(marked(bench, path, size=size, shadow=False, text="H"), 0))
        heights.append(int(rows.max() - rows.min()))
    assert abs(heights[1] / heights[0] - 2) < 0.2


def test_a_long_text_is_made_to_fit(bench: Bench, tmp_path: Path) -> None:
    found = marked(bench, flat(tmp_path, 0), text="W" * 25, size=0.2, shadow=False, margin=0.05)
    _, columns = np.nonzero(changed(found, 0))
    assert columns.min() >= 18
    assert columns.max() <= SIZE[0] - 18


def test_the_picture_is_brought_to_the_width_first(bench: Bench, tmp_path: Path) -> None:
    assert marked(bench, flat(tmp_path, 9), width=200).shape == (150, 200, 3)
    assert marked(bench, flat(tmp_path, 9), width=4000).shape == (300, 400, 3)


def test_tiled_covers_the_picture(bench: Bench, tmp_path: Path) -> None:
    found = changed(marked(bench, flat(tmp_path, 60), position="tiled", size=0.05), 60)
    cells = found.reshape(3, 100, 4, 100).any(axis=(1, 3))
    assert cells.all()
    assert found.mean() < 0.7


def test_facts_stand_in_the_text(bench: Bench, tmp_path: Path) -> None:
    path = flat(tmp_path, 0)
    written = marked(bench, path, text="harbour / flat-0", shadow=False)
    filled = marked(bench, path, text="{group} / {stem}", shadow=False)
    assert (written == filled).all()


def test_a_missing_fact_is_named(bench: Bench, tmp_path: Path) -> None:
    failure = bench.stage("watermark", text="© {copyright}").fails(flat(tmp_path, 0))
    assert failure.error is ErrorClass.INVALID
    assert "'copyright'" in failure.message


def test_what_looks_like_markup_is_drawn_as_it_stands(bench: Bench, tmp_path: Path) -> None:
    plain = marked(bench, flat(tmp_path, 0), text="a<b>&amp;", shadow=False)
    other = marked(bench, flat(tmp_path, 0), text="a", shadow=False)
    assert changed(plain, 0).sum() > changed(other, 0).sum() * 3


@pytest.mark.parametrize("level", [0, 200])
def test_on_a_transparent_picture_the_mark_is_not_transparent(
    bench: Bench, tmp_path: Path, level: int
) -> None:
    pixels = np.zeros((300, 400, 4), np.uint8)
    pixels[:, :, :3] = level
    path = tmp_path / "clear.png"
    path.write_bytes(coded(pixels, "png"))
    found = marked(bench, path, opacity=1.0, size=0.1, shadow=False)
    assert found[:, :, 3].max() == 255
    assert (found[found[:, :, 3] == 255][:, :3] == 255).all()
    assert found[0, 0].tolist() == [level, level, level, 0]


def test_format_none_only_changes_the_picture(bench: Bench, tmp_path: Path) -> None:
    bench.stage("watermark", text="© Gazette", format="none")
    bench.stage("thumbnails", widths=[200], format="png", picture="watermark", needs=["watermark"])
    first, second = bench.all(flat(tmp_path, 0))
    assert first.renditions == ()
    assert changed(opened(bench.bytes_of(second.renditions[0])), 0).any()


def logo(folder: Path) -> None:
    pixels = np.zeros((50, 100, 4), np.uint8)
    pixels[10:40, 10:90] = (10, 200, 10, 255)
    (folder / "logo.png").write_bytes(coded(pixels, "png"))


def test_a_logo(bench: Bench, tmp_path: Path) -> None:
    logo(tmp_path)
    found = marked(
        bench, flat(tmp_path, 0), text=None, logo="logo.png", size=0.25, opacity=1.0, margin=0.0
    )
    rows, columns = np.nonzero(changed(found, 0))
    assert abs(int(columns.max() - columns.min()) - 80) <= 3
    assert int(rows.min()) >= 300 - 50
    middle = found[300 - 25, 400 - 50].astype(int)
    assert np.abs(middle - (10, 200, 10)).max() <= 3


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("gone.png", None, "cannot be read"),
        ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        ("cut.png", coded(photo(60, 60), "png")[:900], "damaged"),
    ],
)
def test_a_logo_that_cannot_be_used(
    bench: Bench, tmp_path: Path, name: str, data: bytes | None, said: str
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    failure = bench.stage("watermark", logo=name).fails(flat(tmp_path, 0))
    assert failure.error is ErrorClass.BUG
    assert said in failure.message
    assert name in failure.message


def test_a_font_that_is_not_installed(bench: Bench, tmp_path: Path) -> None:
    failure = bench.stage("watermark", text="x", font="Nobody Has This").fails(flat(tmp_path, 0))
    assert failure.error is ErrorClass.BUG
    assert "no font called 'Nobody Has This' is installed" in failure.message


_DRAW = """
import sys
from imagelane.execute import lettering
from imagelane.execute.errors import BugError
drawn = lettering.letters("\\u00a9 Gazette \\u0160\\u0416\\u03a9", 40)
print(drawn.cover.shape, drawn.cover.sum())
try:
    lettering.letters("\\u5199\\u771f", 40)
    print("drawn")
except BugError as error:
    print(error.message)
"""


def draw(environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _DRAW],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_machine_without_fonts_draws_the_same_letters(tmp_path: Path) -> None:
    shipped = Path(lettering.__file__).parent / "fonts" / "fonts.conf"
    # The shipped configuration without the system's folders: what a bare machine has.
    bare = shipped.read_text(encoding="utf-8")
    for line in bare.splitlines():
        if line.strip().startswith("<dir>") or 'prefix="xdg">fonts' in line:
            bare = bare.replace(line, "")
    folder = str(shipped.parent)
    bare = bare.replace('<dir prefix="relative">.</dir>', f"<dir>{folder}</dir>")
    config = tmp_path / "fonts.conf"
    config.write_text(bare, encoding="utf-8")
    path = {"PYTHONPATH": str(Path(lettering.__file__).parents[2])}
    with_system = draw({**path, "FONTCONFIG_FILE": str(shipped)})
    without = draw({**path, "FONTCONFIG_FILE": str(config), "XDG_CACHE_HOME": str(tmp_path)})
    assert with_system[0] == without[0]
    assert "no font on this machine has the letters 写 真" in without[1]


def test_letters_are_drawn_once_and_kept() -> None:
    first = lettering.letters("kept", 30)
    assert lettering.letters("kept", 30) is first


def test_a_caption_that_is_too_long_loses_its_middle() -> None:
    drawn = lettering.caption("a-very-long-name-of-a-photograph-0001.jpg", 14, 120)
    assert drawn.cover.shape[1] <= 120
    assert lettering.caption("", 14, 120).cover.size
    assert lettering.caption("\x00\u202e\n", 14, 120).cover.size


def test_pillow_agrees_that_the_result_is_a_picture(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(coded(photo(), "jpeg"))
    bench.stage("watermark", text="© Gazette", width=320)
    (rendition,) = bench.one(path).renditions
    data = bench.folder / "artifacts" / rendition.digest[:2] / rendition.digest[2:]
    with Image.open(data) as image:
        assert image.size == (320, 240)
