"""Calls of the kernel for which Python has no functions."""

from __future__ import annotations

import ctypes
import os
from typing import Any


def call(name: str, *arguments: Any) -> int:
    """A function of the C library that gives -1 where it fails.

    Raises:
        OSError: it failed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    # Variadic functions take what they are given, so numbers must have the width of a register.
    wide = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    result: int = getattr(libc, name)(*wide)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
