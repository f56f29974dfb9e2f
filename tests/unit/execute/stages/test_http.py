"""Against a real server on this machine."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from imagelane.execute.addresses import is_public, public_address
from imagelane.execute.errors import InvalidError
from imagelane.execute.stages import http
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench, source_of
from tests.images.files import coded, photo


@dataclass
class Service:
    """What it is to answer, and what it was asked."""

    status: int = 200
    answer: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    trickle: bool = False
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)
    url: str = ""


@pytest.fixture
def service() -> Iterator[Service]:
    told = Service()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told.asked.append((self.command, self.path, dict(self.headers), body))
            told.connections.add(self.client_address)
            time.sleep(told.wait)
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.answer)))
            self.end_headers()
            try:
                for part in (
                    [told.answer[at : at + 1] for at in range(len(told.answer))]
                    if (told.trickle)
                    else [told.answer]
                ):
                    self.wfile.write(part)
                    self.wfile.flush()
                    time.sleep(0.1 if told.trickle else 0)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_PUT = do_POST  # noqa: N815 - as the base class has it

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    http._pools().clear()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "my picture.jpg"
    path.write_bytes(coded(photo(64, 48), "jpeg"))
    return path


def test_the_file_is_sent_and_the_answer_becomes_facts(
    bench: Bench, service: Service, picture: Path
) -> None:
    service.answer = b'{"label": "boat\\u202e", "score": 0.5, "tags": ["a", "b"]}'
    done = bench.stage("http", url=f"{service.url}/check").one(picture)
    assert done.facts == {"label": "boat", "score": 0.5, "tags": ["a", "b"]}
    method, path, headers, body = service.asked[0]
    assert (method, path) == ("POST", "/check")
    assert headers["Content-Type"] == "image/jpeg"
    assert body == picture.read_bytes()


def test_facts_in_the_address_are_encoded(bench: Bench, service: Service, picture: Path) -> None:
    file = replace(source_of(picture), columns={"sku": "a/../b?x=1&y=ü"})
    bench.stage("http", url=f"{service.url}/p/{{sku}}/{{stem}}?n={{name}}", send="none")
    bench.one(file)
    assert (
        service.asked[0][1] == "/p/a%2F..%2Fb%3Fx%3D1%26y%3D%C3%BC/my%20picture?n=my%20picture.jpg"
    )
    assert service.asked[0][3] == b""


def test_facts_in_headers_cannot_add_headers(bench: Bench, service: Service, picture: Path) -> None:
    file = replace(source_of(picture), columns={"who": "me\r\nX-Evil: 1", "name2": "Zoë"})
    bench.stage("http", url=service.url, headers={"X-Who": "{who}", "X-Name": "{name2}"})
    bench.one(file)
    headers = service.asked[0][2]
    assert headers["X-Who"] == "me X-Evil: 1"
    assert "X-Evil" not in headers
    assert headers["X-Name"].encode("latin-1").decode() == "Zoë"


def test_a_name_that_is_no_unicode(bench: Bench, service: Service, tmp_path: Path) -> None:
    path = tmp_path / "odd\udcff.jpg"
    path.write_bytes(coded(photo(64, 48), "jpeg"))
    bench.stage("http", url=f"{service.url}/{{name}}", send="facts", headers={"X": "{name}"})
    bench.one(path)
    assert service.asked[0][1] == "/odd%FF.jpg"
    assert json.loads(service.asked[0][3])["name"] == path.name


def test_facts_are_sent_as_json(bench: Bench, service: Service, picture: Path) -> None:
    bench.stage("metadata").stage("http", url=service.url, send="facts", needs=["metadata"])
    bench.order(picture)
    sent = json.loads(service.asked[0][3])
    assert sent["name"] == "my picture.jpg"
    assert sent["facts"]["orientation"] == 1
    assert service.asked[0][2]["Content-Type"] == "application/json"


def test_the_largest_file_of_a_stage_is_sent(bench: Bench, service: Service, picture: Path) -> None:
    bench.stage("thumbnails", widths=[16, 32])
    made = bench.one(picture)
    bench.stage("http", url=service.url, send="thumbnails", needs=["thumbnails"])
    inputs = {"thumbnails": made.renditions}
    bench.one(picture, "http", inputs=inputs)
    assert service.asked[0][3] == bench.bytes_of(made.renditions[1])
    failure = bench.fails(picture, "http", inputs={})
    assert "'thumbnails' has made no file" in failure.message


@pytest.mark.parametrize("verdict", ["approve", "review", "reject"])
def test_a_verdict(bench: Bench, service: Service, picture: Path, verdict: str) -> None:
    service.answer = json.dumps({"decision": verdict, "why": "x"}).encode()
    done = bench.stage("http", url=service.url, verdict="decision", facts=["why"]).one(picture)
    assert done.verdict == verdict
    assert done.facts == {"why": "x"}


@pytest.mark.parametrize(
    "answer",
    [b"", b"ok", b"[]", b'{"other": "approve"}', b'{"decision": "approved"}', b'{"decision": true}',
     b'{"decision": ["approve"]}', b'{"decision": "approve", "x": NaN}', b'{"decision": "appro'],
)  # fmt: skip
def test_whatever_else_is_answered_is_no_approval(
    bench: Bench, service: Service, picture: Path, answer: bytes
) -> None:
    service.answer = answer
    failure = bench.stage("http", url=service.url, verdict="decision").fails(picture)
    assert failure.error is ErrorClass.BUG


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ErrorClass.INVALID),
        (401, ErrorClass.BUG),
        (403, ErrorClass.INVALID),
        (404, ErrorClass.INVALID),
        (407, ErrorClass.BUG),
        (422, ErrorClass.INVALID),
        (408, ErrorClass.TRANSIENT),
        (425, ErrorClass.TRANSIENT),
        (429, ErrorClass.TRANSIENT),
        (500, ErrorClass.TRANSIENT),
        (503, ErrorClass.TRANSIENT),
        (302, ErrorClass.BUG),
    ],
)
def test_statuses(
    bench: Bench, service: Service, picture: Path, status: int, error: ErrorClass
) -> None:
    service.status, service.answer = status, b"too dark\n\x1b[31m"
    service.headers["Location"] = "http://169.254.169.254/latest/meta-data"
    failure = bench.stage("http", url=service.url).fails(picture)
    assert failure.error is error
    assert str(status) in failure.message
    assert len(service.asked) == 1


def test_statuses_of_ones_own(bench: Bench, service: Service, picture: Path) -> None:
    bench.stage("http", url=service.url, expect_status=[404], facts="none")
    assert bench.fails(picture).error is ErrorClass.BUG
    service.status = 404
    assert bench.one(picture).facts == {}


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("7", 7, 7),
        (" 7 ", 7, 7),
        ("999999", 3600, 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Fri, 31 Dec 2100 23:59:59 -0000", 3600, 3600),
    ],
)
def test_retry_after(
    bench: Bench, service: Service, picture: Path, *, said: str, least: float, most: float
) -> None:
    service.status, service.headers["Retry-After"] = 429, said
    failure = bench.stage("http", url=service.url).fails(picture)
    assert failure.retry_after is not None
    assert least <= failure.retry_after <= most


@pytest.mark.parametrize("said", ["soon", "", "-5", "\xb2"])
def test_a_retry_after_that_is_none(
    bench: Bench, service: Service, picture: Path, said: str
) -> None:
    service.status, service.headers["Retry-After"] = 503, said
    assert bench.stage("http", url=service.url).fails(picture).retry_after is None


def test_the_deadline_holds(bench: Bench, service: Service, picture: Path) -> None:
    service.wait = 1.5
    started = time.monotonic()
    failure = bench.stage("http", url=service.url, timeout=0.3).fails(picture)
    assert failure.error is ErrorClass.TIMEOUT
    assert time.monotonic() - started < 1.2


def test_the_deadline_holds_where_the_answer_trickles(
    bench: Bench, service: Service, picture: Path
) -> None:
    service.answer, service.trickle = b'{"a": "' + b"x" * 40 + b'"}', True
    started = time.monotonic()
    failure = bench.stage("http", url=service.url, timeout=0.5).fails(picture)
    assert failure.error is ErrorClass.TIMEOUT
    assert time.monotonic() - started < 2


def test_an_endless_answer_is_cut_off(bench: Bench, service: Service, picture: Path) -> None:
    service.answer = b" " * 5_000_000
    failure = bench.stage("http", url=service.url).fails(picture)
    assert "more than" in failure.message


def test_nobody_there_is_transient(bench: Bench, picture: Path) -> None:
    failure = bench.stage("http", url="http://127.0.0.1:9/").fails(picture)
    assert failure.error is ErrorClass.TRANSIENT
    assert "could not be asked" in failure.message


def test_connections_are_kept(bench: Bench, service: Service, picture: Path) -> None:
    bench.stage("http", url=service.url)
    for _ in range(5):
        bench.one(picture)
    assert len(service.connections) == 1


@pytest.mark.parametrize(
    "url", ["{base}/check", "http://{host}/x", "http://127.0.0.1.{host}/", "http://{host}@x/"]
)
def test_data_may_not_lead_into_the_own_network(
    bench: Bench, service: Service, picture: Path, url: str
) -> None:
    place = service.url.removeprefix("http://")
    file = replace(source_of(picture), columns={"base": service.url, "host": place})
    failure = bench.stage("http", url=url).fails(file)
    assert failure.error in {ErrorClass.INVALID, ErrorClass.TRANSIENT}
    assert service.asked == []


def test_it_may_where_that_is_said(bench: Bench, service: Service, picture: Path) -> None:
    file = replace(source_of(picture), columns={"base": service.url})
    bench.stage("http", url="{base}/a/{stem}", private=True)
    bench.one(file)
    assert service.asked[0][1] == "/a/my%20picture"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104 - looked at, not bound to
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2001:0:53aa:64c:0:0:80ff:fffe",
        "fec0::1",
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "168.63.129.16",
        "::ffff:168.63.129.16",
        "nonsense",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "2130706433",
        "017700000001",
        "0",
        "::ffff:127.0.0.1",
    ],
)
def test_other_ways_to_write_loopback(host: str) -> None:
    with pytest.raises(InvalidError):
        public_address(host, 80)


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(_host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("93.184.216.34", "10.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(InvalidError, match=r"leads to 10\.0\.0\.1"):
        public_address("images.invalid", 80)


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(
    bench: Bench, service: Service, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(host: str, _port: int) -> str:
        looked.append(host)
        return "127.0.0.1"

    monkeypatch.setattr(http, "public_address", look)
    port = service.url.rpartition(":")[2]
    file = replace(source_of(picture), columns={"host": f"images.invalid:{port}"})
    bench.stage("http", url="http://{host}/x").fails(file)  # the colon of a fact is encoded
    file = replace(source_of(picture), columns={"host": "images.invalid"})
    bench.stages.clear()
    bench.stage("http", url=f"http://{{host}}:{port}/x").one(file)
    assert looked[-1] == "images.invalid"
    assert service.asked[0][2]["Host"] == f"images.invalid:{port}"
