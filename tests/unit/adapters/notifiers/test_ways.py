"""Every way in which people are alerted, with the real thing at the other end."""

from __future__ import annotations

import json
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from imagelane.adapters.notifiers import open_notifiers
from imagelane.adapters.notifiers.command import Command
from imagelane.model.alert import Alert
from imagelane.model.spec import AlertSpec
from imagelane.ports.notifier import Notifier, NotifierError

from .conftest import Hook

old_module = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""Apprise loads PGPy, which asks for a module that Python 3.13 has no more."""


def opened(folder: Path, kind: Any, environment: dict[str, str], **parameters: Any) -> Notifier:
    spec = AlertSpec(kind, kind, parameters)
    return open_notifiers([spec], folder, environment)[kind]


def test_a_log_gets_one_line_of_json_an_alert(tmp_path: Path, alert: Alert) -> None:
    log = opened(tmp_path, "log", {}, path="logs/alerts.jsonl")
    log.deliver(alert)
    log.deliver(alert)
    lines = (tmp_path / "logs/alerts.jsonl").read_bytes().split(b"\n")
    assert len(lines) == 3
    assert lines[2] == b""
    assert all(32 <= byte < 127 for byte in lines[0])
    assert json.loads(lines[0]) == {
        "pipeline": "news",
        "run": alert.run,
        "alert": 3,
        "kind": "run_halted",
        "subject": "1.2",
        "stage": "moderate",
        "message": alert.message,
        "next": f"imagelane resolve 1.2 VERB --run {alert.run} --reason WHY",
        "at": "2026-11-24T08:00:00Z",
    }


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path, alert: Alert) -> None:
    (tmp_path / "alerts").mkdir()
    with pytest.raises(NotifierError, match="alerts cannot be written: Is a directory"):
        opened(tmp_path, "log", {}, path="alerts").deliver(alert)


def test_a_webhook_is_posted_json(tmp_path: Path, hook: Hook, alert: Alert) -> None:
    headers = {"Authorization": "Bearer ${TOKEN}"}
    url = hook.url.replace("secret", "${PATH_OF_HOOK}")
    environment = {"TOKEN": "t0k", "PATH_OF_HOOK": "abc"}
    opened(tmp_path, "webhook", environment, url=url, headers=headers).deliver(alert)
    ((path, sent, body),) = hook.posted
    assert path == "/hook/abc"
    assert (sent["Authorization"], sent["Content-Type"]) == ("Bearer t0k", "application/json")
    assert json.loads(body)["message"] == alert.message


@pytest.mark.parametrize("status", [302, 307, 404, 500])
def test_what_is_no_success_is_a_failure_and_no_redirect_is_followed(
    tmp_path: Path, hook: Hook, alert: Alert, status: int
) -> None:
    hook.status, hook.location = status, hook.url + "/elsewhere"
    with pytest.raises(NotifierError, match=f"127.0.0.1 answered with status {status}") as found:
        opened(tmp_path, "webhook", {}, url=hook.url, headers={}).deliver(alert)
    assert "secret" not in str(found.value)
    assert len(hook.posted) == 1


def test_an_address_where_nobody_listens_shows_no_secret(tmp_path: Path, alert: Alert) -> None:
    url = "http://127.0.0.1:1/secret"
    with pytest.raises(NotifierError, match=r"127\.0\.0\.1 could not be asked") as found:
        opened(tmp_path, "webhook", {}, url=url, headers={}).deliver(alert)
    assert "secret" not in str(found.value)


def test_a_variable_that_is_not_set_is_found_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(NotifierError, match="the environment has no TOKEN, which alerts by webh"):
        opened(tmp_path, "webhook", {}, url="https://a.example/${TOKEN}", headers={})


def test_a_command_gets_the_alert_on_its_input_and_nothing_in_its_arguments(
    tmp_path: Path, alert: Alert
) -> None:
    program = "import sys; open('got', 'w').write(sys.stdin.read() + repr(sys.argv[1:]))"
    run = [sys.executable, "-c", program, "$(id)", "{message}"]
    opened(tmp_path, "command", {}, run=run).deliver(alert)
    body, arguments = (tmp_path / "got").read_text(encoding="utf-8").split("\n")
    assert json.loads(body)["message"] == alert.message
    assert arguments == repr(["$(id)", "{message}"])


def test_a_command_that_fails_says_how(tmp_path: Path, alert: Alert) -> None:
    run = [sys.executable, "-c", "import sys; sys.exit('no pager here')"]
    with pytest.raises(NotifierError, match="ended with exit code 1: no pager here"):
        opened(tmp_path, "command", {}, run=run).deliver(alert)
    with pytest.raises(NotifierError, match="nowhere cannot be started: No such file"):
        opened(tmp_path, "command", {}, run="nowhere").deliver(alert)


def test_a_command_that_hangs_is_killed_with_what_it_started(
    tmp_path: Path, alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagelane.adapters.notifiers.command.TIMEOUT", 0.3)
    command = Command(["/bin/sh", "-c", "sleep 600 & echo $! > child; wait"], tmp_path)
    with pytest.raises(NotifierError, match=r"sh did not end within 0\.3 s"):
        command.deliver(alert)
    child = int((tmp_path / "child").read_text(encoding="ascii"))
    ends = time.monotonic() + 20
    while _lives(child) and time.monotonic() < ends:
        time.sleep(0.01)
    assert not _lives(child)


def _lives(process: int) -> bool:
    """Whether it is there and not dead already, waiting for whoever inherits it."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").split()[2] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Post(socketserver.StreamRequestHandler):
    """As much of a mail server as a client needs."""

    def handle(self) -> None:
        mails: list[bytes] = self.server.mails  # type: ignore[attr-defined] # set by the fixture
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            match line.strip().upper()[:4]:
                case b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mail = b"".join(iter(self.rfile.readline, b".\r\n"))
                    mails.append(mail)
                    self.wfile.write(b"250 taken\r\n")
                case b"RCPT" if b"nobody@" in line:
                    self.wfile.write(b"550 unknown\r\n")
                case b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                case _:
                    self.wfile.write(b"250 fine\r\n")


