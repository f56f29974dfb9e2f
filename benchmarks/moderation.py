"""The reference gallery with a moderation service that fails: what the policies make of it.

The service is a real HTTP server that answers a share of its calls with 503, lets another share run
into the stage's timeout, and is gone for some seconds in the middle: nobody listens on its port.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import apsw

from benchmarks.photographs import make_tiny
from benchmarks.quiet import wait_until_quiet
from benchmarks.reference_gallery import WAITING
from benchmarks.results import machine, table
from imagelane.schedule.budget import FLOOR

FAILING = 0.2
TIMING_OUT = 0.05
BUDGET = 0.6
"""A service that fails a quarter of its calls needs a third more of them, and an outage some."""
_PIPELINE = """\
pipeline: reference-gallery
images: {{from: photos/, group: folder}}
run: {{pools: {{work: 10}}}}
alerts: [{{log: alerts.jsonl}}]
stages:
  validate: {{uses: "waiting:wait", needs: [], with: {{seconds: {seconds}}}, pool: work}}
  metadata: {{uses: "waiting:wait", needs: [validate], with: {{seconds: {seconds}}}, pool: work}}
  thumbnails: {{uses: "waiting:wait", needs: [validate], with: {{seconds: {seconds}}}, pool: work}}
  watermark: {{uses: "waiting:wait", needs: [metadata], with: {{seconds: {seconds}}}, pool: work}}
  moderate:
    uses: http
    needs: [validate]
    with: {{url: "{url}/{{stem}}", send: none, verdict: verdict}}
    workers: 5
    timeout: {timeout}
    retry: {{attempts: 8, initial: 100ms, max: 1s, budget: {budget}}}
    breaker: {{failures: 8, of: 10, pause: {pause}}}
  store:
    uses: "waiting:wait"
    needs: [thumbnails, watermark, moderate]
    with: {{seconds: {seconds}}}
    pool: work
  publish: {{uses: "waiting:wait", needs: [store], with: {{seconds: {seconds}}}, pool: work}}
"""
_COUNTS = """
SELECT (SELECT count(*) FROM events WHERE run = 1 AND type = 'image_received'),
       (SELECT count(*) FROM images WHERE run = 1)
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the gallery is. Times in seconds: what an answer takes, how long the stage waits
    for one, how long the service is gone, and the breaker's first pause."""

    images: int = 50
    seconds: float = 0.5
    answer: float = 0.5
    timeout: float = 2.0
    outage: float = 5.0
    pause: float = 1.0


