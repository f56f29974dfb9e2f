"""The README's section "Add a stage", done to the letter."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from PIL import Image

from tests.conftest import Imagelane, Paint, rgb

ROOT = Path(__file__).parents[2]
SECTION = (
    (ROOT / "README.md").read_text(encoding="utf-8").split("## Add a stage")[1].split("\n## ")[0]
)


def block(name: str) -> str:
    """The code block whose first line names the file it stands in."""
    found = re.search(rf"```\w+\n# {re.escape(name)}\n(.*?)```", SECTION, re.DOTALL)
    assert found is not None, f"the section has no block for {name}"
    return found[1]


def catalogue_line(catalogue: str) -> str:
    """The line that the table says is to be added."""
    found = re.search(rf"`{re.escape(catalogue)}`, .* \| `(.+)` \|", SECTION)
    assert found is not None
    return found[1]


def test_a_function_of_ones_own(tmp_path: Path, paint: Paint, imagelane: Imagelane) -> None:
    (tmp_path / "frame.py").write_text(block("frame.py"), encoding="utf-8")
    (tmp_path / "gallery.yaml").write_text(block("gallery.yaml"), encoding="utf-8")
    paint(tmp_path / "photos" / "quay" / "boat.jpg", (1000, 600))
    imagelane("run", "gallery.yaml", "--quiet", cwd=tmp_path)
    with Image.open(tmp_path / "public" / "quay" / "boat-480.jpg") as picture:
        # 1000 x 600 with 100 px around it, shrunk to 480.
        assert picture.size == (480, 320)
        edge = rgb(picture, (8, 8))
        inside = rgb(picture, (60, 60))
    assert min(edge) > 245
    assert min(inside) < 100


def test_a_built_in_stage(tmp_path: Path, paint: Paint, imagelane: Imagelane) -> None:
    source = tmp_path / "src" / "imagelane"
    shutil.copytree(
        ROOT / "src" / "imagelane", source, ignore=shutil.ignore_patterns("__pycache__")
    )
    for side, table in (("declare", "CATALOGUE"), ("execute", "MODULES")):
        name = f"src/imagelane/{side}/stages/grey.py"
        (tmp_path / name).write_text(block(name), encoding="utf-8")
        catalogue = f"src/imagelane/{side}/stages/__init__.py"
        text = (tmp_path / catalogue).read_text(encoding="utf-8")
        head = re.search(rf"^{table}: .* = {{$", text, re.MULTILINE)
        assert head is not None
        text = f"{text[: head.end()]}\n    {catalogue_line(catalogue)}{text[head.end() :]}"
        if side == "declare":
            last = "from imagelane.declare.stages.http import Http\n"
            assert last in text
            text = text.replace(last, f"from imagelane.declare.stages.grey import Grey\n{last}")
        (tmp_path / catalogue).write_text(text, encoding="utf-8")
    pipeline = block("gallery.yaml")
    pipeline = pipeline.replace("frame:\n    uses: frame:frame\n    with: {width: 0.1}", "grey:")
    (tmp_path / "gallery.yaml").write_text(pipeline, encoding="utf-8")
    paint(tmp_path / "photos" / "quay" / "boat.jpg", (1000, 600), colour=(220, 20, 20))
    added = {"PYTHONPATH": str(tmp_path / "src")}
    planned = imagelane("plan", "gallery.yaml", cwd=tmp_path, environment=added)
    assert "grey" in planned.stdout
    imagelane("run", "gallery.yaml", "--quiet", cwd=tmp_path, environment=added)
    with Image.open(tmp_path / "public" / "quay" / "boat-480.jpg") as picture:
        pixel = rgb(picture, (60, 60))
    assert max(pixel) - min(pixel) < 6
