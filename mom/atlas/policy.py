"""Which requests may pass: lists of entries, each with methods, paths and claims. Pure.

A request passes a list if any entry matches; of an entry, methods, paths and claims must all match, and what it leaves
out matches everything. `mom.envoy.policy` says the same to Envoy, in the same regular expressions: `path_regex` uses
only what Python and RE2 read alike.

A path is compared as the client sends it below the adapter, without the query, byte for byte. `*` matches one or more
characters of a segment: no `/`, no `\\`, no `;` (which begins parameters of a segment, RFC 3986, 3.3), and none of them
percent-encoded, since a server may decode them first; no `%` either that encodes nothing. `**`, at the end only,
matches whatever follows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from mom.problems import Place

ClaimValue = str | bool | int | float

# Visible ASCII but `#`, `%`, `/`, `;`, `?` and `\`; or a byte percent-encoded that is no `/`, `;` or `\`.
_UNIT = (
    r'(?:[!"$&-.0-:<->@-\[\]-~]'
    r"|%(?:[014679A-Fa-f8][0-9A-Fa-f]|2[0-9A-Ea-e]|3[0-9AC-Fac-f]|5[0-9ABD-Fabd-f]))"
)
_ONE_OR_MORE = f"{_UNIT}+"
_REST = "[^?#]*"
_WILDCARD = re.compile(r"\*\*\Z|\*")
# A segment of a claim's name: in quotes, or without dots.
_SEGMENT = re.compile(r'"([^"]+)"|([^".]+)')


class Claim(NamedTuple):
    """What a claim of a token must be: one of `values`. name: as it is written; path: its segments."""

    name: str
    path: tuple[str, ...]
    values: tuple[ClaimValue, ...]

    def matches(self, claims: Mapping[str, object]) -> bool:
        """Whether a token with these claims has one of the values, alone or in a list."""
        value: object = claims
        for segment in self.path:
            if not isinstance(value, Mapping) or segment not in value:
                return False
            value = value[segment]
        given = value if isinstance(value, list) else [value]
        return any(_equal(wanted, each) for wanted in self.values for each in given)


class Entry(NamedTuple):
    """An entry of a list. Empty methods, paths or claims match everything."""

    methods: tuple[str, ...]
    paths: tuple[str, ...]
    claims: tuple[Claim, ...]
    place: Place

    def matches(self, method: str, path: str, claims: Mapping[str, object]) -> bool:
        """Whether a request matches; `path`: below the adapter, without the query."""
        return (
            (not self.methods or method in self.methods)
            and (not self.paths or any(path_matches(pattern, path) for pattern in self.paths))
            and all(claim.matches(claims) for claim in self.claims)
        )


class AllowList(NamedTuple):
    """A list of entries. name: how messages and logs call it, `spec.allow` or `http/github spec.allow`."""

    name: str
    entries: tuple[Entry, ...]
    place: Place

    def entry_name(self, index: int) -> str:
        """Return how an entry is called, `spec.allow[0]`: as the path of a problem in it."""
        return f"{self.name}[{index}]"

    @property
    def has_methods(self) -> bool:
        """Whether an entry names methods."""
        return any(entry.methods for entry in self.entries)

    def matching(self, method: str, path: str, claims: Mapping[str, object]) -> int | None:
        """Return the index of the first entry that a request matches, None where none does."""
        entries = enumerate(self.entries)
        return next((index for index, entry in entries if entry.matches(method, path, claims)), None)


def rules_of(allow: AllowList | None) -> tuple[tuple[object, ...], ...] | None:
    """Return what a list says, without the places: equal where it lets the same requests pass by the same entries."""
    return None if allow is None else tuple(entry[:3] for entry in allow.entries)


class Decision(NamedTuple):
    """Whether a request passes, and the list that refused it or the entry by which it passed.

    name: empty where nothing restricts it; place: of that list or entry.
    """

    allowed: bool
    name: str = ""
    place: Place | None = None


def decide(lists: Sequence[AllowList | None], method: str, path: str, claims: Mapping[str, object]) -> Decision:
    """Return whether a request passes all of `lists`, in their order; the entry is that of the last one."""
    decision = Decision(allowed=True)
    for each in lists:
        if each is None:
            continue
        index = each.matching(method, path, claims)
        if index is None:
            return Decision(allowed=False, name=each.name, place=each.place)
        decision = Decision(allowed=True, name=each.entry_name(index), place=each.entries[index].place)
    return decision


def claim_path(name: str) -> tuple[str, ...] | None:
    """Return the segments of a claim's name, None where it is not one: an empty segment, a quote that is not closed.

    Dots lead into nested claims; a segment in double quotes may have dots itself: `"https://example.com/roles"`.
    """
    segments: list[str] = []
    at = 0
    while match := _SEGMENT.match(name, at):
        segments.append(match.group(1) or match.group(2))
        at = match.end()
        if at == len(name):
            return tuple(segments)
        if name[at] != ".":
            return None
        at += 1
    return None


def path_regex(pattern: str) -> str:
    """Return the regular expression of all paths that match `pattern`, whole, for Python and RE2 alike."""
    parts: list[str] = []
    at = 0
    for wildcard in _WILDCARD.finditer(pattern):
        parts += [literal_regex(pattern[at : wildcard.start()]), _REST if wildcard.group() == "**" else _ONE_OR_MORE]
        at = wildcard.end()
    return "".join([*parts, literal_regex(pattern[at:])])


def literal_regex(text: str) -> str:
    """Return the regular expression that matches `text` alone; `re.escape` escapes what RE2 would not have escaped."""
    return re.sub(r"[^A-Za-z0-9_/-]", lambda match: f"\\{match.group()}", text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(path_regex(pattern))


def path_matches(pattern: str, path: str) -> bool:
    """Whether a path, without the query, matches a pattern."""
    return _compiled(pattern).fullmatch(path) is not None


def _equal(wanted: ClaimValue, value: object) -> bool:
    """Whether two values are equal and of one type: text, number or boolean. Numbers are doubles, as in Envoy."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    if isinstance(wanted, str) or isinstance(value, str):
        return isinstance(value, str) and wanted == value
    try:
        return isinstance(value, int | float) and float(wanted) == float(value)
    except OverflowError:
        # More than a double can be; Envoy accepts no such token.
        return False
