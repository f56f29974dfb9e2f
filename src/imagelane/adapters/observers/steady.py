"""Output that never ends a run: whoever stops reading is not waited for and not complained of."""

from __future__ import annotations

import contextlib
import os
from typing import TextIO


class Steady:
    """Writes to a stream until that fails for the first time, and is silent from then on.

    A closed pipe, a closed terminal or a full disk behind a redirection is no reason to stop
    working on images. Characters that the stream's encoding lacks are replaced.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.broken = False

    @property
    def encoding(self) -> str:
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return not self.broken and self._stream.isatty()
        return False

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        if self.broken:
            return len(text)
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            encoded = text.encode(self.encoding, "replace").decode(self.encoding)
            return self.write(encoded)
        except (OSError, ValueError):
            self._break()
        except KeyboardInterrupt:
            # Whoever wants to leave now is not kept waiting for a reader once more.
            self._break()
            raise
        return len(text)

    def flush(self) -> None:
        if self.broken:
            return
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._break()
        except KeyboardInterrupt:
            self._break()
            raise

    def line(self, text: str = "") -> None:
        """Write a line and flush, so that it is seen when it is said."""
        self.write(f"{text}\n")
        self.flush()

    def _break(self) -> None:
        self.broken = True
        # What is left in the stream's buffer would raise again when Python flushes it at its end.
        with contextlib.suppress(OSError, ValueError):
            descriptor = self._stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
