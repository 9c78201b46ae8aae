"""Durations as they are typed: a number of seconds, or a number with a unit."""

from __future__ import annotations

from mom.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(text: str, option: str) -> int:
    """Return the seconds of `600`, `90s`, `15m`, `1h` or `7d`. Raises UsageError, which names `option`, for others."""
    number, unit = (text[:-1], _UNITS[text[-1]]) if text[-1:] in _UNITS else (text, 1)
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        hint = "give seconds, or a number with a unit: 600, 90s, 15m, 1h"
        raise UsageError(f"{option} {text!r} is not a duration", hint=hint)
    return int(number) * unit
