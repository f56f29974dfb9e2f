"""Observers: what people and programs are told of a run while it runs."""

from imagelane.adapters.observers.console import Console, console
from imagelane.adapters.observers.jsonlines import JsonLines
from imagelane.adapters.observers.plain import Plain
from imagelane.adapters.observers.quiet import Quiet

__all__ = ["Console", "JsonLines", "Plain", "Quiet", "console"]
