"""The clocks of keys and credentials: one by which they grow old, and one by which lists date their states."""

from __future__ import annotations

import time


def seconds_awake_or_not() -> float:
    """Return seconds that go on while the machine sleeps: keys and credentials grow old then, too."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def timestamp() -> str:
    """Return the time of day in UTC, to the second (RFC 3339)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
