"""Pipeline files, read."""

from __future__ import annotations

from pathlib import Path

from imagelane.declare.check import check
from imagelane.declare.declared import Describe
from imagelane.declare.document import Document
from imagelane.declare.problems import DeclarationError, Problem, shown
from imagelane.declare.reading import MAX_BYTES, read
from imagelane.model.spec import Location, PipelineSpec


def load(path: Path, describe: Describe | None = None) -> PipelineSpec:
    """Read a pipeline file. ``describe`` looks at users' own functions; without it they are an
    error.

    Raises:
        DeclarationError: the file cannot be read, or has mistakes in it: all of them.
    """
    return check(read_file(path), path.absolute().parent, str(path), describe)


def read_file(path: Path) -> Document:
    """The document in a pipeline file.

    Raises:
        DeclarationError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise DeclarationError([_unreadable(path, error)]) from None
    return read(text, str(path))


def parse(
    text: str, file_name: str, folder: Path, describe: Describe | None = None
) -> PipelineSpec:
    """Read a pipeline from text. ``folder`` is where its relative paths are meant from.

    Raises:
        DeclarationError: the text has mistakes in it: all of them.
    """
    return check(read(text, file_name), folder.absolute(), file_name, describe)


def _unreadable(path: Path, error: OSError | ValueError) -> Problem:
    name = shown(str(path))
    match error:
        case FileNotFoundError():
            found, hint = f"there is no file {name}", "imagelane init writes one"
        case IsADirectoryError():
            found, hint = f"{name} is a folder", "name the pipeline file in it"
        case PermissionError():
            found, hint = f"{name} may not be read", "ask its owner for permission"
        case UnicodeDecodeError():
            where = Location(str(path), error.object.count(b"\n", 0, error.start) + 1)
            return Problem("the file is not UTF-8", "text in UTF-8", "save it as UTF-8", (), where)
        case _:
            found, hint = f"{name} cannot be read: {error}", ""
    return Problem(found, "a pipeline file", hint)
