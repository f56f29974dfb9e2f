"""A user's own functions: looked at, given what they ask for, believed in nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagelane
from imagelane.execute.describe import describe
from imagelane.execute.signature import signature_of
from imagelane.model.codec import from_json
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Success
from imagelane.model.spec import Described, Extent, Place, Reads
from imagelane.model.states import ErrorClass, Scope
from tests.images.bench import Bench, member
from tests.images.files import coded, opened, photo

MODULE = """
from enum import Enum
from typing import Annotated, Literal, TypedDict
import numpy as np
from imagelane import Group, Picture, Rendition, Source, Verdict, stage
from imagelane.execute.user import InvalidError, TransientError

print("hello from the module")

class Way(Enum):
    UP = "up"
    DOWN = "down"

class Seen(TypedDict):
    mean: float
    name: str

@stage(largest=200)
def invert(picture: Picture, *, by: float = 1.0) -> Picture:
    return picture.with_array(picture.array * (1 - by) + (255 - picture.array) * by)

def through_vips(picture: Picture) -> Picture:
    return picture.with_image(picture.image.flip("horizontal"))

def look(picture: Picture, *, way: Way = Way.UP, names: tuple[str, ...] = ("a",)) -> Seen:
    assert isinstance(way, Way) and isinstance(names, tuple)
    return {"mean": np.asarray(picture).mean(), "name": way.value + "/".join(names)}

def judge(source: Source, *, limit: int) -> tuple[Verdict, dict[str, int]]:
    size = len(source.data)
    return (Verdict.REJECT if size > limit else Verdict.APPROVE), {"size": size}

@stage(waits=True)
def files(source: Source, *, mode: Literal["one", "two"] = "one") -> list[Rendition]:
    made = [Rendition("note", source.name.encode(), "txt")]
    return made * 1 if mode == "one" else [*made, Rendition("copy", source.data, "jpg")]

def count(group: Group) -> dict[str, object]:
    return {
        "names": [one.name for one in group],
        "files": sum(len(files) for one in group for files in one.files.values()),
        "first": group.members[0].files["thumbnails"][0].path.is_file(),
    }

def wrong(picture: Picture) -> dict: return 7
def huge(picture: Picture) -> Picture: return picture.with_array(np.full((4, 4, 3), 300))
def five(picture: Picture) -> Picture: return picture.with_array(np.zeros((4, 4, 5), np.uint8))
def grey(picture: Picture) -> Picture: return picture.with_array(picture.array[:, :, 0])
def bare(picture: Picture) -> dict: return {"x": float("nan")}
def odd(picture: Picture) -> Rendition: return Rendition("../../etc/x", b"x", "txt")
def crash(picture: Picture) -> None: raise ZeroDivisionError("oh\\nno")
def leave(picture: Picture) -> None: raise SystemExit(3)
def refuse(picture: Picture) -> None: raise InvalidError("too dark")
def later(picture: Picture) -> None: raise TransientError("busy", retry_after=3)
def facts(picture: Picture) -> dict: return {"read": picture.facts["dominant"]}
def nothing(): pass
def untyped(picture): pass
def silent(picture: Picture): pass
async def waiting(picture: Picture) -> None: pass
def bound(picture: Picture, *, by: Annotated[int, "x"]) -> None: pass
def anything(picture: Picture, **more: int) -> None: pass
def typeless(picture: Picture, more=1) -> None: pass
def returns(picture: Picture) -> int: return 1
not_a_function = 5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    signature_of.cache_clear()
    sys.modules.pop("mine", None)
    (tmp_path / "mine.py").write_text(MODULE, encoding="utf-8")
    yield str(tmp_path)
    sys.modules.pop("mine", None)
    sys.path[:] = [place for place in sys.path if place != str(tmp_path)]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(coded(photo(300, 200), "jpeg", quality=95))
    return path


def own(bench: Bench, function: str, picture: str | None = None, **parameters: Any) -> Bench:
    """Declare a function as the planner would, after looking at it."""
    seen = describe(f"mine:{function}", parameters, str(bench.folder))
    assert seen.errors == ()
    bench.stage(function, f"mine:{function}", picture=picture, **seen.parameters)
    if seen.extent is not None and picture is None:
        bench.decode.append(seen.extent)
    return bench


