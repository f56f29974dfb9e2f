"""Runs over a source that some run has been over before: only what is not recorded is executed."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import imagelane as package
from imagelane.model import events as e
from imagelane.model.ids import Subject
from imagelane.model.states import RunStatus
from tests.conftest import Imagelane, Paint
from tests.integration.conftest import GALLERY, NewProject, Project

PIPELINE = """\
pipeline: seven
images: {from: photos/, group: folder}
stages:
  validate:
  metadata:
    needs: [validate]
  thumbnails:
    needs: [validate]
    with: {widths: [60, 120]}
  watermark:
    needs: [metadata]
    with: {text: "© {copyright|Gazette}", width: 150}
  store:
    needs: [thumbnails, watermark]
    with: {to: public/}
  contact-sheet:
    scope: group
    needs: [thumbnails]
    with: {cell: 80}
  publish:
    scope: group
    needs: [store, contact-sheet]
"""
IMAGES = 4
PIXELS = dict.fromkeys(("validate", "metadata", "thumbnails", "watermark"), IMAGES)
"""What decodes within the limits of `validate`; what follows is given the same files as before."""


def pictures(paint: Paint) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        for index in range(3):
            paint(folder / "harbour" / f"{index:02}.jpg", (300 + 10 * index, 200), gps=True)
        paint(folder / "market" / "tall.png", (200, 320))

    return write


@pytest.fixture
def seven(project: NewProject, paint: Paint, imagelane: Imagelane) -> Project:
    """Run once, over files that are not so new that their times cannot be believed."""
    made = project(PIPELINE, pictures=pictures(paint))
    for path in made.folder.glob("photos/*/*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    assert executed(made) == {**of_images(IMAGES), "contact-sheet": 2}
    return made


def of_images(count: int) -> dict[str, int]:
    return dict.fromkeys(("validate", "metadata", "thumbnails", "watermark", "store"), count)


def executed(made: Project) -> Counter[str]:
    """By stage, how many tasks of the newest run were really executed, but for publishing."""
    return Counter(
        task.stage for task in made.tasks() if not task.reused and task.worker != "coordinator"
    )


def edit(made: Project, old: str, new: str) -> None:
    text = made.pipeline.read_text()
    assert old in text
    made.pipeline.write_text(text.replace(old, new))


def clean_run(made: Project, imagelane: Imagelane, to: Path) -> Project:
    """The same pipeline over the same source, in a folder where nothing was run before."""
    shutil.copytree(
        made.folder, to, ignore=shutil.ignore_patterns(".imagelane", "public", "elsewhere")
    )
    clean = Project(to)
    imagelane("run", "gallery.yaml", "--quiet", cwd=to)
    assert not [task for task in clean.tasks() if task.reused]
    return clean


def test_an_unchanged_source_is_nothing_to_do(seven: Project, imagelane: Imagelane) -> None:
    live, runs = seven.published(), seven.runs()
    told = imagelane("run", "gallery.yaml", cwd=seven.folder)
    assert (
        f"Nothing to do: pipeline and source are as they were in run {runs[0].run}" in told.stderr
    )
    assert "4 images: 4 published" in told.stderr
    assert [row.run for row in seven.runs()] == [row.run for row in runs]
    assert sorted(path.name for path in seven.folder.glob(".imagelane/runs/*")) == [runs[0].run]
    assert seven.published() == live


def test_a_run_that_lost_images_exits_as_it_did(
    project: NewProject, paint: Paint, imagelane: Imagelane
) -> None:
    def torn(folder: Path) -> None:
        pictures(paint)(folder)
        whole = folder / "harbour" / "00.jpg"
        (folder / "harbour" / "torn.jpg").write_bytes(whole.read_bytes()[:-2000])

    made = project(PIPELINE, pictures=torn)
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder, code=1)
    told = imagelane("run", "gallery.yaml", cwd=made.folder, code=1)
    assert "5 images: 4 published, 1 skipped" in told.stderr
    assert len(made.runs()) == 1


def test_a_new_run_takes_everything_from_the_record(seven: Project, imagelane: Imagelane) -> None:
    live = seven.published()
    first = seven.runs()[0].run
    told = imagelane("run", "gallery.yaml", "--new", cwd=seven.folder)
    assert not executed(seven)
    assert "nothing to do: 22 tasks taken from the record, none executed" in told.stderr
    assert all(
        task.reused.startswith(f"{first}#") for task in seven.tasks() if task.stage != "publish"
    )
    assert seven.published() == live


def test_fresh_executes_everything(seven: Project, imagelane: Imagelane) -> None:
    live = seven.published()
    imagelane("run", "gallery.yaml", "--fresh", "--quiet", cwd=seven.folder)
    assert executed(seven) == {**of_images(IMAGES), "contact-sheet": 2}
    assert seven.published() == live


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        (
            "widths: [60, 120]",
            "widths: [50, 120]",
            {"thumbnails": 4, "store": 4, "contact-sheet": 2},
        ),
        ("Gazette", "Herald", {"watermark": 4, "store": 4}),
        ("cell: 80", "cell: 90", {"contact-sheet": 2}),
        ("to: public/", "to: elsewhere/", {"store": 4}),
        (
            "validate:\n",
            "validate: {with: {max_scans: 99}}\n",
            PIXELS,
        ),
    ],
    ids=["thumbnails", "watermark", "contact-sheet", "store", "validate"],
)
def test_one_parameter_runs_exactly_what_is_downstream(
    seven: Project,
    imagelane: Imagelane,
    tmp_path: Path,
    old: str,
    new: str,
    again: dict[str, int],
) -> None:
    edit(seven, old, new)
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder)
    assert executed(seven) == +Counter(again)
    clean = clean_run(seven, imagelane, tmp_path / "clean")
    public = "elsewhere" if "elsewhere" in new else "public"
    assert tree(seven.folder / public) == tree(clean.folder / public)


def tree(target: Path) -> dict[str, bytes]:
    """What a visitor sees in a target."""
    return {
        str(path.relative_to(group)): path.read_bytes()
        for group in target.iterdir()
        if not group.name.startswith((".", "galleries.db"))
        for path in group.iterdir()
    }


def test_touched_files_are_known_by_their_bytes(seven: Project, imagelane: Imagelane) -> None:
    live = seven.published()
    for path in seven.folder.glob("photos/*/*"):
        path.touch()
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder)
    assert len(seven.runs()) == 2
    assert not executed(seven)
    assert seven.published() == live


def test_renamed_and_moved_files_are_not_executed_again(
    seven: Project, imagelane: Imagelane
) -> None:
    photos = seven.folder / "photos"
    (photos / "market" / "tall.png").rename(photos / "market" / "wide.png")
    (photos / "harbour").rename(photos / "quay")
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder)
    # The sheet shows the name; what the visitor gets of each picture is there already.
    assert set(executed(seven)) <= {"contact-sheet"}
    assert "quay/00-60.jpg" in seven.published()
    assert "market/wide-60.jpg" in seven.published()


def test_a_changed_file_is_executed_alone(
    seven: Project, imagelane: Imagelane, paint: Paint, tmp_path: Path
) -> None:
    paint(seven.folder / "photos" / "harbour" / "01.jpg", (310, 200), colour=(1, 2, 3))
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder)
    assert executed(seven) == {**of_images(1), "contact-sheet": 1}
    clean = clean_run(seven, imagelane, tmp_path / "clean")
    assert seven.published() == clean.published()


def test_a_file_that_kept_its_size_and_time_is_known_by_its_number(
    seven: Project, imagelane: Imagelane
) -> None:
    photo = seven.folder / "photos" / "market" / "tall.png"
    data = bytearray(photo.read_bytes())
    data[-20] ^= 1
    other = photo.with_suffix(".new")
    other.write_bytes(data)
    os.utime(other, (1_700_000_000, 1_700_000_000))
    other.rename(photo)
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder, code=None)
    failed = [one for one in seven.events() if isinstance(one, e.TaskFailed)]
    assert [one.subject for one in failed] == [Subject(2, 1)]


def test_what_the_store_lost_is_made_again(seven: Project, imagelane: Imagelane) -> None:
    live = seven.published()
    lost = next(task for task in seven.tasks() if task.stage == "thumbnails").renditions[0]
    damaged = next(task for task in seven.tasks() if task.stage == "watermark").renditions[0]
    store = seven.folder / ".imagelane" / "artifacts"
    (store / lost.digest[:2] / lost.digest[2:]).unlink()
    file = store / damaged.digest[:2] / damaged.digest[2:]
    file.chmod(0o644)
    file.write_bytes(b"x")
    imagelane("run", "gallery.yaml", "--new", "--quiet", cwd=seven.folder)
    assert executed(seven) == {"thumbnails": 1, "watermark": 1}
    assert seven.published() == live


def test_what_is_not_live_any_more_is_published_again(seven: Project, imagelane: Imagelane) -> None:
    live = seven.published()
    (seven.folder / "public" / "market").unlink()
    imagelane("run", "gallery.yaml", "--quiet", cwd=seven.folder)
    assert len(seven.runs()) == 2
    assert not executed(seven)
    assert seven.published() == live


def test_a_lost_index_is_made_from_the_journal(seven: Project, imagelane: Imagelane) -> None:
    for path in seven.folder.glob(".imagelane/recollection.db*"):
        path.unlink()
    # Nothing is known of files any more, so their bytes must be read by a stage.
    imagelane("run", "gallery.yaml", "--new", "--quiet", cwd=seven.folder)
    assert "validate" in executed(seven)
    imagelane("run", "gallery.yaml", "--new", "--quiet", cwd=seven.folder)
    assert not executed(seven)
    (seven.folder / ".imagelane" / "recollection.db").write_bytes(b"no database, certainly" * 99)
    imagelane("run", "gallery.yaml", "--new", "--quiet", cwd=seven.folder)
    assert seven.runs()[0].status is RunStatus.FINISHED


def test_every_model_reuses_the_same(
    project: NewProject, imagelane: Imagelane, paint: Paint
) -> None:
    made = project(GALLERY, pictures=pictures(paint))
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    live = made.published()
    for model in (["sequential"], ["hybrid", "--no-fuse"], ["parallel", "--inline"]):
        imagelane("run", "gallery.yaml", "--new", "--quiet", "--model", *model, cwd=made.folder)
        # The command may act on the world outside, so it is executed.
        assert executed(made) == {"check": IMAGES}
        assert made.published() == live


COUNTED = """\
pipeline: counted
images: {from: photos/, group: folder}
stages:
  validate:
  count:
    needs: [validate]
    uses: command
    with: {run: [sh, -c, "echo once >> ran.txt"]}
    reuse: REUSE
  weigh:
    needs: [validate]
    uses: own:weigh
  mark:
    needs: [validate]
    uses: watermark
    with: {logo: logo.png}
  store:
    needs: [mark]
    with: {to: public/}
  publish:
    scope: group
    needs: [store]