@dataclass
class Service:
    """Answers, fails and dies as told. What becomes of a call depends on its image and on how
    often that was asked for, so that every run meets the same."""

    size: Size
    calls: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None
    _dying: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/check"

    def meets(self, stem: str) -> str:
        """What this call meets: fine, failing or timing-out."""
        with self._lock:
            self.calls[stem] += 1
            draw = int(hashlib.sha256(f"{stem}/{self.calls[stem]}".encode()).hexdigest()[:8], 16)
            share = draw / 0xFFFFFFFF
            late = FAILING <= share < FAILING + TIMING_OUT
            found = "failing" if share < FAILING else "timing-out" if late else "fine"
            self.met[found] += 1
            if self.calls.total() == self.size.images // 2 and self.size.outage:
                self._dying = threading.Thread(target=self._die)
                self._dying.start()
        return found

    def listen(self) -> None:
        service = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                found = service.meets(self.path.rpartition("/")[2])
                slow = service.size.timeout + 0.5 if found == "timing-out" else service.size.answer
                time.sleep(slow)
                body = b'{"verdict": "approve"}'
                try:
                    self.send_response(503 if found == "failing" else 200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_: Any) -> None: ...

        server = self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Answering)
        server.daemon_threads = True
        self.port = server.server_port
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def close(self) -> None:
        if self._dying is not None:
            self._dying.join()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _die(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        time.sleep(self.size.outage)
        self.listen()


@contextmanager
def serving(size: Size) -> Iterator[Service]:
    service = Service(size)
    service.listen()
    try:
        yield service
    finally:
        service.close()


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a run. ``attempts`` are those at `moderate`, of which ``refused`` found nobody
    listening; ``allowed`` is how many more than images there may be of them. ``samples`` is how
    often the counts were looked at while it ran, and ``sums`` how often they did not add up."""

    seconds: float
    code: int
    images: dict[str, int]
    attempts: int
    refused: int
    allowed: float
    alerts: list[dict[str, Any]]
    samples: int
    sums: int


def gallery(folder: Path, size: Size) -> Measured:
    """Run it once, as a user would, and watch it from outside."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "waiting.py").write_text(WAITING, encoding="utf-8")
    make_tiny(folder / "photos", size.images, a_group=max(1, size.images // 5))
    with serving(size) as service:
        text = _PIPELINE.format(
            seconds=size.seconds,
            timeout=size.timeout,
            pause=size.pause,
            budget=BUDGET,
            url=service.url,
        )
        (folder / "pipeline.yaml").write_text(text, encoding="utf-8")
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "imagelane", "run", str(folder / "pipeline.yaml"), "--quiet"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        samples = wrong = 0
        while process.poll() is None:
            time.sleep(0.05)
            counts = _sample(folder)
            samples += counts is not None
            wrong += counts is not None and counts[0] != counts[1]
        taken = time.monotonic() - began
    images, attempts, refused = _outcome(folder)
    return Measured(
        seconds=taken,
        code=process.returncode,
        images=images,
        attempts=attempts,
        refused=refused,
        allowed=FLOOR + BUDGET * size.images,
        alerts=_alerts(folder / "alerts.jsonl"),
        samples=samples,
        sums=wrong,
    )


def _sample(folder: Path) -> tuple[int, int] | None:
    """(images received, images in some state) at one moment; None while there is no run yet."""
    path = folder / ".imagelane" / "journal.db"
    if not path.exists():
        return None
    try:
        with apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY) as journal:
            row = journal.execute(_COUNTS).fetchone()
    except apsw.Error:
        return None
    return (int(row[0]), int(row[1])) if row else None


def _outcome(folder: Path) -> tuple[dict[str, int], int, int]:
    path = folder / ".imagelane" / "journal.db"
    with apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY) as journal:
        states = dict(journal.execute("SELECT state, count(*) FROM images GROUP BY state"))
        attempts, refused = journal.execute(
            "SELECT count(*), sum(body LIKE '%could not be asked%') FROM events "
            "WHERE stage = 'moderate' AND type IN ('task_succeeded', 'task_failed')"
        ).fetchone() or (0, 0)
    return {str(state): int(count) for state, count in states.items()}, attempts, refused


def _alerts(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def measure(scratch: Path, scale: float, patience: float) -> str:
    """Run it once at full size and give the section's text."""
    size = Size(seconds=0.5 * scale, answer=0.5 * scale)
    before = wait_until_quiet(patience)
    found = gallery(scratch / "moderation", size)
    published = found.images.get("published", 0)
    extra = found.attempts - size.images
    rows = [
        ["published", f"{published} of {size.images}"],
        ["attempts at moderation", str(found.attempts)],
        ["more than images", f"{extra} of {found.allowed:g} that the budget allows"],
        ["of them with nobody listening", str(found.refused)],
        ["alerts", ", ".join(str(alert["kind"]) for alert in found.alerts) or "none"],
        ["counts looked at while it ran", f"{found.samples}, wrong {found.sums} times"],
        ["whole process, s", f"{found.seconds:.1f}"],
    ]
    text = (
        f"{size.images} images; moderation by a service that fails {FAILING:.0%} of its calls, "
        f"times out {TIMING_OUT:.0%} and is gone for {size.outage:g} s in the middle. "
        f"Retry budget {BUDGET:.0%}."
    )
    quiet = f"- others took {before:.0%} of the machine just before"
    return "\n".join([text, "", table(["", "measured"], rows), "", quiet, machine()])