def test_what_a_function_says_of_itself(folder: str) -> None:
    seen = describe("mine:invert", {"by": 1}, folder)
    assert seen.traits.reads is Reads.PICTURE
    assert seen.traits.makes_picture
    assert seen.traits.place is Place.PROCESS
    assert seen.extent == Extent(200, 200)
    assert seen.parameters == {"by": 1.0}
    assert seen.errors == ()

    waits = describe("mine:files", {}, folder)
    assert (waits.traits.place, waits.traits.pool) == (Place.THREAD, "io")
    assert waits.traits.makes_renditions
    assert waits.traits.reads is Reads.SOURCE
    assert waits.parameters == {"mode": "one"}
    assert waits.extent is None

    group = describe("mine:count", {}, folder)
    assert group.traits.scopes == {Scope.GROUP, Scope.RUN}
    assert group.traits.gathers

    assert describe("mine:look", {}, folder).traits.facts == {"mean", "name"}
    assert describe("mine:judge", {"limit": 5}, folder).traits.facts == {"*"}


def test_the_version_follows_the_code(folder: str) -> None:
    before = describe("mine:grey", {}, folder).traits.version
    signature_of.cache_clear()
    path = Path(folder, "mine.py")
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert describe("mine:grey", {}, folder).traits.version != before


@pytest.mark.parametrize(
    ("uses", "said"),
    [
        ("mime:invert", "there is no module 'mime'"),
        ("mime:invert", "did you mean 'mine'?"),
        ("mine:inverted", "did you mean 'invert'?"),
        ("mine:nothing", "must be Picture or Source or Group"),
        ("mine:untyped", "must be annotated with Picture or Source or Group"),
        ("mine:silent", "does not say what it returns"),
        ("mine:waiting", "is async"),
        ("mine:anything", "name its parameters"),
        ("mine:typeless", "has no type"),
        ("mine:returns", "returns int: expected Picture, Rendition"),
        ("mine:not_a_function", "is no function"),
        ("mine:bound", "parameter 'by' has no default"),
        ("broken:x", "SyntaxError"),
        ("failing:x", "RuntimeError: no luck"),
        ("leaving:x", "SystemExit"),
        ("types:x", "rename it"),
    ],
)
def test_what_cannot_be_a_stage_is_said(folder: str, uses: str, said: str) -> None:
    Path(folder, "broken.py").write_text("def x(:\n", encoding="ascii")
    Path(folder, "failing.py").write_text("\nraise RuntimeError('no luck')\n", encoding="ascii")
    Path(folder, "leaving.py").write_text("raise SystemExit(1)\n", encoding="ascii")
    Path(folder, "types.py").write_text("x = 1\n", encoding="ascii")
    ((name, text),) = describe(uses, {}, folder).errors
    assert name == ""
    assert said in text
    assert "\n" not in text
    for module in ("broken", "failing", "leaving"):
        sys.modules.pop(module, None)


@pytest.mark.parametrize(
    ("function", "parameters", "name", "said"),
    [
        ("invert", {"bye": 1}, "bye", "did you mean 'by'?"),
        ("invert", {"by": "much"}, "by", 'found "much"'),
        ("invert", {"by": True}, "by", "found true"),
        ("look", {"way": "left"}, "way", 'found "left"'),
        ("look", {"names": ["a", 5]}, "names", "[1]"),
        ("files", {"mode": "three"}, "mode", "'one' or 'two'"),
        ("judge", {"limit": 1.5}, "limit", "found 1.5"),
    ],
)
def test_a_wrong_parameter_is_named(
    folder: str, function: str, parameters: dict[str, Any], name: str, said: str
) -> None:
    ((found, text),) = describe(f"mine:{function}", parameters, folder).errors
    assert found == name
    assert said in text


def test_it_is_looked_at_in_a_process_of_its_own(folder: str) -> None:
    question = json.dumps({"uses": "mine:invert", "parameters": {}, "folder": folder})
    source = str(Path(imagelane.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-P", "-m", "imagelane.workers.describe"],
        input=question,
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": source},
    )
    assert from_json(Described, json.loads(done.stdout)).parameters == {"by": 1.0}
    assert "hello from the module" in done.stderr


def test_writing_a_stage_loads_no_libvips() -> None:
    code = (
        "import sys, imagelane; imagelane.stage; imagelane.Picture; "
        "import imagelane.execute.describe; "
        "sys.exit(any(name in sys.modules for name in ('pyvips', 'numpy')))"
    )
    source = str(Path(imagelane.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source}
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, env=environment).returncode == 0
    )