"""
WEIGH = """\
from imagelane import Picture


def weigh(picture: Picture) -> dict[str, float]:
    return {"weight": float(picture.array.mean())}
"""


@pytest.fixture
def counted(project: NewProject, paint: Paint) -> Project:
    made = project(COUNTED, pictures=pictures(paint))
    (made.folder / "own.py").write_text(WEIGH)
    paint(made.folder / "logo.png", (40, 20))
    return made


@pytest.mark.parametrize(("said", "calls"), [("true", 4), ("false", 8)])
def test_a_stage_says_whether_it_may_be_taken_from_the_record(
    counted: Project, imagelane: Imagelane, said: str, calls: int
) -> None:
    edit(counted, "REUSE", said)
    for _ in range(2):
        imagelane("run", "gallery.yaml", "--new", "--quiet", cwd=counted.folder)
    assert (counted.folder / "ran.txt").read_text().count("once") == calls


def test_an_edited_function_and_a_changed_logo_are_noticed(
    counted: Project, imagelane: Imagelane, paint: Paint
) -> None:
    edit(counted, "REUSE", "true")
    imagelane("run", "gallery.yaml", "--quiet", cwd=counted.folder)
    (counted.folder / "own.py").write_text(WEIGH.replace("mean", "max"))
    imagelane("run", "gallery.yaml", "--quiet", cwd=counted.folder)
    assert executed(counted) == {"weigh": 4}
    paint(counted.folder / "logo.png", (40, 20), colour=(0, 0, 0))
    imagelane("run", "gallery.yaml", "--quiet", cwd=counted.folder)
    assert executed(counted) == {"mark": 4, "store": 4}


def test_a_failure_is_tried_again_and_nothing_else(
    project: NewProject, imagelane: Imagelane, paint: Paint
) -> None:
    made = project(
        PIPELINE.replace(
            "thumbnails:\n    needs",
            "flaky:\n    needs: [validate]\n    uses: own:flaky\n  thumbnails:\n    needs",
            1,
        ),
        pictures=pictures(paint),
    )
    edit(made, "needs: [thumbnails, watermark]", "needs: [thumbnails, watermark, flaky]")
    code = (
        "from pathlib import Path\n\nfrom imagelane import Picture, stage\n\n\n"
        "@stage(sandbox=False)\ndef flaky(picture: Picture) -> dict[str, int]:\n"
        "    if Path('broken').exists():\n        raise ValueError('broken')\n    return {'x': 1}\n"
    )
    (made.folder / "own.py").write_text(code)
    (made.folder / "broken").touch()
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder, code=1)
    (made.folder / "broken").unlink()
    imagelane("run", "gallery.yaml", "--quiet", cwd=made.folder)
    assert executed(made) == {"flaky": 4, "store": 4, "contact-sheet": 2}


def test_from_python_nothing_to_do_is_the_earlier_result(seven: Project) -> None:
    result = package.run(seven.pipeline)
    assert not result.new
    assert result.run == seven.runs()[0].run
    assert result.whole
    again = package.run(seven.pipeline, resume=False)
    assert again.new
    assert again.run != result.run
    assert not executed(seven)


def test_what_was_taken_from_the_record_is_told(seven: Project, imagelane: Imagelane) -> None:
    first = seven.runs()[0].run
    imagelane("run", "gallery.yaml", "--new", "--quiet", cwd=seven.folder)
    told = imagelane("show", "1.1", cwd=seven.folder)
    assert f"done, as recorded in run {first}, event " in told.stdout
    imagelane("replay", "1.1", cwd=seven.folder)
    assert isinstance(seven.events()[0], e.RunStarted)
