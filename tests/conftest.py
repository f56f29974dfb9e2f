"""What all suites share: pictures made on the spot, and the command line as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, settings
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

SRC = Path(__file__).parents[1] / "src"

# Machines that run tests are shared and noisy: how long an example took says nothing about it.
settings.register_profile("imagelane", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("imagelane")


class Paint(Protocol):
    def __call__(
        self,
        path: Path,
        size: tuple[int, int] = ...,
        *,
        colour: tuple[int, int, int] = ...,
        copyright: str = ...,  # noqa: A002 - the name of the EXIF field
        gps: bool = ...,
        orientation: int = ...,
    ) -> Path: ...


@pytest.fixture(scope="session")
def paint() -> Paint:
    """Writes a picture with some detail; the format follows from the file's ending.

    The upper left quarter is `colour`, the rest a gradient, so that turned and mirrored pictures
    can be told apart. `gps` adds a position in EXIF and in XMP.
    """

    def write(
        path: Path,
        size: tuple[int, int] = (640, 480),
        *,
        colour: tuple[int, int, int] = (200, 40, 40),
        copyright: str = "",  # noqa: A002 - the name of the EXIF field
        gps: bool = False,
        orientation: int = 1,
    ) -> Path:
        width, height = size
        across = Image.linear_gradient("L").rotate(90).resize(size)
        down = Image.linear_gradient("L").resize(size)
        picture = Image.merge("RGB", (across, down, across.transpose(Image.Transpose.ROTATE_180)))
        picture.paste(colour, (0, 0, width // 2, height // 2))
        exif = Image.Exif()
        exif[Base.Orientation] = orientation
        if copyright:
            exif[Base.Copyright] = copyright
        settings: dict[str, Any] = {"quality": 92} if path.suffix == ".jpg" else {}
        if gps:
            position = exif.get_ifd(IFD.GPSInfo)
            position[GPS.GPSLatitudeRef], position[GPS.GPSLongitudeRef] = "N", "E"
            position[GPS.GPSLatitude], position[GPS.GPSLongitude] = (53.0, 32.0, 0), (9.0, 58.0, 0)
            settings["xmp"] = (
                b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
                b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:exif='
                b'"http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="53,32N"/></rdf:RDF></x:xmpmeta>'
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, exif=exif, **settings)
        return path

    return write


Imagelane = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def imagelane() -> Imagelane:
    """Starts the command line as a process of its own: `imagelane("run", "x.yaml", cwd=folder)`."""

    def run(
        *arguments: str | Path,
        cwd: Path,
        code: int | None = 0,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "imagelane", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(SRC), "NO_COLOR": "1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        if code is not None:
            said = f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
            assert done.returncode == code, said
        return done

    return run


def rgb(picture: Image.Image, at: tuple[int, int]) -> tuple[int, int, int]:
    """The colour of one pixel."""
    red, green, blue = picture.convert("RGB").crop((*at, at[0] + 1, at[1] + 1)).tobytes()
    return red, green, blue
