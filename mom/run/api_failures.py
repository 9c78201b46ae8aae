"""Which APIs fail, and how, for the terminal: each kind of each adapter once a minute, however many requests fail."""

from __future__ import annotations

import time
from collections.abc import Callable

from mom.envoy.failures import Failure

_SECONDS = 60.0
# More at once have one cause, such as the network: no use to report each.
_MOST = 10


class ApiFailures:
    """`report` gets adapter, failure, and how many more of it there were since the last report; `note` a sentence.

    `take` may be called while something is waited for, so it only collects; `publish` reports.
    """

    def __init__(
        self,
        report: Callable[[str, Failure, int], None],
        note: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Have no failure yet."""
        self._report = report
        self._note = note
        self._clock = clock
        # When each was last reported, and how often it has come since.
        self._known: dict[tuple[str, Failure], tuple[float, int]] = {}
        self._minute = clock()
        self._reported = 0
        self._due: list[tuple[str, Failure, int]] = []
        self._too_many = False

    def publish(self, refine: Callable[[str, Failure], Failure] = lambda _, failure: failure) -> None:
        """Report what is due. `refine` may know more about a failure of an adapter."""
        due, self._due = self._due, []
        for adapter, failure, more in due:
            self._report(adapter, refine(adapter, failure), more)
        if self._too_many:
            self._too_many = False
            self._note("more APIs are failing than are shown; --access-log has each request")

    def take(self, adapter: str, failure: Failure) -> None:
        """Count a request to `adapter` that failed so, and keep it for `publish` if that is due."""
        now = self._clock()
        if now - self._minute >= _SECONDS:
            self._minute, self._reported = now, 0
        last, more = self._known.get((adapter, failure), (now - _SECONDS, 0))
        if now - last < _SECONDS or self._reported > _MOST:
            self._known[adapter, failure] = (last, more + 1)
            return
        self._reported += 1
        if self._reported > _MOST:
            self._known[adapter, failure] = (last, more + 1)
            self._too_many = True
            return
        self._known[adapter, failure] = (now, 0)
        self._due.append((adapter, failure, more))
