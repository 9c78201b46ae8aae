"""How long the token of a command has to live: until its last request starts, since a token is checked at the start.

A command with one request needs the usual minute, however long the request takes. One with several (more URLs, globs,
retries) starts the last of them later; when is known only where the user bounds each transfer with `--max-time`. So:
the minute and what can pass before the last request, or, where that is not known, the most there is, ten minutes. That
bound is a balance: a token that leaks opens the gateway for so long, and a command of more than ten minutes is rarely a
call that a person waits for. It can have a token of its own (`mom auth token --ttl`, at most an hour).
"""

from __future__ import annotations

from mom.curl.curlrc import given
from mom.gateway import LONGEST_COMMAND_SECONDS, TOKEN_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mom.curl.arguments import Group, Scan
    from mom.curl.curlrc import Setting

_UNKNOWN = float("inf")
# curl's units of `--rate`; the default is transfers in an hour.
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "": 3_600}


def seconds(scan: Scan, curlrc: Sequence[Setting] = ()) -> int:
    """Return the seconds that a token for the command `scan` lives. `curlrc` is what ~/.curlrc says."""
    last_start = 0.0
    following = 0.0
    for group in scan.groups:
        values = dict(given(group, curlrc if group is scan.groups[0] else ()))
        transfers = _transfers(scan, group)
        if not transfers:
            continue
        again = _retrying(values) or (_UNKNOWN if group.follows and group.sends else 0.0)
        longest = _number(values.get("max-time")) or _UNKNOWN
        # What the transfer before takes from its first request to its end, and the pauses between transfers.
        last_start += following + again
        if transfers > 1:
            last_start += (transfers - 1) * (longest + again + _pause(values))
        following = longest + _pause(values)
    wanted = TOKEN_SECONDS + last_start
    return int(min(wanted, LONGEST_COMMAND_SECONDS))


def _transfers(scan: Scan, group: Group) -> float:
    """Return how many transfers a group of URLs makes, as far as can be known."""
    urls = [url.text for url in scan.urls if scan.groups[url.group] is group]
    uploads = 1.0
    for name, part in group.given:
        if isinstance(part, str):
            uploads = max(uploads, count(part) if name == "upload-file" else 1)
        else:
            urls += [setting.value for setting in part.settings if "url" in setting.names]
    if not all(config.was_read for config in group.configs) or any(url.startswith("@") for url in urls):
        # curl 8.13 reads URLs from a file that is named so.
        return _UNKNOWN
    return sum(count(url) for url in urls) * uploads


def count(url: str) -> float:
    """Return how many URLs curl makes of `url`: `{a,b}` and ranges such as `[1-100:10]` (curl's globbing)."""
    total = 1.0
    position = 0
    while position < len(url):
        character = url[position]
        end = url.find("}" if character == "{" else "]", position)
        if character == "\\":
            position += 1
        elif character in "{[" and end > 0:
            inner = url[position + 1 : end]
            total *= inner.count(",") + 1 if character == "{" else _steps(inner)
            position = end
        position += 1
    return total


def _steps(text: str) -> int:
    """Return how many steps a range has; 1 for what is not a range, an IPv6 address for example."""
    ends, _, step = text.partition(":")
    first, dash, last = ends.partition("-")
    if not dash or not (step or "1").isdecimal():
        return 1
    if first.isdecimal() and last.isdecimal():
        distance = int(last) - int(first)
    elif len(first) == len(last) == 1:
        distance = ord(last) - ord(first)
    else:
        return 1
    return max(distance, 0) // max(int(step or 1), 1) + 1


def _retrying(values: dict[str, str]) -> float:
    """Return how long after its first request a transfer may start another one. A server says how long to wait."""
    if _number(values.get("retry")) == 0:
        return 0.0
    return _number(values.get("retry-max-time")) or _UNKNOWN


def _pause(values: dict[str, str]) -> float:
    """Return the seconds between the starts of two transfers that `--rate` asks for."""
    number, _, unit = values.get("rate", "").partition("/")
    if not number:
        return 0.0
    amount = unit.rstrip("smhd")
    each = _UNITS.get(unit[len(amount) :], 3_600) * (_number(amount) or 1)
    return each / _number(number) if _number(number) else _UNKNOWN


def _number(text: str | None) -> float:
    """Return a value of curl's as a number, 0 for none; what curl refuses is as good as unknown."""
    try:
        number = float(text or 0)
    except ValueError:
        return _UNKNOWN
    return number if number >= 0 else _UNKNOWN
