"""Waits for all worker processes at once: one thread, one selector, and the next moment of need."""

from __future__ import annotations

import math
import os
import selectors
import threading
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from imagelane.adapters.pools.child import Child

Owner = TypeVar("Owner")
"""Who is told that a child has something to say."""

_REAP = 0.05
"""Seconds between two looks at a process that was killed and is not over yet."""


class Switchboard(Generic[Owner]):
    """Carries frames to children, collects what they print, and tells who has something to say."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._unsent: set[Child] = set()
        self._blocked: set[Child] = set()
        self._dying: list[Child] = []
        self._next_look = math.inf
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._bell_stands = threading.Lock()
        self._wanted = False
        self._selector.register(self._bell, selectors.EVENT_READ)
        self.owners: dict[Owner, Child] = {}

    def add(self, owner: Owner, child: Child) -> None:
        """Begin to listen to a child."""
        self.owners[owner] = child
        self._selector.register(child.channel, selectors.EVENT_READ, (owner, child))
        self._selector.register(child.output, selectors.EVENT_READ, (owner, None))

    def remove(self, owner: Owner, child: Child) -> None:
        """Take in a child's last words, let go of the connections, and see to it that it ends."""
        del self.owners[owner]
        self._unsent.discard(child)
        self._blocked.discard(child)
        self._selector.unregister(child.channel)
        if not child.mute:
            self._selector.unregister(child.output)
        child.listen()
        child.close()
        if not child.ended():
            self._dying.append(child)
            self.look_by(time.monotonic() + _REAP)

    def say(self, child: Child, frame: bytes, descriptor: int | None = None) -> None:
        """Have a frame sent with the others of this turn, in one write, and a descriptor with it,
        which is closed then."""
        child.tell(frame, descriptor)
        self._unsent.add(child)

    def flush(self) -> None:
        """Send what was said as far as the children take it; the rest follows when they do."""
        while self._unsent:
            child = self._unsent.pop()
            all_sent = child.flush()
            if all_sent and child in self._blocked:
                self._blocked.discard(child)
                self._listen_for(child, selectors.EVENT_READ)
            elif not all_sent and child not in self._blocked:
                self._blocked.add(child)
                self._listen_for(child, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def listen(self, timeout: float) -> Iterator[Owner | None]:
        """Who has something to say, or has fallen silent, within ``timeout`` seconds or until
        somebody must be looked after; None where `ring` was called."""
        self.flush()
        wait = min(timeout, self._next_look - time.monotonic())
        for key, events in self._selector.select(max(0.0, wait)):
            if key.data is None:
                os.eventfd_read(self._bell)
                yield None
                continue
            owner, child = key.data
            if owner not in self.owners:
                continue
            if child is None:
                self._collect(self.owners[owner])
                continue
            if events & selectors.EVENT_WRITE:
                self._unsent.add(child)
            if events & selectors.EVENT_READ:
                yield owner
        self.flush()

    def look_by(self, moment: float) -> None:
        """Let `listen` return by this moment of the monotonic clock, for `due` to say so."""
        self._next_look = min(self._next_look, moment)

    def due(self) -> bool:
        """Whether a moment has come that somebody asked for. All of them are forgotten then: what
        is still to come must be asked for again."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = math.inf
        self._dying = [child for child in self._dying if not child.ended()]
        if self._dying:
            self.look_by(now + _REAP)
        return True

    def ring(self) -> None:
        """Let `listen` return now. Safe in a signal handler and from any thread, at any time."""
        # Never waits. Whoever holds it is closing; or rings, and may have been heard already: so it
        # looks once more, when it has let go, whether somebody was turned away.
        self._wanted = True
        while self._wanted and self._bell_stands.acquire(blocking=False):
            self._wanted = False
            os.eventfd_write(self._bell, 1)
            self._bell_stands.release()

    def close(self, patience: float) -> None:
        """Let go of everything; wait up to ``patience`` seconds for each child that was killed."""
        for child in self._dying:
            child.ended(patience)
        self._selector.close()
        # Not released again: the number may be another file's from now on.
        self._bell_stands.acquire()
        os.close(self._bell)

    def _collect(self, child: Child) -> None:
        child.listen()
        if child.mute:
            self._selector.unregister(child.output)

    def _listen_for(self, child: Child, events: int) -> None:
        key = self._selector.get_key(child.channel)
        self._selector.modify(child.channel, events, key.data)
