"""The clock by which keys and credentials grow old."""

from __future__ import annotations

import time


def seconds_awake_or_not() -> float:
    """Return seconds that go on while the machine sleeps: keys and credentials grow old then, too."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
