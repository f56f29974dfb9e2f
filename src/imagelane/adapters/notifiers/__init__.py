"""Alerts out of the house: one file a way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from imagelane.model.spec import AlertSpec
from imagelane.ports.notifier import Notifier, NotifierError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def open_notifiers(
    specs: Iterable[AlertSpec], folder: Path, environment: Mapping[str, str] = os.environ
) -> dict[str, Notifier]:
    """The notifiers of a pipeline, by channel. Paths are meant from ``folder``.

    Raises:
        NotifierError: a variable is not set or a package is not installed, so that no alert could
            ever be delivered.
    """
    return {spec.channel: _open(spec, folder, environment) for spec in specs}


def _open(spec: AlertSpec, folder: Path, environment: Mapping[str, str]) -> Notifier:
    given = spec.parameters
    match spec.kind:
        case "log":
            from imagelane.adapters.notifiers.log import Log  # noqa: PLC0415 - what is asked for

            return Log(folder / given["path"])
        case "webhook":
            from imagelane.adapters.notifiers.webhook import Webhook  # noqa: PLC0415

            filled = _filled(given, spec, environment)
            return Webhook(filled["url"], filled["headers"])
        case "command":
            from imagelane.adapters.notifiers.command import Command  # noqa: PLC0415

            run = given["run"]
            return Command([run] if isinstance(run, str) else run, folder)
        case "mail":
            from imagelane.adapters.notifiers.mail import Mail  # noqa: PLC0415

            return Mail(_filled(given, spec, environment))
        case "apprise":
            from imagelane.adapters.notifiers.through_apprise import ThroughApprise  # noqa: PLC0415

            urls = _filled(given, spec, environment)["urls"]
            return ThroughApprise([urls] if isinstance(urls, str) else urls)


def _filled(given: Any, spec: AlertSpec, environment: Mapping[str, str]) -> Any:
    """Values with ``${NAME}`` replaced by the environment's."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise NotifierError(
                f"the environment has no {match[1]}, which alerts by {spec.channel} need: set it, "
                "or take them out of the pipeline file"
            )
        return environment[match[1]]

    if isinstance(given, str):
        return _VARIABLE.sub(value, given)
    if isinstance(given, Mapping):
        return {key: _filled(one, spec, environment) for key, one in given.items()}
    if isinstance(given, (list, tuple)):
        return [_filled(one, spec, environment) for one in given]
    return given
