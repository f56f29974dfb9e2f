"""Alerts as mails."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any

from imagelane.adapters.notifiers.body import as_text
from imagelane.model.alert import Alert
from imagelane.ports.notifier import NotifierError

TIMEOUT = 10.0
"""Seconds, for each answer of the server."""
_PORTS = {"none": 25, "starttls": 587, "tls": 465}


class Mail:
    """One mail an alert, in plain text.

    The subject names the pipeline and the cause; what an image or a service said is in the body
    alone, and `EmailMessage` refuses a line break in a header.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._given = parameters
        to = parameters["to"]
        self._to = [to] if isinstance(to, str) else list(to)

    def deliver(self, alert: Alert) -> None:
        message = EmailMessage()
        message["From"] = self._given["sender"]
        message["To"] = ", ".join(self._to)
        message["Subject"] = alert.title
        message["Date"] = formatdate(alert.at)
        message["Message-ID"] = make_msgid(f"{alert.run}.{alert.number}", "imagelane.invalid")
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(as_text(alert))
        host = self._given["host"]
        try:
            with self._server(host) as server:
                if self._given["security"] == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self._given["user"] is not None:
                    server.login(self._given["user"], self._given["password"])
                refused = server.send_message(message)
        except (smtplib.SMTPException, OSError) as error:
            code = getattr(error, "smtp_code", "")
            kind = f"{type(error).__name__} {code}".strip()
            raise NotifierError(f"the mail server {host} did not take it: {kind}") from error
        if refused:
            raise NotifierError(f"the mail server {host} refused {', '.join(refused)}")

    def _server(self, host: str) -> smtplib.SMTP:
        security = self._given["security"]
        port = self._given["port"] or _PORTS[security]
        if security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
        return smtplib.SMTP(host, port, timeout=TIMEOUT)
