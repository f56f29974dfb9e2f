"""The files of an order, opened for a worker that may open none itself."""

from __future__ import annotations

import os
from collections.abc import Iterator

from imagelane.execute.errors import StageError, TransientError
from imagelane.execute.failures import failure_of
from imagelane.execute.message import Handed
from imagelane.execute.source import open_source
from imagelane.model.work import Order


def handed(order: Order) -> Iterator[tuple[Handed, int | None]]:
    """What the worker is told before the order, each with the descriptor that goes with it.

    Only the file is opened here: its bytes are read by the worker, which does not wait for it.
    """
    if order.source is not None:
        try:
            yield Handed(order.number, "source"), open_source(order.source)
        except StageError as error:
            yield Handed(order.number, "source", error.error, error.message), None
    if order.members is not None:
        try:
            descriptor = os.open(order.members, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            message = failure_of(error).message
            yield Handed(order.number, "members", TransientError.error, message), None
        else:
            yield Handed(order.number, "members"), descriptor
