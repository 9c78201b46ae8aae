"""The only place where a run waits: a signal ends each wait, so that Ctrl-C works whatever is being waited for."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from typing import Protocol

from mom.run.signals import Signals


class Readable(Protocol):
    """What select(2) takes: a socket."""

    def fileno(self) -> int:
        """Return its file descriptor."""


class Stopped(BaseException):
    """A signal has asked the run to end. Not an error: nothing but the run itself catches it."""


class Waiting:
    """Waits, for time to pass or for a socket; `meanwhile` is called after each wait.

    `tolerated` is the number of signals that do not end a wait yet: 0 while it serves, 1 while it drains.
    """

    def __init__(self, signals: Signals, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait with `signals`."""
        self._signals = signals
        self._meanwhile = meanwhile
        self.tolerated = 0

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass, fewer if a tolerated signal comes. Raises Stopped for one that is not."""
        self._select(seconds, None)

    def readable(self, source: Readable, seconds: float) -> bool:
        """Return whether `source` can be read, after at most so many seconds. Raises Stopped."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            if self._select(max(left, 0.0), source):
                return True
            if left <= 0:
                return False

    def _select(self, seconds: float, source: Readable | None) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._signals, selectors.EVENT_READ)
            if source is not None:
                selector.register(source, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select(seconds)]
        if self._signals in ready:
            self._signals.clear()
        if self._signals.count > self.tolerated:
            raise Stopped
        self._meanwhile()
        return source in ready
