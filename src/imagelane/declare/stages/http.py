"""`http`: ask a service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from imagelane.declare.problems import Path, shown
from imagelane.declare.stages.base import StageParameters
from imagelane.declare.values import TemplateText, Text, mistake
from imagelane.model.spec import Place, Reads, StageTraits

NOT_STAGES = frozenset({"source", "facts", "none"})

_URL = re.compile(r"https?://[^\s/]|\{", re.IGNORECASE)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


def _url(value: str) -> str:
    if not _URL.match(value):
        raise mistake(f"found {shown(value)}", "a URL that begins with https:// or http://")
    return value


def _headers(value: Mapping[str, str]) -> Mapping[str, str]:
    for name, text in value.items():
        if not _HEADER.fullmatch(name):
            raise mistake(f"{shown(name)} is no header name", "letters, digits and -")
        if not text.isprintable():
            raise mistake(f"the header {name} has line breaks or control characters", "one line")
    return value


def _wanted(value: Any) -> str | tuple[str, ...]:
    if value in ("all", "none"):
        return str(value)
    names = value if isinstance(value, (list, tuple)) else [None]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise mistake("", "all, none or a list of keys of the answer")
    return tuple(names)


Url = Annotated[TemplateText, AfterValidator(_url)]
Headers = Annotated[Mapping[str, TemplateText], Field(max_length=100), AfterValidator(_headers)]
Wanted = Annotated[
    Sequence[str] | Literal["all", "none"],
    PlainValidator(_wanted),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["all", "none"]},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]


class Http(StageParameters):
    """Send each picture, or what is known of it, to a service and take its answer as facts. It
    waits without holding a worker process; `workers` bounds how many requests are open at once.

    Status 408, 425, 429 and 5xx are tried again, after as long as Retry-After asks for. 401 and
    407 mean that the pipeline lacks credentials, any other 4xx that the picture is invalid.
    """

    KIND: ClassVar[str] = "http"
    TRAITS: ClassVar[StageTraits] = StageTraits(
        place=Place.THREAD, pool="io", reads=Reads.SOURCE, facts=frozenset({"*"})
    )

    url: Url
    """Where to; it may read facts: https://example.org/check/{stem}."""
    method: Literal["GET", "POST", "PUT", "PATCH"] = "POST"
    """The HTTP method."""
    send: Text = "source"
    """The body: `source` the file as it came, `facts` all facts as JSON, `none`, or the name of a
    stage, whose largest file is sent."""
    headers: Headers = Field(default_factory=dict)
    """Further headers; their values may read facts."""
    expect_status: Sequence[Annotated[int, Field(ge=100, le=599)]] | None = None
    """The statuses that mean success; any 2xx where nothing is said."""
    verdict: Text | None = None
    """The key of a JSON answer that holds approve, review or reject."""
    facts: Wanted = "all"
    """Which keys of a JSON answer become facts: all, none or a list of them."""
    private: bool = False
    """Let an address that is made of facts lead into the own network. One that is written out here
    may do so anyway."""

    def traits(self) -> StageTraits:
        reads = Reads.RENDITIONS
        if self.send in NOT_STAGES:
            reads = Reads.SOURCE if self.send == "source" else Reads.NOTHING
        names = {"all": frozenset({"*"}), "none": frozenset[str]()}
        facts = names[self.facts] if isinstance(self.facts, str) else frozenset(self.facts)
        return replace(self.TRAITS, reads=reads, facts=facts)

    def templates(self) -> Iterable[tuple[Path, str, frozenset[str]]]:
        yield ("url",), self.url, frozenset()
        for name, text in self.headers.items():
            yield ("headers", name), text, frozenset()

    def inputs(self) -> Iterable[tuple[Path, str]]:
        if self.send not in NOT_STAGES:
            yield ("send",), self.send

    @model_validator(mode="after")
    def _sendable(self) -> Http:
        if self.method == "GET" and self.send != "none":
            raise mistake("GET has no body", "send: none beside it", at="method")
        return self
