"""What is raised when the product does what it promised never to do."""

from __future__ import annotations


class BrokenGuaranteeError(AssertionError):
    """The scheduler did what it promised never to do. ``promise`` names which it broke."""

    def __init__(self, message: str, promise: str = "") -> None:
        super().__init__(f"{promise.replace('_', ' ')}: {message}" if promise else message)
        self.promise = promise
