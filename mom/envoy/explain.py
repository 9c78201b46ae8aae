"""What Atlas would do with a request, and why: the decisions of Envoy, made from the configuration alone.

`mom atlas config explain` shows them. The order is Envoy's: whose token it is, what is refused whatever the path, which
adapter it is for, which lists it must pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from mom.atlas.model import Adapter, Configuration
from mom.atlas.policy import AllowList, Entry, decide, path_matches
from mom.envoy import adapters, callers, request_line
from mom.envoy.routes import REFUSED
from mom.envoy.verdict import Miss, Verdict
from mom.gateway import APIS_PATH, HEALTH_PATHS, INSTANCES_PATH, ErrorTypes


def explain(
    configuration: Configuration,
    method: str,
    target: str,
    claims: Mapping[str, object],
    *,
    own: Mapping[str, int] = MappingProxyType({}),
    http2: bool = False,
    now: float | None = None,
) -> Verdict:
    """Return what Atlas does with a request of a caller with these claims.

    target: the path as the client sends it, with or without a query. Without `iss` among the claims it is left open
    whose token it is: any caller that is accepted. own: the issuers of this machine's own keys, each with the longest
    life of a token, in seconds. http2: whether the request comes over HTTP/2, not over HTTP/1.1. now: the time by which
    a token's times are judged, None for not at all.

    The request is looked at as the only one, and as one with no headers but those that its method needs: neither how
    many requests may pass, nor what a header changes (`Origin`, `Host`, an upgrade) is part of the verdict.
    """
    line = request_line.read(method, target, http2=http2)
    if isinstance(line, request_line.Malformed):
        return Verdict(allowed=False, status=line.status, error=line.error, reason=line.reason)
    method, target = line
    path = target.partition("?")[0]
    refused = _refused_everywhere(method, path)
    # What is refused whatever the path is not on the adapter's routes: no token for that adapter opens it.
    adapter = _adapter(configuration, path) if refused is None else None
    if path not in HEALTH_PATHS:
        narrowed = "" if adapter is None else adapters.path(adapter)
        if (unknown := callers.refusal(configuration, path, narrowed, claims, own=own, now=now)) is not None:
            return unknown
    if refused is not None:
        return refused
    if path in HEALTH_PATHS:
        return Verdict(allowed=True, reason="health checks need no token")
    if path in {APIS_PATH, INSTANCES_PATH} and method in {"GET", "HEAD"}:
        return Verdict(allowed=True, reason="the list of what this caller may use")
    if adapter is None:
        return Verdict(
            allowed=False, status=404, error=ErrorTypes.NO_MATCHING_INSTANCE, reason="no adapter is served at this path"
        )
    return _by_lists(configuration, adapter, method, target.removeprefix(adapters.path(adapter)), claims)


def _refused_everywhere(method: str, path: str) -> Verdict | None:
    for name, header, regex, response in REFUSED:
        # As Envoy's expressions do, these fold ASCII letters alone.
        if re.fullmatch(regex, path if header == ":path" else method, re.DOTALL | re.ASCII):
            error = ErrorTypes.METHOD_NOT_ALLOWED if response["status"] == 405 else ErrorTypes.REQUEST
            reason = f"refused for every path: {name}"
            return Verdict(allowed=False, status=response["status"], error=error, reason=reason)
    return None


def _adapter(configuration: Configuration, path: str) -> Adapter | None:
    for adapter in adapters.served(configuration):
        prefix = adapters.path(adapter)
        if path == prefix or path.startswith(f"{prefix}/"):
            return adapter
    return None


def _by_lists(
    configuration: Configuration, adapter: Adapter, method: str, target: str, claims: Mapping[str, object]
) -> Verdict:
    """Return what the lists say. target: what is below the adapter, with or without a query."""
    path, _, query = target.partition("?")
    lists = (configuration.allow, adapters.kind_of(adapter).allow(adapter))
    decision = decide(lists, method, path, claims)
    if decision.allowed:
        # The lists are asked before the routes respond.
        if (refusal := adapters.kind_of(adapter).refusal(adapter, query)) is not None:
            error = ErrorTypes.REQUEST
            return Verdict(allowed=False, status=400, error=error, reason=refusal, adapter=adapter.name)
        if (unserved := adapters.kind_of(adapter).unserved(adapter, path)) is not None:
            error = ErrorTypes.NO_MATCHING_INSTANCE
            return Verdict(allowed=False, status=404, error=error, reason=unserved, adapter=adapter.name)
        reason = "an entry matches" if decision.name else "nothing restricts this adapter"
        return Verdict(allowed=True, reason=reason, adapter=adapter.name, rule=decision.name, place=decision.place)
    (refusing,) = (each for each in lists if each is not None and each.name == decision.name)
    return Verdict(
        allowed=False,
        status=403,
        error=ErrorTypes.NOT_ALLOWED,
        reason="no entry matches",
        adapter=adapter.name,
        rule=decision.name,
        place=decision.place,
        misses=tuple(_misses(refusing, method, path, claims)),
    )


def _misses(allow: AllowList, method: str, path: str, claims: Mapping[str, object]) -> Iterator[Miss]:
    for index, entry in enumerate(allow.entries):
        request, claim = _request_miss(entry, method, path), callers.claim_miss(entry.claims, claims)
        yield Miss(allow.entry_name(index), entry.place, request or claim or "", for_claims=request is None)


def _request_miss(entry: Entry, method: str, path: str) -> str | None:
    """Return which part of the request itself does not match, None where both parts do."""
    if entry.methods and method not in entry.methods:
        return f"the method is not {' or '.join(entry.methods)}"
    if entry.paths and not any(path_matches(pattern, path) for pattern in entry.paths):
        return f"the path `{request_line.readable(path)}` below the adapter does not match {' or '.join(entry.paths)}"
    return None
