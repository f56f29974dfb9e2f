"""The layer `privileges`: a worker can gain none, and keeps none that reach beyond files.

Who runs as root, as in many containers, hands down powers that no file rule holds: to send signals,
to look into other processes, to mount. Of these a worker keeps only those without which it could
not write into folders that belong to somebody else.
"""

from __future__ import annotations

import ctypes

from imagelane.execute.sandbox.system import call

_SET_DUMPABLE = 4
_SET_NO_NEW_PRIVS = 38
_VERSION_3 = 0x20080522
"""Of capset(2): 64 capabilities, in two words."""
_DAC_OVERRIDE = 1
_FOWNER = 3
_KEPT = 1 << _DAC_OVERRIDE | 1 << _FOWNER


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("process", ctypes.c_int))


class _Words(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def lacking() -> str:
    """Why there is no such layer; empty where there is one."""
    return ""


def apply() -> None:
    """Give up what this process may do beyond its user's files, for good.

    Not dumpable: nobody of the same user may look into its memory, and it leaves no core file.

    Raises:
        OSError: the kernel refuses.
    """
    call("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header, words = _Header(_VERSION_3, 0), (_Words * 2)()
    call("capget", ctypes.byref(header), ctypes.byref(words))
    for word, kept in zip(words, (_KEPT, 0), strict=True):
        word.effective &= kept
        word.permitted &= kept
        word.inheritable = 0
    call("capset", ctypes.byref(header), ctypes.byref(words))
    call("prctl", _SET_DUMPABLE, 0, 0, 0, 0)
