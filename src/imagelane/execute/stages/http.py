"""A service is asked, and its answer becomes facts and a verdict."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypedDict
from urllib.parse import quote

import urllib3
from urllib3.exceptions import (
    HTTPError,
    LocationParseError,
    NewConnectionError,
    SSLError,
)
from urllib3.exceptions import (
    TimeoutError as TookTooLongError,
)
from urllib3.util import Timeout, Url, parse_url

from imagelane.execute import answer
from imagelane.execute.addresses import public_address
from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.errors import (
    BugError,
    DeadlineError,
    InvalidError,
    StageError,
    TransientError,
)
from imagelane.execute.facts import Facts
from imagelane.execute.failures import one_line
from imagelane.execute.network import class_of_status, retry_after, untrusted
from imagelane.execute.sniff import sniff
from imagelane.execute.text import clean
from imagelane.model.ids import StageName
from imagelane.model.states import ErrorClass
from imagelane.model.template import Field, Template, parse

_LARGEST_ANSWER = 4 * 1024 * 1024
_PATIENCE = 60.0
"""Seconds for an answer, where the stage has no timeout."""
_COMPLETE_HOST = re.compile(r"https?://[^/?#{}]+[/?#]", re.IGNORECASE)


class Parameters(TypedDict):
    url: str
    method: str
    send: str
    headers: dict[str, str]
    expect_status: list[int] | None
    verdict: str | None
    facts: str | list[str]
    private: bool


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """One request. What the service is not asked for again is decided by its status."""
    facts = attempt.facts()
    url, given = _url(parameters["url"], facts)
    body, kind = _body(parameters["send"], attempt)
    headers: dict[str, bytes] = {"User-Agent": b"imagelane", "Accept": b"application/json"}
    if body is not None:
        headers["Content-Type"] = kind.encode()
    for name, text in parameters["headers"].items():
        headers[name] = facts.render(text, clean).encode()
    guarded = given and not parameters["private"]
    who = url.host or "the service"
    try:
        said = _exchange(parameters["method"], url, body, headers, attempt, guarded=guarded)
    except StageError:
        raise
    except (SSLError, HTTPError, OSError) as error:
        # urllib3 counts a connection that is refused among what took too long.
        refused = isinstance(error, NewConnectionError)
        # Where the deadline comes while it is sending, it calls that a broken connection.
        late = attempt.deadline is not None and time.monotonic() >= attempt.deadline - 0.1
        if late and not refused:
            raise DeadlineError(f"{who} did not answer in time") from error
        if isinstance(error, TookTooLongError) and not refused:
            raise TransientError(f"{who} did not answer in time") from error
        if untrusted(error):
            raise BugError(f"{who} has a certificate that is not to be trusted") from error
        raise TransientError(f"{who} could not be asked: {_why(error)}") from error
    status, answered, raw = said
    _check_status(parameters["expect_status"], status, answered, raw, who)
    return _result(parameters, raw, who)


def _why(error: BaseException) -> str:
    return one_line(str(error), 200)


def _url(text: str, facts: Facts) -> tuple[Url, bool]:
    """The address, and whether it was data that said which host it is.

    Facts are percent-encoded, but for one at the very beginning: that is an address itself.
    """
    template = parse(text)
    written_out = _COMPLETE_HOST.match(text) is not None or not template.names
    first, others = template.parts[:1], template.parts[1:]
    if first and isinstance(first[0], Field):
        filled = facts.fill(Template(first)) + facts.fill(Template(others), _percent)
    else:
        filled = facts.fill(template, _percent)
    try:
        url = parse_url(filled)
    except LocationParseError as error:
        raise InvalidError(f"{filled!r} is no URL: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise InvalidError(f"{filled!r} is no http or https URL")
    return url, not written_out


def _percent(value: str) -> str:
    return quote(value, safe="", errors="surrogateescape")


def _body(send: str, attempt: Attempt) -> tuple[bytes | None, str]:
    if send == "none":
        return None, ""
    if send == "facts":
        order = attempt.piece.order
        name = order.source.name if order.source else order.group_name
        what = {"name": name, "group": order.group_name, "facts": attempt.facts().merged()}
        return json.dumps(what).encode(), "application/json"
    if send == "source":
        data = attempt.piece.source.data
        return data, _media_type(sniff(data))
    rendition = attempt.largest_of(StageName(send))
    return attempt.piece.shelf.read(rendition), _media_type(rendition.format)


def _media_type(format_: str | None) -> str:
    if format_ in {"dicom", "dcm"}:
        return "application/dicom"
    return f"image/{format_}" if format_ else "application/octet-stream"


def _exchange(
    method: str,
    url: Url,
    body: bytes | None,
    headers: Mapping[str, bytes],
    attempt: Attempt,
    *,
    guarded: bool,
) -> tuple[int, Mapping[str, str], bytes]:
    left = attempt.seconds_left(_PATIENCE)
    ends = time.monotonic() + left
    pool: Any = _pools()
    target = url.url
    headers = dict(headers)
    if guarded:
        pool = _pool_to_checked_address(url)
        target = url.request_uri
        headers["Host"] = url.netloc.encode() if url.netloc else b""
    response = pool.urlopen(
        method,
        target,
        body=body,
        headers=headers,
        redirect=False,
        retries=False,
        timeout=Timeout(total=left, connect=min(left, 10.0)),
        preload_content=False,
        decode_content=True,
    )
    try:
        return response.status, response.headers, _read(response, ends)
    finally:
        response.release_conn()


def _read(response: Any, ends: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    # Not `stream`, which waits until a part is full: an answer that trickles would never be late.
    while part := response.read1(64 * 1024):
        parts.append(part)
        size += len(part)
        if size > _LARGEST_ANSWER:
            response.close()
            raise BugError(f"the service answered with more than {_LARGEST_ANSWER:,} bytes")
        if time.monotonic() > ends:
            response.close()
            raise DeadlineError("the service did not finish its answer in time")
    return b"".join(parts)


@lru_cache(maxsize=1)
def _pools() -> urllib3.PoolManager:
    return urllib3.PoolManager(num_pools=16, maxsize=64)


def _pool_to_checked_address(url: Url) -> urllib3.HTTPConnectionPool:
    """Connections to the very address that was looked at, under the name that was asked for."""
    host = (url.host or "").strip("[]")
    port = url.port or (443 if url.scheme == "https" else 80)
    address = public_address(host, port)
    if url.scheme == "https":
        return urllib3.HTTPSConnectionPool(
            address, port, server_hostname=host, assert_hostname=host, cert_reqs="CERT_REQUIRED"
        )
    return urllib3.HTTPConnectionPool(address, port)


def _check_status(
    expected: list[int] | None, status: int, headers: Mapping[str, str], raw: bytes, who: str
) -> None:
    if status in expected if expected is not None else 200 <= status < 300:
        return
    said = f"{who} answered with status {status}"
    detail = raw[:4000].decode("utf-8", "replace")
    kind = class_of_status(status)
    if kind is ErrorClass.TRANSIENT:
        raise TransientError(said, detail, retry_after(headers.get("Retry-After")))
    if status in {401, 407}:
        raise BugError(f"{said}: it wants to know who asks; headers can say so", detail)
    if kind is ErrorClass.INVALID:
        reason = clean(detail, 200)
        raise InvalidError(f"{said}: {reason}" if reason else said, detail)
    if status >= 300:
        elsewhere = clean(headers.get("Location") or "elsewhere", 200)
        raise BugError(
            f"{said}, which points to {elsewhere}: redirects are not followed, so write the final "
            "address as url"
        )
    raise BugError(f"{said}: expected {_listed(expected)}", detail)


def _listed(expected: list[int] | None) -> str:
    return " or ".join(str(one) for one in expected) if expected else "one from 200 to 299"


def _result(parameters: Parameters, raw: bytes, who: str) -> Result:
    wanted, key = parameters["facts"], parameters["verdict"]
    if wanted == "none" and key is None:
        return Result()
    is_object = raw.lstrip()[:1] == b"{"
    if wanted == "all" and key is None and not is_object:
        return Result()
    said = answer.parse(raw, who)
    verdict = None if key is None else answer.verdict_in(said, key, who)
    if isinstance(wanted, str):
        found = said if wanted == "all" else {}
    else:
        found = {name: said[name] for name in wanted if name in said}
    return Result(facts=found, verdict=verdict)
