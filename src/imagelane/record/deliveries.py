"""Alerts on their way: delivered once they are durable, beside the run, and never in its way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread

from imagelane.model.alert import Alert, plain
from imagelane.model.events import AlertRaised, AlertSettled, Event
from imagelane.model.ids import RunId
from imagelane.model.run import RunState
from imagelane.ports.notifier import Notifier, NotifierError

TRIES = 3
"""Of one alert through one channel."""
PAUSE = 1.0
"""Seconds before the second try; before the third it is twice that."""


class Deliveries:
    """Delivers alerts through every channel, and tells what became of each.

    A channel has a thread of its own, so that a slow one holds up no other. The threads are
    daemons: one that hangs keeps no process alive. Of what is not told of as settled nothing is
    recorded, so whoever takes the run up delivers it again: at least once, never "exactly once".

    ``wake`` is called whenever there is something to tell; all else is for one thread alone.
    """

    def __init__(
        self,
        run: RunId,
        pipeline: str,
        notifiers: Mapping[str, Notifier],
        now: Callable[[], float],
        wake: Callable[[], None],
        *,
        pause: float = PAUSE,
    ) -> None:
        self._run = run
        self._pipeline = pipeline
        self._notifiers = notifiers
        self._now = now
        self._wake = wake
        self._pause = pause
        self._queues: dict[str, SimpleQueue[Alert | None]] = {}
        self._settled: SimpleQueue[AlertSettled] = SimpleQueue()
        self.pending = 0

    def take_up(self, state: RunState) -> None:
        """Deliver what was raised before this coordinator and not settled since."""
        for raised in state.alerts.values():
            for channel in self._notifiers:
                if (raised.number, channel) not in state.alerts_settled:
                    self._send(channel, raised)

    def deliver(self, events: Iterable[Event]) -> None:
        """Deliver the alerts among events that are durable."""
        for event in events:
            if isinstance(event, AlertRaised):
                for channel in self._notifiers:
                    self._send(channel, event)

    def settled(self, patience: float = 0.0) -> list[AlertSettled]:
        """What became of deliveries since the last call. Waits up to ``patience`` seconds for the
        first one."""
        found: list[AlertSettled] = []
        try:
            while self.pending:
                found.append(self._settled.get(timeout=0.0 if found or not patience else patience))
                self.pending -= 1
        except Empty:
            pass
        return found

    def close(self) -> None:
        """Let the threads end after what they are doing."""
        for queue in self._queues.values():
            queue.put(None)

    def _send(self, channel: str, raised: AlertRaised) -> None:
        if channel not in self._queues:
            queue = self._queues[channel] = SimpleQueue()
            Thread(
                target=self._work, args=(channel, queue), name=f"alert-{channel}", daemon=True
            ).start()
        self.pending += 1
        self._queues[channel].put(
            Alert(
                run=self._run,
                pipeline=plain(self._pipeline),
                number=raised.number,
                cause=raised.cause,
                stage=raised.stage or "",
                about=raised.about,
                message=plain(raised.message),
                at=self._now(),
            )
        )

    def _work(self, channel: str, queue: SimpleQueue[Alert | None]) -> None:
        while (alert := queue.get()) is not None:
            tries, problem = 0, "not tried"
            while problem and tries < TRIES:
                if tries:
                    time.sleep(self._pause * 2 ** (tries - 1))
                tries += 1
                problem = self._problem(channel, alert)
            self._settled.put(AlertSettled(alert.number, channel, tries, problem))
            self._wake()

    def _problem(self, channel: str, alert: Alert) -> str:
        """Why one try failed; empty if it did not."""
        try:
            self._notifiers[channel].deliver(alert)
        except NotifierError as error:
            return plain(str(error)) or "it failed without a word"
        except Exception as error:  # noqa: BLE001 - no alert may end the run
            # Its text is not ours to show: it may name an address with a secret in it.
            return f"{type(error).__name__} in the notifier"
        return ""
