"""Any exception as a class: what can help is tried again, and nothing else."""

from __future__ import annotations

import concurrent.futures
import errno
import http.client
import io
import socket
import ssl
import subprocess
import sys
import urllib.error
from email.message import Message

import pytest
import urllib3

from imagelane.execute import vips
from imagelane.execute.errors import BugError, DeadlineError, InvalidError, TransientError
from imagelane.execute.failures import failure_of
from imagelane.execute.network import class_of_status
from imagelane.model.states import ErrorClass

BUG, INVALID, TRANSIENT = ErrorClass.BUG, ErrorClass.INVALID, ErrorClass.TRANSIENT


def foreign(path: str, *, base: type[Exception] = Exception, **attributes: object) -> Exception:
    """An exception of a package that is not installed here: known by where it says it is from."""
    module, _, names = path.partition(":")
    kind = base
    for name in names.split("<")[::-1]:
        kind = type(name, (kind,), {"__module__": module})
    error = kind("said")
    vars(error).update(attributes)
    return error


class Answer:
    def __init__(self, status: int, **headers: str) -> None:
        self.status_code = status
        self.headers = {name.replace("_", "-"): text for name, text in headers.items()}


def answered(status: int, wait: str = "") -> urllib.error.HTTPError:
    headers = Message()
    if wait:
        headers["Retry-After"] = wait
    return urllib.error.HTTPError("http://a/", status, "no", headers, io.BytesIO())


def refused() -> Exception:
    """What a machine says where nobody listens."""
    try:
        socket.create_connection(("127.0.0.1", 1), timeout=5)
    except OSError as error:
        return error
    raise AssertionError("somebody listens on port 1")


def of_pyvips(text: str) -> Exception:
    return vips.VipsError(text)


TABLE: list[tuple[Exception, ErrorClass, float | None]] = [
    # what stages raise on purpose
    (InvalidError("bad"), INVALID, None),
    (TransientError("later", retry_after=3.0), TRANSIENT, 3.0),
    (DeadlineError("late"), ErrorClass.TIMEOUT, None),
    (BugError("wrong"), BUG, None),
    # Python's own
    (refused(), TRANSIENT, None),
    (ConnectionResetError(), TRANSIENT, None),
    (BrokenPipeError(errno.EPIPE, "Broken pipe"), TRANSIENT, None),
    (TimeoutError("timed out"), TRANSIENT, None),
    (TimeoutError(), TRANSIENT, None),
    (concurrent.futures.TimeoutError(), TRANSIENT, None),
    (socket.gaierror(socket.EAI_AGAIN, "try again"), TRANSIENT, None),
    (http.client.IncompleteRead(b""), TRANSIENT, None),
    (http.client.RemoteDisconnected("closed"), TRANSIENT, None),
    (ssl.SSLError("EOF in the handshake"), TRANSIENT, None),
    (ssl.SSLCertVerificationError("[SSL: CERTIFICATE_VERIFY_FAILED]"), BUG, None),
    (urllib.error.URLError(ConnectionRefusedError()), TRANSIENT, None),
    (answered(503, "7"), TRANSIENT, 7.0),
    (answered(429, "Wed, 21 Oct 2015 07:28:00 GMT"), TRANSIENT, 0.0),
    (answered(404), INVALID, None),
    (answered(401), BUG, None),
    (MemoryError(), TRANSIENT, None),
    (OSError(errno.ENOSPC, "No space left on device", "out/x"), TRANSIENT, None),
    (OSError(errno.EHOSTUNREACH, "No route to host"), TRANSIENT, None),
    (OSError(errno.ENOEXEC, "Exec format error"), BUG, None),
    (FileNotFoundError(errno.ENOENT, "No such file", "x.csv"), BUG, None),
    (subprocess.CalledProcessError(1, "x"), BUG, None),
    (KeyError("sku"), BUG, None),
    (ValueError("no number"), BUG, None),
    (RecursionError(), BUG, None),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), BUG, None),
    # clients
    (urllib3.exceptions.ProtocolError("aborted"), TRANSIENT, None),
    (urllib3.exceptions.ReadTimeoutError(None, "", "slow"), TRANSIENT, None),  # type: ignore[arg-type] # no pool
    (urllib3.exceptions.LocationParseError("x"), BUG, None),
    (foreign("httpx:ConnectError<NetworkError<TransportError"), TRANSIENT, None),
    (foreign("httpx:UnsupportedProtocol<TransportError"), BUG, None),
    (foreign("httpx:HTTPStatusError", response=Answer(502, Retry_After="5")), TRANSIENT, 5.0),
    (foreign("httpx:HTTPStatusError", response=Answer(422)), INVALID, None),
    (foreign("aiohttp.client_exceptions:ServerDisconnectedError<ClientError"), TRANSIENT, None),
    (
        foreign("aiohttp.client_exceptions:ClientResponseError<ClientError", status=503),
        TRANSIENT,
        None,
    ),
    (foreign("aiohttp.client_exceptions:InvalidURL<ClientError", base=ValueError), BUG, None),
    (foreign("mine:TransportError"), BUG, None),
    # libvips
    (of_pyvips("unable to call x\n  vips_tracked: out of memory"), TRANSIENT, None),
    (of_pyvips("write error\nsystem error: No space left on device"), TRANSIENT, None),
    (of_pyvips("extract_area: bad extract area"), BUG, None),
]