@pytest.fixture
def post() -> Iterator[socketserver.ThreadingTCPServer]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post)
    server.mails = []  # type: ignore[attr-defined] # what it was sent
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def mail_to(post: socketserver.ThreadingTCPServer, to: str) -> dict[str, Any]:
    return {
        "to": to,
        "sender": "imagelane@example.org",
        "host": "127.0.0.1",
        "port": post.server_address[1],
        "security": "none",
        "user": None,
        "password": None,
    }


def test_a_mail_has_plain_text_and_no_header_of_a_stranger(
    tmp_path: Path, post: socketserver.ThreadingTCPServer, alert: Alert
) -> None:
    opened(tmp_path, "mail", {}, **mail_to(post, "desk@example.org")).deliver(alert)
    (raw,) = post.mails  # type: ignore[attr-defined] # as above
    mail = message_from_bytes(raw, policy=default)
    assert mail["Subject"] == "imagelane: news: run halted"
    assert mail["To"] == "desk@example.org"
    assert mail["Bcc"] is None
    assert mail.get_content_type() == "text/plain"
    assert "Next: imagelane resolve 1.2 VERB" in mail.get_content()
    assert "VERB is one of retry, skip, abort, approve, reject" in mail.get_content()
    assert "<script>" in mail.get_content()


def test_a_refused_address_is_a_failure(
    tmp_path: Path, post: socketserver.ThreadingTCPServer, alert: Alert
) -> None:
    with pytest.raises(NotifierError, match="did not take it: SMTPRecipientsRefused"):
        opened(tmp_path, "mail", {}, **mail_to(post, "nobody@example.org")).deliver(alert)


@old_module
def test_apprise_delivers_to_a_service_of_its_own(tmp_path: Path, hook: Hook, alert: Alert) -> None:
    pytest.importorskip("apprise", reason="the extra imagelane[alerts] is not installed")
    address = hook.url.replace("http://", "json://")
    opened(tmp_path, "apprise", {}, urls=[address]).deliver(alert)
    ((_, _, body),) = hook.posted
    assert json.loads(body)["title"] == "imagelane: news: run halted"
    assert alert.message in json.loads(body)["message"]
    hook.status = 500
    with pytest.raises(NotifierError, match="could not deliver it"):
        opened(tmp_path, "apprise", {}, urls=[address]).deliver(alert)


@old_module
def test_apprise_says_which_address_it_does_not_understand(tmp_path: Path) -> None:
    pytest.importorskip("apprise", reason="the extra imagelane[alerts] is not installed")
    with pytest.raises(NotifierError, match="does not understand address 1 of 1"):
        opened(tmp_path, "apprise", {}, urls="nonsense://")