@pytest.mark.usefixtures("folder")
def test_a_picture_is_changed(bench: Bench, picture: Path) -> None:
    own(bench, "invert", by=1)
    bench.stage("encode", formats=["png"], needs=["invert"], picture="invert")
    (rendition,) = bench.one(picture).renditions
    found = opened(bench.bytes_of(rendition))
    bench.stages.pop(StageName("invert"))
    plain = bench.stage("encode", formats=["png"]).one(picture).renditions[0]
    assert np.abs(found.astype(int) + opened(bench.bytes_of(plain)) - 255).max() <= 1


@pytest.mark.usefixtures("folder")
def test_pictures_pass_from_one_function_to_another(bench: Bench, picture: Path) -> None:
    own(bench, "through_vips")
    own(bench, "grey", picture="through_vips")
    bench.stage("encode", formats=["png"], needs=["grey"], picture="grey")
    fused = bench.one(picture).renditions
    assert opened(bench.bytes_of(fused[0])).shape == (200, 300, 3)
    assert bench.one(picture, "encode").renditions == fused  # both are made again


@pytest.mark.usefixtures("folder")
def test_typed_parameters_and_facts(bench: Bench, picture: Path) -> None:
    own(bench, "look", way="down", names=["x", "y"])
    facts = bench.one(picture).facts
    assert facts["name"] == "downx/y"
    assert isinstance(facts["mean"], float)


@pytest.mark.usefixtures("folder")
def test_a_verdict_and_facts(bench: Bench, picture: Path) -> None:
    done = own(bench, "judge", limit=10).one(picture)
    assert done.verdict == "reject"
    assert done.facts == {"size": picture.stat().st_size}


@pytest.mark.usefixtures("folder")
def test_files(bench: Bench, picture: Path) -> None:
    note, copy = own(bench, "files", mode="two").one(picture).renditions
    assert (note.name, note.format, bench.bytes_of(note)) == ("note", "txt", b"picture.jpg")
    assert (copy.format, copy.width, copy.height) == ("jpeg", 300, 200)


@pytest.mark.usefixtures("folder")
def test_a_group(bench: Bench, picture: Path) -> None:
    thumbnails = bench.stage("thumbnails", widths=[20, 30]).one(picture)
    bench.stages.clear()
    bench.stage("count", "mine:count", scope=Scope.GROUP)
    members = bench.members(
        [member(1, "a.jpg", {"thumbnails": thumbnails}), member(2, "b.jpg", {"look": Success()})]
    )
    done = bench.one(None, subject=Subject(1), members=members)
    assert done.facts == {"names": ["a.jpg", "b.jpg"], "files": 2, "first": True}


@pytest.mark.usefixtures("folder")
def test_facts_of_earlier_stages(bench: Bench, picture: Path) -> None:
    bench.stage("metadata")
    bench.stage("facts", "mine:facts", needs=["metadata"])
    first, second = bench.all(picture)
    assert second.facts == {"read": first.facts["dominant"]}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("wrong", "returned a int"),
        ("huge", "values outside 0 to 255"),
        ("five", "found 4 x 4 x 5"),
        ("bare", "no JSON values"),
        ("odd", "expected a plain name"),
        ("crash", "ZeroDivisionError: oh; no"),
        ("leave", "SystemExit: 3"),
    ],
)
def test_what_goes_wrong_in_it_is_a_bug(
    bench: Bench, picture: Path, function: str, said: str
) -> None:
    failure = own(bench, function).fails(picture)
    assert failure.error is ErrorClass.BUG
    assert said in failure.message
    if function == "crash":
        assert "mine.py" in failure.detail


@pytest.mark.usefixtures("folder")
def test_it_may_say_what_kind_of_failure_it_is(bench: Bench, picture: Path) -> None:
    assert own(bench, "refuse").fails(picture).error is ErrorClass.INVALID
    bench.stages.clear()
    failure = own(bench, "later").fails(picture)
    assert (failure.error, failure.retry_after) == (ErrorClass.TRANSIENT, 3)
