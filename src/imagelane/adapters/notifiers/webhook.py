"""Alerts as HTTP requests."""

from __future__ import annotations

from collections.abc import Mapping

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError

from imagelane.adapters.notifiers.body import as_json
from imagelane.model.alert import Alert
from imagelane.ports.notifier import NotifierError

TIMEOUT = 10.0
"""Seconds."""


class Webhook:
    """Posts each alert as JSON.

    The address is the user's own, so it may lead anywhere; where the answer points to is not, so
    redirects are not followed. Of the address only the host is ever shown: the rest may be secret.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        """
        Raises:
            NotifierError: the address is none.
        """
        try:
            parsed = urllib3.util.parse_url(url)
        except LocationParseError:
            raise NotifierError("the address of a webhook is no URL") from None
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise NotifierError("the address of a webhook is no http or https URL")
        self._url = url
        self._host = parsed.host
        self._headers = {
            "User-Agent": "imagelane",
            **headers,
            "Content-Type": "application/json",
        }

    def deliver(self, alert: Alert) -> None:
        try:
            with urllib3.PoolManager() as pool:
                response = pool.request(
                    "POST",
                    self._url,
                    body=as_json(alert),
                    headers=self._headers,
                    redirect=False,
                    retries=False,
                    timeout=urllib3.Timeout(total=TIMEOUT),
                    preload_content=False,
                )
                status = response.status
                response.close()
        except (HTTPError, OSError) as error:
            kind = type(error).__name__
            raise NotifierError(f"{self._host} could not be asked: {kind}") from error
        if not 200 <= status < 300:
            raise NotifierError(f"{self._host} answered with status {status}")
