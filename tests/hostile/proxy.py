"""A service behind a network that is slow, half-open, or cut: an asyncio server of the test's own.

Each connection is treated as the next of the ``plan`` says; beyond it, honestly.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass, field

ANSWER = b'{"label": "boat"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
WHOLE = HEAD % len(ANSWER) + ANSWER
STRAY = HEAD % 19 + b'{"label": "poison"}'
HONEST = ("", (WHOLE,), "")
TREATMENTS = {
    # What happens before a request is read, what is answered to it, what happens after that.
    "reset at once": ("reset", (), ""),
    "never reads": ("silence", (), ""),
    "never answers": ("", (), "silence"),
    "reset before the answer": ("", (), "reset"),
    "closed before the answer": ("", (), "close"),
    "half an answer, then silence": ("", (WHOLE[:-6],), "silence"),
    "half an answer, then closed": ("", (WHOLE[:-6],), "close"),
    "half an answer, then reset": ("", (WHOLE[:-6],), "reset"),
    "half a head, then silence": ("", (HEAD[:20],), "silence"),
    "a head that trickles": ("", tuple(HEAD[place : place + 1] for place in range(60)), "close"),
    "no HTTP": ("", (b"\x16\x03\x01 who are you?\r\n\r\n",), "close"),
    "one more answer than asked": ("", (WHOLE, STRAY), ""),
    "gone after its answer": ("", (WHOLE,), "reset"),
}
_LINGER_NOT = struct.pack("ii", 1, 0)
"""Closing then resets the connection instead of ending it."""


@dataclass
class Network:
    """``plan`` names what happens to each connection. ``served`` counts requests answered whole on
    each connection, in the order in which they were opened."""

    plan: deque[str] = field(default_factory=deque)
    served: list[int] = field(default_factory=list)
    port: int = 0
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._over.wait()
        # Not waited for: those who are silent are cancelled with the loop.
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.served)
        self.served.append(0)
        how = self.plan.popleft() if self.plan else "honest"
        try:
            await self._treat(how, number, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _treat(
        self, how: str, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        before, said, after = TREATMENTS.get(how, HONEST)
        if before:
            await _end(before, writer)
            return
        while await _request(reader):
            # Before the client can have it, and look.
            self.served[number] += ANSWER in b"".join(said)
            for piece in said:
                writer.write(piece)
                await writer.drain()
                if len(said) > 2:
                    await asyncio.sleep(0.2)
            if after:
                await asyncio.sleep(0.05)
                await _end(after, writer)
                return


async def _end(how: str, writer: asyncio.StreamWriter) -> None:
    if how == "silence":
        await asyncio.sleep(3600)
    if how == "reset":
        # As a cut cable, as far as the kernel can tell.
        own = writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> bool:
    """Read one request to its end; False where none comes any more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return False
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            await reader.readexactly(int(value))
    return True
