"""Signals that end a run, noticed between two steps of its loop instead of in the middle of one."""

from __future__ import annotations

import signal
import socket
from types import FrameType, TracebackType
from typing import Self

# SIGHUP: the terminal has gone.
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Counts the signals that ask the run to end. `fileno` becomes readable with each, so that a wait ends at once."""

    def __init__(self) -> None:
        """Count none yet."""
        self.count = 0
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def __enter__(self) -> Self:
        """Take over from the handlers that are in place."""
        self._wakeup = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, self._handle) for number in _ENDING}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give back to them."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._read.close()
        self._write.close()

    def fileno(self) -> int:
        """Return what to wait for."""
        return self._read.fileno()

    def clear(self) -> None:
        """Make `fileno` unreadable until the next signal."""
        try:
            while self._read.recv(64):
                pass
        except BlockingIOError:
            pass

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
