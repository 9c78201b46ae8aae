"""The filter that removes headers and trailers of clients, in front of the one that verifies tokens.

It does what a RouteConfiguration cannot: names by pattern, and trailers (Envoy: "Header mutation"). What it removes
from requests does not depend on what an adapter sets, which is added later, by the router; so an adapter may set what
no client may send.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mom.envoy.headers import REQUEST_REMOVED, RESPONSE_REMOVED, TOKEN_REMOVED
from mom.envoy.messages import Json, extension, typed

FILTER = "mom.headers"
_MESSAGE = "envoy.extensions.filters.http.header_mutation.v3"
# What may be in a field name beside letters and digits (RFC 9110, 5.6.2). Not "everything else": a pattern sees
# `:path` too.
_PUNCTUATION = "!#$%&'*+.^_`|~-"
# No longer pattern than this, in characters: RE2 refuses programs of more than 8 MB, and 10,000 adapters may have as
# many names. No alternative for each of more marks than this: their number times the name's length is the pattern's.
_PATTERN_LENGTH = 50_000
_MARKS = 8
# What steers an Envoy in front of an API, where that trusts its clients: to another host, for example
# (`x-envoy-original-dst-host`). This Envoy has dropped or read its own by then.
_CONTROL = "x-envoy-.*"
# Credentials: what an API would read from a trailer if it merged them (RFC 9110, 6.5.1 forbids to).
_TRAILERS_REMOVED = ("authorization", "host", "connection", "te", "transfer-encoding", "content-length")


def http_filter() -> Json:
    """Return the filter with what applies to every response and to trailers; requests: see `for_headers`."""
    mutations = {
        "response_mutations": [{"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}}],
        "request_trailers_mutations": _by_pattern(_spellings(name) for name in (*REQUEST_REMOVED, *_TRAILERS_REMOVED)),
        "response_trailers_mutations": [
            *({"remove": name} for name in RESPONSE_REMOVED),
            {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}},
        ],
    }
    return extension(FILTER, f"{_MESSAGE}.HeaderMutation", {"mutations": mutations})


def for_headers(set_by_adapters: Iterable[str], credentials: Iterable[str] = ()) -> Json:
    """Return the `typed_per_filter_config` of the routes: what clients may not send beside what any adapter sets.

    set_by_adapters: names of headers, in lower case. credentials: those of a request whose value an API might repeat in
    its response. In one place for all adapters, since 10,000 routes with a pattern each cost 50 MB; so an
    alias of a header that one adapter sets is dropped for all. The header itself is not: it is replaced where it is
    set. In one pattern with what no client may send to any adapter: each is compared with each header of a request.
    """
    names = sorted(set_by_adapters)
    removed = [_spellings(name) for name in REQUEST_REMOVED if name not in TOKEN_REMOVED]
    aliases = map(_aliases, {*TOKEN_REMOVED, *names})
    mutations: Json = {"request_mutations": _by_pattern([*removed, *aliases, _CONTROL])}
    if names:
        mutations["request_trailers_mutations"] = _by_pattern(map(_spellings, names))
    if masked := [_masked(name) for name in sorted(credentials)]:
        mutations["response_mutations"] = masked
    return {FILTER: typed(f"{_MESSAGE}.HeaderMutationPerRoute", {"mutations": mutations})}


def _masked(name: str) -> Json:
    return {"append": {"header": {"key": name, "value": "***"}, "append_action": "OVERWRITE_IF_EXISTS"}}


def without(name: str) -> Json:
    """Return the `typed_per_filter_config` of routes on which clients may not send the header `name`."""
    return _on_route([{"remove": name}])


def without_beginnings(beginnings: Iterable[str]) -> Json:
    """Return the same of headers by what their names begin with, in lower case."""
    return _on_route([{"remove_on_match": {"key_matcher": {"prefix": each}}} for each in beginnings])


def _on_route(mutations: list[Json]) -> Json:
    return {FILTER: typed(f"{_MESSAGE}.HeaderMutationPerRoute", {"mutations": {"request_mutations": mutations}})}


def _spellings(name: str) -> str:
    """Return a pattern for all names that fold to the same one: a server may take any punctuation for another."""
    return "".join(_any_but("") if letter in _PUNCTUATION else re.escape(letter) for letter in name)


def _aliases(name: str) -> str:
    """Return a pattern for all those names but `name` itself (RE2 has no "but not"); empty where there is none.

    For a name of many marks, which no API uses, `name` is among them.
    """
    marks = [at for at, letter in enumerate(name) if letter in _PUNCTUATION]
    if len(marks) > _MARKS:
        return _spellings(name)
    return "|".join(re.escape(name[:at]) + _any_but(name[at]) + _spellings(name[at + 1 :]) for at in marks)


def _any_but(letter: str) -> str:
    return "[" + "".join(f"\\{mark}" for mark in _PUNCTUATION if mark != letter) + "]"


def _by_pattern(patterns: Iterable[str]) -> list[Json]:
    """Return mutations that remove what any of the patterns matches, in as few as may be."""
    chunks: list[str] = []
    for pattern in sorted({pattern for pattern in patterns if pattern}):
        if chunks and len(chunks[-1]) + len(pattern) < _PATTERN_LENGTH:
            chunks[-1] += f"|{pattern}"
        else:
            chunks.append(pattern)
    return [{"remove_on_match": {"key_matcher": {"safe_regex": {"regex": chunk}}}} for chunk in chunks]
