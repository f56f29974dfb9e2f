"""What the network's failures mean: statuses, and the exceptions of the clients that people use."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from imagelane.model.states import ErrorClass

LONGEST_WAIT = 3600.0
"""Seconds for which a service may ask us to wait."""
_TRY_AGAIN = frozenset({408, 425, 429})
_WHO_ARE_YOU = frozenset({401, 407})
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"

_CLIENTS: Mapping[str, frozenset[str]] = {
    "builtins": frozenset({"ConnectionError", "TimeoutError"}),
    "socket": frozenset({"gaierror", "herror"}),
    "ssl": frozenset({"SSLError"}),
    "http": frozenset({"HTTPException"}),
    "urllib": frozenset({"URLError"}),
    "urllib3": frozenset({"HTTPError"}),
    "requests": frozenset({"RequestException"}),
    "httpx": frozenset({"TransportError", "HTTPStatusError"}),
    "aiohttp": frozenset({"ClientError"}),
}
"""By the package that defines it, the exceptions that say: it could not be asked, or answered no.
Known by name, so that nothing is imported that a stage does not use."""
_OUR_FAULT = frozenset({"UnsupportedProtocol", "InvalidJSONError", "InvalidHeader"})
"""Of those, what the code that asks has done wrong. A wrong address is a ValueError everywhere."""


def class_of_status(status: int) -> ErrorClass:
    """What a status that is no success means.

    408, 425, 429 and 5xx pass; 401 and 407 say that the pipeline lacks credentials, which no image
    can help; any other 4xx says that the request, and so the image in it, is bad. What is left is
    no error that a service could mean (RFC 9110, 15).
    """
    if status in _TRY_AGAIN or status >= 500:
        return ErrorClass.TRANSIENT
    if status >= 400 and status not in _WHO_ARE_YOU:
        return ErrorClass.INVALID
    return ErrorClass.BUG


def retry_after(value: str | None) -> float | None:
    """Seconds to wait, from a number of seconds or an HTTP date (RFC 9110, 10.2.3)."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST_WAIT)
    try:
        moment = email.utils.parsedate_to_datetime(text)
        # A date that names no zone is meant in GMT, as all of HTTP's are.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(0.0, moment.timestamp() - time.time()), LONGEST_WAIT)
    except (ValueError, OverflowError):
        return None


def untrusted(error: BaseException) -> bool:
    """Whether the other side's certificate is not to be trusted: no retry will change that."""
    return _UNTRUSTED in str(error)


def network_failure(error: BaseException) -> tuple[ErrorClass, float | None] | None:
    """The class of an exception that a network client raised, and the seconds that the service
    asked us to wait; None if it is no such exception."""
    kinds = [(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__]
    if not any(name in _CLIENTS.get(package, ()) for package, name in kinds):
        return None
    status, headers = _answer(error)
    if status is not None:
        asked = headers.get("Retry-After") if hasattr(headers, "get") else None
        return class_of_status(status), retry_after(asked)
    ours = isinstance(error, ValueError) or any(name in _OUR_FAULT for _, name in kinds)
    return ErrorClass.BUG if ours or untrusted(error) else ErrorClass.TRANSIENT, None


def _answer(error: Any) -> tuple[int | None, Any]:
    """(status, headers) of the answer that an exception tells of."""
    answer = getattr(error, "response", None)
    answer = error if answer is None else answer
    for name in ("status_code", "status", "code"):
        if isinstance(status := getattr(answer, name, None), int) and 100 <= status <= 599:
            return status, getattr(answer, "headers", None)
    return None, None
