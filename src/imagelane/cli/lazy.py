"""Groups of commands, each of which is imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyCommands(click.Group):
    """So that `--help` and every command start at once.

    ``known`` gives each command's module in ``package``, and what the help says of it without
    importing that.
    """

    def __init__(
        self, *arguments: Any, package: str, known: Mapping[str, tuple[str, str]], **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._package = package
        self._known = known

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self._known)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in self._known:
            return None
        module = importlib.import_module(f"{self._package}.{self._known[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in self._known.items()])
