from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from imagelane.adapters.auditing.anchors import open_anchor
from imagelane.ports.audit import AnchorError

NOTE = "here\n1\nAAAA\n\n— here AAAA\n"


class Keeper(BaseHTTPRequestHandler):
    kept: ClassVar[list[tuple[str, str]]] = []
    status: ClassVar[int] = 201

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        name = self.headers["X-Imagelane-Checkpoint"]
        self.kept.append((name, self.rfile.read(length).decode()))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def keeper() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Keeper) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/keep?token=secret"
        server.shutdown()
        thread.join()


@pytest.fixture
def leaves(tmp_path: Path) -> Path:
    file = tmp_path / "leaves"
    file.write_text("leaves\n")
    return file


def test_a_folder_keeps_each_checkpoint_and_its_leaves(tmp_path: Path, leaves: Path) -> None:
    anchor = open_anchor(f"{tmp_path / 'kept'}/")
    first = Path(anchor.keep("run-1", NOTE, leaves))
    second = Path(anchor.keep("run-2", NOTE, leaves))
    assert first != second
    assert first.read_text(encoding="utf-8") == NOTE
    assert first.with_name(f"{first.name}.leaves").read_text() == "leaves\n"
    assert len(list((tmp_path / "kept").iterdir())) == 4


def test_a_file_keeps_the_newest(tmp_path: Path, leaves: Path) -> None:
    anchor = open_anchor(str(tmp_path / "newest.checkpoint"))
    anchor.keep("run-1", "old", leaves)
    assert Path(anchor.keep("run-2", NOTE, leaves)).read_text(encoding="utf-8") == NOTE


def test_a_service_is_sent_the_note_and_its_address_is_not_shown(
    keeper: str, leaves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor = open_anchor(keeper)
    assert anchor.keep("run-1", NOTE, leaves) == "127.0.0.1"
    assert Keeper.kept[-1] == ("run-1", NOTE)
    monkeypatch.setattr(Keeper, "status", 507)
    with pytest.raises(AnchorError, match="status 507") as refused:
        anchor.keep("run-1", NOTE, leaves)
    assert "secret" not in str(refused.value)


def test_a_program_gets_the_note_on_its_input(tmp_path: Path, leaves: Path) -> None:
    target = tmp_path / "printed"
    anchor = open_anchor(f"command:dd of='{target}' status=none")
    assert anchor.keep("run-1", NOTE, leaves) == "dd"
    assert target.read_text(encoding="utf-8") == NOTE
    with pytest.raises(AnchorError, match=r"ls did not keep it: exit code .*: .*nowhere"):
        open_anchor("command:ls nowhere").keep("run-1", NOTE, leaves)
    with pytest.raises(AnchorError, match="could not keep it"):
        open_anchor("command:no-such-program").keep("run-1", NOTE, leaves)


@pytest.mark.parametrize("text", ["command:", "https://"])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(AnchorError):
        open_anchor(text)
