"""Alerts through Apprise, which speaks to more than a hundred services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imagelane.adapters.notifiers.body import as_text
from imagelane.model.alert import Alert
from imagelane.ports.notifier import NotifierError


class ThroughApprise:
    """One channel for all addresses that are given together."""

    def __init__(self, urls: Sequence[str]) -> None:
        """
        Raises:
            NotifierError: Apprise is not installed, or does not know what to make of an address.
        """
        try:
            import apprise  # noqa: PLC0415 - an extra
        except ImportError:
            raise NotifierError(
                "alerts by apprise need a package that is not installed: "
                "pip install 'imagelane[alerts]'"
            ) from None
        self._format: Any = apprise.NotifyFormat.TEXT
        # One after the other, on the thread that we are called on.
        self._apprise: Any = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
        for place, url in enumerate(urls, 1):
            if not self._apprise.add(url):
                raise NotifierError(
                    f"Apprise does not understand address {place} of {len(urls)}: expected such as "
                    "slack://… or mailtos://…"
                )

    def deliver(self, alert: Alert) -> None:
        sent = self._apprise.notify(
            title=alert.title, body=as_text(alert), body_format=self._format
        )
        if not sent:
            raise NotifierError("Apprise could not deliver it to every address")
