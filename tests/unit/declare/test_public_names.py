"""What `import imagelane` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import imagelane

PROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_the_public_names() -> None:
    assert imagelane.__all__ == [
        "Command",
        "ContactSheet",
        "Crop",
        "DeclarationError",
        "Deidentify",
        "Dicom",
        "Encode",
        "Group",
        "Http",
        "Images",
        "InvalidError",
        "Metadata",
        "Moderate",
        "Normalize",
        "Picture",
        "Pipeline",
        "Publish",
        "Rendition",
        "Resize",
        "Run",
        "Source",
        "Stage",
        "Store",
        "Thumbnails",
        "TransientError",
        "Validate",
        "Verdict",
        "Watermark",
        "__version__",
        "run",
        "stage",
    ]
    assert dir(imagelane) == sorted(imagelane.__all__)


@pytest.mark.parametrize("name", imagelane.__all__)
def test_each_is_there(name: str) -> None:
    assert getattr(imagelane, name) is not None


def test_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Thumbnail'"):
        imagelane.Thumbnail  # noqa: B018


def test_the_version_is_the_project_s() -> None:
    assert imagelane.__version__ == tomllib.loads(PROJECT.read_text())["project"]["version"]


def _loaded(code: str) -> set[str]:
    listing = f"{code}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_it_costs_next_to_nothing() -> None:
    assert not {"pydantic", "yaml", "pyvips", "numpy", "rich", "click"} & _loaded(
        "import imagelane"
    )


def test_declaring_a_pipeline_loads_no_libvips() -> None:
    code = "from imagelane import Images, Pipeline, Validate\n"
    code += "Pipeline('p', images=Images('a'), stages=[Validate()])"
    assert not {"pyvips", "numpy", "PIL", "simplejpeg"} & _loaded(code)
