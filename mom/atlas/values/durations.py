"""Durations as a configuration writes them: a whole number and a unit, such as `30s` or `24h`."""

from __future__ import annotations

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(duration: str) -> int:
    """Return the seconds of a duration that a schema has accepted."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]
