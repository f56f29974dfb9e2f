"""``alerts``: whom the pipeline calls when a human should look.

In addresses, headers and passwords ``${NAME}`` stands for a variable of the environment, so that no
secret stands in the file, nor in the journal, which keeps the declaration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.utils import parseaddr
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from imagelane.declare.problems import shown
from imagelane.declare.sections.base import NAME_LIST, Section
from imagelane.declare.values import Text, mistake
from imagelane.model.spec import AlertSpec

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _url(value: str) -> str:
    if not re.match(r"https?://[^/\s]|\$\{", value):
        raise mistake(f"found {shown(value)}", "an http or https address, or ${NAME}")
    return value


def _headers(value: Mapping[str, str]) -> Mapping[str, str]:
    for name, text in value.items():
        if not _HEADER.fullmatch(name) or not text.isprintable():
            raise mistake(f"found the header {shown(name)}", "a name, and a value on one line")
    return value


def _listed(value: Any) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not words or len(words) > 100:
        raise mistake("", "text, or a list of texts")
    if not all(isinstance(one, str) and one and "\0" not in one for one in words):
        raise mistake("", "text, or a list of texts")
    return tuple(words)


def _address(value: str) -> str:
    _, address = parseaddr(value)
    if "@" not in address or not value.isprintable():
        raise mistake(f"found {shown(value)}", "a mail address such as desk@example.org")
    return value


def _addresses(value: Any) -> tuple[str, ...]:
    return tuple(_address(one) for one in _listed(value))


_TEXTS = {"anyOf": [{**NAME_LIST, "minItems": 1}, {"type": "string", "minLength": 1}]}
Words = Annotated[Sequence[str] | str, PlainValidator(_listed), WithJsonSchema(_TEXTS)]
Addresses = Annotated[Sequence[str] | str, PlainValidator(_addresses), WithJsonSchema(_TEXTS)]


class WebhookSection(Section):
    """A POST with a JSON body. Redirects are not followed."""

    SHORT: ClassVar[str] = "url"

    url: Annotated[Text, AfterValidator(_url)]
    """Where to."""
    headers: Annotated[Mapping[str, Text], AfterValidator(_headers)] = Field(default_factory=dict)
    """Further headers, such as Authorization."""


class MailSection(Section):
    """A mail in plain text."""

    to: Addresses
    """One address, or a list of them."""
    sender: Annotated[Text, AfterValidator(_address)] = Field(alias="from")
    """The sender's address."""
    host: Text = "localhost"
    """The mail server."""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """Its port: 25, 587 for starttls or 465 for tls, where nothing is said."""
    security: Literal["none", "starttls", "tls"] = "none"
    """How the connection is encrypted."""
    user: Text | None = None
    """For servers that ask who one is."""
    password: Text | None = None
    """The same; as ${NAME} it is read from the environment."""

    @model_validator(mode="after")
    def _both(self) -> MailSection:
        if (self.user is None) != (self.password is None):
            raise mistake("found one of user and password", "both of them, or neither")
        return self


class AlertSection(Section):
    """One way in which people are alerted: exactly one of the keys."""

    log: Text | None = None
    """A file, relative to this one, to which each alert is appended as a line of JSON."""
    webhook: WebhookSection | None = None
    """An address that is sent each alert as JSON."""
    command: Words | None = None
    """A program and its arguments, run without a shell; it is given the alert as JSON on standard
    input."""
    mail: MailSection | None = None
    """A mail."""
    apprise: Words | None = None
    """Addresses of [Apprise](https://appriseit.com), which knows more than a hundred services:
    slack://…, tgram://…; needs the extra `imagelane[alerts]`."""

    @model_validator(mode="after")
    def _one(self) -> AlertSection:
        if len(self._said()) != 1:
            found = " and ".join(self._said()) or "nothing"
            raise mistake(f"found {found}", "one of log, webhook, command, mail or apprise")
        return self

    def _said(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]

    def _parameters(self) -> dict[str, Any]:
        (kind,) = self._said()
        value = getattr(self, kind)
        if isinstance(value, Section):
            said: dict[str, Any] = value.model_dump(mode="json")
            return said
        key = {"log": "path", "command": "run", "apprise": "urls"}[kind]
        return {key: value if isinstance(value, str) else list(value)}

    @staticmethod
    def specs(sections: Sequence[AlertSection]) -> tuple[AlertSpec, ...]:
        """Each with a name of its own for the record: ``mail``, ``mail-2``."""
        specs: list[AlertSpec] = []
        for section in sections:
            (kind,) = section._said()  # noqa: SLF001 - its own
            before = sum(one.kind == kind for one in specs)
            channel = f"{kind}-{before + 1}" if before else kind
            parameters = section._parameters()  # noqa: SLF001 - the same
            specs.append(AlertSpec(channel, kind, parameters))  # type: ignore[arg-type] # a key
        return tuple(specs)
