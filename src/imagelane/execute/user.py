"""What users' own stages are written with.

A stage of one's own is a typed function. What its first parameter is annotated with decides what
it reads, what it returns decides what it makes, and its keyword parameters stand under ``with``:

    from imagelane import Picture, stage

    @stage
    def brighter(picture: Picture, *, by: int = 10) -> Picture:
        return picture.with_array((picture.array.astype(int) + by).clip(0, 255))

It may return a `Picture`, a `Rendition` or several, facts as a dict, a `Verdict`, None, or a tuple
of these. Importing this module loads neither libvips nor numpy.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from imagelane.execute.errors import InvalidError, TransientError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "File",
    "Group",
    "InvalidError",
    "Member",
    "Picture",
    "Rendition",
    "Source",
    "Stage",
    "TransientError",
    "Verdict",
    "stage",
]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
ATTRIBUTE = "__imagelane_stage__"
"""Where `stage` leaves what it was told."""


class Verdict(StrEnum):
    """What is to become of an image. ``REVIEW`` holds it until a human has decided."""

    APPROVE = "approve"
    REVIEW = "review"
    REJECT = "reject"


class Picture:
    """An upright picture with 8 bits a sample, in sRGB unless `normalize` was told otherwise.

    ``facts`` are those of the stages that this one needs, by name, later stages winning.
    """

    def __init__(
        self, *, image: Any = None, array: Any = None, facts: Mapping[str, Any] | None = None
    ) -> None:
        if (image is None) == (array is None):
            raise TypeError("a picture is made of an image or of an array: give one of them")
        self._image = image
        self._array = array
        self.facts: Mapping[str, Any] = facts or {}

    @property
    def array(self) -> npt.NDArray[np.uint8]:
        """Its samples as a numpy array: height x width x 3, or 4 with straight alpha; read-only."""
        if self._array is None:
            self._array = _vips().to_pixels(self._image)
        array: npt.NDArray[np.uint8] = self._array
        return array

    @property
    def image(self) -> Any:
        """It as a pyvips image."""
        if self._image is None:
            self._image = _vips().from_pixels(self._array)
        return self._image

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self._image.width if self._array is None else self._array.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self._image.height if self._array is None else self._array.shape[0])

    def with_array(self, array: Any) -> Picture:
        """Another picture: height x width, or height x width x 1, 3 or 4, values 0 to 255."""
        return Picture(array=array, facts=self.facts)

    def with_image(self, image: Any) -> Picture:
        """Another picture, from a pyvips image."""
        return Picture(image=image, facts=self.facts)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:  # noqa: FBT001 - numpy's protocol
        """Lets ``numpy.asarray`` and Pillow's ``Image.fromarray`` take the picture itself."""
        array: Any = self.array
        if dtype is not None and dtype != array.dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __repr__(self) -> str:
        return f"<Picture {self.width} x {self.height}>"


@dataclass(frozen=True, slots=True)
class Source:
    """An image's own file as it came. ``data`` is what was read and checked, once; ``columns`` are
    those of its manifest row."""

    name: str
    path: Path
    data: bytes = field(repr=False)
    columns: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class File:
    """A file that an earlier stage made. Width and height are 0 where it is no picture."""

    name: str
    path: Path
    format: str
    bytes: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """One image of a group. ``facts`` and ``files`` are by stage; ``missing`` says why a stage has
    neither."""

    name: str
    ordinal: int
    state: str
    role: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, tuple[File, ...]] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    group: str = ""


@dataclass(frozen=True)
class Group:
    """A group's images, or the run's, in published order. They are read when they are asked for,
    each time anew, so that a large group needs no more memory than a small one."""

    name: str
    _read: Callable[[], Iterator[Member]] = field(repr=False)

    def __iter__(self) -> Iterator[Member]:
        return self._read()

    @cached_property
    def members(self) -> Sequence[Member]:
        """All of them, in memory."""
        return tuple(self._read())


@dataclass(frozen=True, slots=True)
class Rendition:
    """A file to be published. ``name`` tells it from others of the stage and becomes part of its
    file name, as ``square`` in ``harbour-square.png``; ``format`` is its ending."""

    name: str
    data: bytes = field(repr=False)
    format: str


@dataclass(frozen=True, slots=True)
class Stage:
    """What `stage` was told of a function."""

    waits: bool = False
    sandbox: bool = True
    pool: str | None = None
    largest: int | None = None
    facts: tuple[str, ...] | None = None
    version: str = "1"


@overload
def stage(function: FunctionT, /) -> FunctionT: ...


@overload
def stage(
    *,
    waits: bool = False,
    sandbox: bool = True,
    pool: str | None = None,
    largest: int | None = None,
    facts: Iterable[str] | None = None,
    version: str = "1",
) -> Callable[[FunctionT], FunctionT]: ...


def stage(function: Any = None, /, **told: Any) -> Any:
    """Say more of a function than its types do; one that needs none of this needs no decorator.

    ``waits``: it mostly waits, for a network say, so it is executed on a thread and holds no
    worker process. ``sandbox=False``: it works on pixels and needs other files, programs or a
    network as well, so its worker is not shut in. ``pool`` names the pool whose places it takes
    (``cpu``; ``io`` where it waits). ``largest``: the longest side, in pixels, of which it can make
    use; a larger picture may be shrunk while it is decoded. ``facts``: the names that it returns,
    so that mistakes in templates are found early. ``version``: change it to have results made anew;
    a changed module file does so by itself.

    Raises:
        TypeError: what is given is none of these.
    """
    names = told.pop("facts", None)
    what = Stage(**told, facts=None if names is None else tuple(names))

    def mark(target: FunctionT) -> FunctionT:
        setattr(target, ATTRIBUTE, what)
        return target

    return mark if function is None else mark(function)


def told_of(function: Any) -> Stage:
    """What `stage` was told of a function; the defaults where it was not used."""
    what = getattr(function, ATTRIBUTE, None)
    return what if isinstance(what, Stage) else Stage()


def _vips() -> Any:
    # By name, so that whoever imports this module for its types does not load libvips.
    return importlib.import_module("imagelane.execute.vips")
