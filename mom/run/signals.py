"""Signals to a run, handled between two steps of its loop instead of within one."""

from __future__ import annotations

import signal
import socket
from types import FrameType, TracebackType
from typing import Self

# SIGHUP: the terminal has gone. SIGQUIT (Ctrl-\) waits for nothing.
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# As for other servers: reopen log files, after they have been renamed.
_REOPEN = signal.SIGUSR1
# Would end the process; it means nothing here.
_IGNORED = (signal.SIGUSR2,)


class Signals:
    """Counts the signals that ask the run to end. `fileno` becomes readable with each, so that a wait ends at once.

    `reopen`: log files are to be reopened (SIGUSR1); the code that does so resets it.
    """

    def __init__(self) -> None:
        """Have counted no signal yet."""
        self.count = 0
        self.reopen = False
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def __enter__(self) -> Self:
        """Install the handlers."""
        self._wakeup = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        taken = [*_ENDING, _REOPEN]
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            # nohup(1): it is to outlive the terminal.
            taken.remove(signal.SIGHUP)
        self._handlers = {number: signal.signal(number, self._handle) for number in taken}
        self._handlers |= {number: signal.signal(number, signal.SIG_IGN) for number in _IGNORED}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Restore the previous handlers."""
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

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if number == _REOPEN:
            self.reopen = True
        else:
            # The second signal ends the wait that the first has started.
            self.count += 2 if number == signal.SIGQUIT else 1
