"""`imagelane plan --diff`: what would run again, and why; held against what then does run again."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import apsw
import pytest

from tests.conftest import Imagelane, Paint
from tests.integration.conftest import NewProject, Project

PIPELINE = """\
pipeline: seven
images: {from: photos/, group: folder}
stages:
  validate:
  metadata:
    needs: [validate]
  weigh:
    needs: [validate]
    uses: own:weigh
  thumbnails:
    needs: [validate]
    with: {widths: [60, 120]}
  watermark:
    needs: [metadata]
    with: {text: "© {copyright|Gazette}", logo: null, width: 150}
  store:
    needs: [thumbnails, watermark, weigh]
    with: {to: public/}
  contact-sheet:
    scope: group
    needs: [thumbnails]
    with: {cell: 80}
  publish:
    scope: group
    needs: [store, contact-sheet]
"""
OWN = """\
from imagelane import Picture


def weigh(picture: Picture) -> dict[str, float]:
    return {"weight": float(picture.array.mean())}
"""


@pytest.fixture
def seven(project: NewProject, paint: Paint, imagelane: Imagelane) -> Project:
    def pictures(folder: Path) -> None:
        for index in range(3):
            path = paint(folder / "harbour" / f"{index:02}.jpg", (300 + 10 * index, 200))
            os.utime(path, (1_700_000_000, 1_700_000_000))
        path = paint(folder / "market" / "tall.png", (200, 320))
        os.utime(path, (1_700_000_000, 1_700_000_000))

    made = project(PIPELINE, pictures=pictures)
    (made.folder / "own.py").write_text(OWN)
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    return made


def edit(made: Project, old: str, new: str) -> None:
    text = made.pipeline.read_text()
    assert old in text
    made.pipeline.write_text(text.replace(old, new))


def diff(made: Project, imagelane: Imagelane) -> str:
    return imagelane("plan", "gallery.yaml", "--diff", cwd=made.folder).stdout


def foretold(text: str) -> dict[str, int]:
    found = re.search(r"^Would run again, at most: (.*)$", text, re.MULTILINE)
    if found is None:
        return {}
    return {one.split()[0]: int(one.split()[1]) for one in found[1].split(", ")}


def executed(made: Project) -> dict[str, int]:
    return Counter(
        task.stage for task in made.tasks() if not task.reused and task.worker != "coordinator"
    )


def test_nothing_changed(seven: Project, imagelane: Imagelane) -> None:
    told = diff(seven, imagelane)
    assert "Nothing would run again." in told
    assert "source: 4 as they were" in told
    assert len(seven.runs()) == 1


def test_a_parameter_is_named_and_the_count_comes_true(
    seven: Project, imagelane: Imagelane
) -> None:
    edit(seven, "[60, 120]", "[50, 120]")
    told = diff(seven, imagelane)
    assert re.search(
        r"thumbnails +changed: 4 of 4\n +with\.widths is \[50, 120\], was \[60, 120\]", told
    )
    assert re.search(r"contact-sheet +follows thumbnails: 2 of 2", told)
    assert re.search(r"watermark +as it was\n", told)
    assert foretold(told) == {"thumbnails": 4, "store": 4, "contact-sheet": 2}
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder)
    assert executed(seven) == foretold(told)


def test_a_larger_size_is_said_to_change_every_decode(seven: Project, imagelane: Imagelane) -> None:
    edit(seven, "[60, 120]", "[60, 160]")
    told = diff(seven, imagelane)
    assert re.search(r"metadata +changed: 4 of 4\n +the source is decoded to another size", told)
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder)
    assert executed(seven) == {**foretold(told)}


def test_an_edited_function_is_named(seven: Project, imagelane: Imagelane) -> None:
    (seven.folder / "own.py").write_text(OWN.replace("mean", "max"))
    told = diff(seven, imagelane)
    assert re.search(r"weigh +changed: 4 of 4\n +own:weigh has version 1-\w+, was 1-\w+", told)
    assert foretold(told) == {"weigh": 4}
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder)
    assert executed(seven) == {"weigh": 4}


def test_what_became_of_files_is_told(seven: Project, imagelane: Imagelane, paint: Paint) -> None:
    photos = seven.folder / "photos"
    (photos / "harbour" / "00.jpg").unlink()
    (photos / "harbour" / "01.jpg").touch()
    paint(photos / "market" / "wide.jpg", (333, 111), colour=(9, 9, 9))
    told = diff(seven, imagelane)
    assert "source: 2 as they were, 1 changed, 1 new, 1 gone" in told
    for line in ("changed: harbour/01.jpg", "new: market/wide.jpg", "gone: harbour/00.jpg"):
        assert line in told
    assert "1 file as large as one that was read before" in told
    assert foretold(told)["validate"] == 2
    assert foretold(told)["contact-sheet"] == 2
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder)
    assert executed(seven)["validate"] == 1


def test_a_library_that_changed_is_named(seven: Project, imagelane: Imagelane) -> None:
    database = apsw.Connection(str(seven.folder / ".imagelane" / "journal.db"))
    database.execute(
        "UPDATE events SET body = json_set(body, '$.versions.pyvips', '1.0') "
        "WHERE type = 'run_started'"
    )
    database.close()
    told = diff(seven, imagelane)
    assert re.search(r"validate +changed: 4 of 4\n +pyvips is [\d.]+, was 1\.0", told)


def test_a_run_is_chosen_and_a_stage_that_is_no_more_is_named(
    seven: Project, imagelane: Imagelane
) -> None:
    first = seven.runs()[0].run
    edit(seven, "  weigh:\n    needs: [validate]\n    uses: own:weigh\n", "")
    edit(seven, ", weigh]", "]")
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder)
    assert "weigh" not in diff(seven, imagelane)
    told = imagelane("plan", "gallery.yaml", "--diff", first, cwd=seven.folder).stdout
    assert re.search(r"weigh +is no more", told)
    wrong = imagelane("plan", "gallery.yaml", "--diff", "nosuch", cwd=seven.folder, code=2)
    assert "there is no run 'nosuch'" in wrong.stderr
