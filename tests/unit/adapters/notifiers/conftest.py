"""Alerts to deliver, and servers on this machine that take them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from imagelane.model.alert import Alert, plain
from imagelane.model.ids import RunId

HOSTILE = '"; rm -rf ~ #\r\nBcc: all@example.org\x1b[2J <script>\u202e $(reboot) `id`'
"""What an image's text may hold."""


@pytest.fixture
def alert() -> Alert:
    return Alert(
        run=RunId("20261124-081500-ab12"),
        pipeline="news",
        number=3,
        cause="run_halted",
        stage="moderate",
        about="1.2",
        message=plain(f"moderate failed on 1.2: {HOSTILE}"),
        at=1_795_507_200.0,
    )


@dataclass
class Hook:
    """What was posted, and what is answered."""

    url: str = ""
    status: int = 204
    location: str = ""
    posted: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    told = Hook()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.posted.append((self.path, dict(self.headers), body))
            self.send_response(told.status)
            if told.location:
                self.send_header("Location", told.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/hook/secret"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()
