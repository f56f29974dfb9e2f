"""`command`: what was a shell script becomes a stage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, PlainValidator, WithJsonSchema, model_validator

from imagelane.declare.problems import Path, one_of, shown
from imagelane.declare.stages.base import StageParameters
from imagelane.declare.values import Text, mistake, template_text
from imagelane.model.spec import Place, Reads, StageTraits

_MEANINGS = ("ok", "invalid", "transient", "bug")
# As sysexits.h has them: EX_DATAERR, EX_NOINPUT; EX_UNAVAILABLE, EX_OSERR, EX_IOERR, EX_TEMPFAIL;
# and 124, with which timeout(1) ends what took too long.
_USUAL: dict[str | int, str] = {
    "0": "ok",
    "65": "invalid",
    "66": "invalid",
    "69": "transient",
    "71": "transient",
    "74": "transient",
    "75": "transient",
    "124": "transient",
}
_CODE = re.compile(r"0|[1-9][0-9]{0,2}")


def _run(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return template_text(value)
    if not isinstance(value, (list, tuple)) or not 0 < len(value) <= 1000:
        raise mistake("", "a list of words: [program, argument, …], or text beside shell: true")
    return tuple(template_text(one) for one in value)


def _exit_codes(value: Any) -> dict[str | int, str]:
    if not isinstance(value, Mapping):
        raise mistake("", "a mapping of exit codes, such as {3: invalid}")
    for code, meaning in value.items():
        if not _CODE.fullmatch(str(code)) or int(str(code)) > 255:
            raise mistake(f"found the exit code {shown(code)}", "a number from 0 to 255")
        if meaning not in _MEANINGS:
            raise mistake(f"found {shown(meaning)} for exit code {code}", one_of(_MEANINGS))
    codes = dict(_USUAL)
    codes.update({str(code): str(meaning) for code, meaning in value.items()})
    return dict(sorted(codes.items(), key=lambda item: int(item[0])))


def _file_name(value: str) -> str:
    if "/" in value or value in {".", ".."} or not value.isprintable():
        raise mistake(f"found {shown(value)}", "the plain name of a file, such as out.png")
    return value


_WORD = {"type": "string", "minLength": 1, "maxLength": 10_000}

Arguments = Annotated[
    Sequence[str] | str,
    PlainValidator(_run),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": _WORD, "minItems": 1, "maxItems": 1000},
                _WORD,
            ]
        }
    ),
]
ExitCodes = Annotated[
    Mapping[str | int, str],
    PlainValidator(_exit_codes),
    WithJsonSchema(
        {
            "type": "object",
            "patternProperties": {f"^({_CODE.pattern})$": {"enum": list(_MEANINGS)}},
            "additionalProperties": False,
        }
    ),
]


class Command(StageParameters):
    """Run a program for each picture. In its arguments {source} is the path of the picture,
    {output} the path to write to, {facts} the path of a JSON file with what is known; other names
    in braces are facts."""

    KIND: ClassVar[str] = "command"
    TRAITS: ClassVar[StageTraits] = StageTraits(place=Place.THREAD, reads=Reads.SOURCE)

    run: Arguments
    """The program and its arguments, as a list; or, with `shell: true`, one text for the shell."""
    shell: bool = False
    """Run the text through /bin/sh. Facts are quoted for it."""
    input: Text = "source"
    """What {source} is: `source` the file as it came, or the name of a stage, whose largest file
    it then is."""
    output: Annotated[Text, AfterValidator(_file_name)] | None = None
    """The name of the file that the program writes, such as out.png; it becomes one of the
    picture's files."""
    facts: Literal["none", "json"] = "none"
    """`json`: what the program prints is a JSON object, whose keys become facts."""
    exit_codes: ExitCodes = _USUAL
    """What exit codes mean: ok, invalid, transient (tried again) or bug. As in sysexits.h 0 is ok,
    65 and 66 are invalid, 69, 71, 74 and 75 transient; so is 124, of timeout(1). One that was
    killed from outside (SIGKILL, SIGTERM, SIGHUP, SIGINT) is tried again. Any other code, 126 and
    127 among them, and any crash is a bug."""

    def traits(self) -> StageTraits:
        return replace(
            self.TRAITS,
            reads=Reads.SOURCE if self.input == "source" else Reads.RENDITIONS,
            makes_renditions=self.output is not None,
            facts=frozenset({"*"} if self.facts == "json" else ()),
        )

    def templates(self) -> Iterable[tuple[Path, str, frozenset[str]]]:
        own = frozenset({"source", "facts"} | ({"output"} if self.output else set()))
        if isinstance(self.run, str):
            yield ("run",), self.run, own
        else:
            for index, text in enumerate(self.run):
                yield ("run", index), text, own

    def inputs(self) -> Iterable[tuple[Path, str]]:
        if self.input != "source":
            yield ("input",), self.input

    @model_validator(mode="after")
    def _through_a_shell_or_not(self) -> Command:
        if isinstance(self.run, str) and not self.shell:
            expected = "a list [program, argument, …], or shell: true beside it"
            raise mistake("found text that only a shell can run", expected, at="run")
        if self.shell and not isinstance(self.run, str):
            raise mistake("found a list beside shell: true", "one text for the shell", at="run")
        return self
