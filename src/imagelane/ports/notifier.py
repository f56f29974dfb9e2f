"""The notifier: one way in which a human is alerted."""

from __future__ import annotations

from typing import Protocol

from imagelane.model.alert import Alert


class NotifierError(Exception):
    """An alert was not delivered, or cannot be: one line that says what was found and what to do
    next. It is recorded and shown, so no address with a secret in it stands there."""


class Notifier(Protocol):
    """Called from a thread of its own, one alert at a time."""

    def deliver(self, alert: Alert) -> None:
        """Deliver it, or give up within some ten seconds. May be called again for an alert that
        was delivered, where a crash came before that was recorded.

        Raises:
            NotifierError: it was not delivered; another try may help.
        """