@pytest.mark.parametrize(
    ("error", "expected", "wait"),
    TABLE,
    ids=[f"{place}-{type(row[0]).__name__}-{row[1]}" for place, row in enumerate(TABLE)],
)
def test_the_class_of(error: Exception, expected: ErrorClass, wait: float | None) -> None:
    failure = failure_of(error)
    assert failure.error is expected
    assert failure.retry_after == wait
    assert failure.message.isprintable()
    assert failure.message


def test_the_exceptions_of_requests_as_they_are() -> None:
    requests = pytest.importorskip("requests", reason="comes with imagelane[alerts]")
    with pytest.raises(requests.ConnectionError) as found:
        requests.get("http://127.0.0.1:1/", timeout=5)
    assert failure_of(found.value).error is TRANSIENT
    with pytest.raises(requests.exceptions.MissingSchema) as found:
        requests.get("no-address", timeout=5)
    assert failure_of(found.value).error is BUG
    response = requests.Response()
    response.status_code, response.headers["Retry-After"] = 503, "9"
    with pytest.raises(requests.HTTPError) as found:
        response.raise_for_status()
    failure = failure_of(found.value)
    assert (failure.error, failure.retry_after) == (TRANSIENT, 9.0)


def test_only_a_bug_brings_its_traceback() -> None:
    assert failure_of(ConnectionResetError("gone")).detail == ""
    assert "KeyError" in failure_of(KeyError("sku")).detail


@pytest.mark.parametrize("status", range(300, 600))
def test_every_status_has_a_class(status: int) -> None:
    expected = {3: BUG, 4: INVALID, 5: TRANSIENT}[status // 100]
    exceptions = {401: BUG, 407: BUG, 408: TRANSIENT, 425: TRANSIENT, 429: TRANSIENT}
    assert class_of_status(status) is exceptions.get(status, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VipsJpeg: premature end of JPEG image", INVALID),
        ("write error: No space left on device", TRANSIENT),
        ("system error: Too many open files", TRANSIENT),
    ],
)
def test_a_machine_that_lacks_something_has_not_found_a_damaged_picture(
    text: str, expected: ErrorClass
) -> None:
    refusal = vips.refusal("the png is damaged", vips.VipsError(text))
    assert refusal.error is expected
    assert refusal.message.startswith("the png is damaged: ")


SHORT_OF_MEMORY = """
import resource

from imagelane.execute import vips
from imagelane.execute.failures import failure_of

big = vips.VipsImage.black(6000, 6000, bands=3).pngsave_buffer(compression=1)
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (30 << 20),) * 2)
try:
    vips.VipsImage.pngload_buffer(big).write_to_memory()
except vips.VipsError as error:
    refusal = vips.refusal("the png is damaged", error)
    refusal.__cause__ = error
    print(failure_of(refusal))
"""


def test_a_decode_that_found_no_memory_is_tried_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY], capture_output=True, text=True, check=True
    )
    assert "TRANSIENT" in done.stdout
    assert "out of memory" in done.stdout
