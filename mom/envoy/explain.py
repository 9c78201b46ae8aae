"""What Atlas would do with a request, and why: the decisions of Envoy, made from the configuration alone.

`mom atlas config explain` shows them. The order is Envoy's: whose token it is, what is refused whatever the path, which
adapter it is for, which lists it must pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mom.atlas.model import Adapter, Configuration, IdentityProvider
from mom.atlas.policy import AllowList, Claim, Entry, decide, path_matches
from mom.atlas.providers import audience_core
from mom.envoy import adapters
from mom.envoy.routes import REFUSED
from mom.gateway import APIS_PATH, HEALTH_PATHS, INSTANCES_PATH, ErrorTypes
from mom.problems import Place


@dataclass(frozen=True, slots=True)
class Miss:
    """An entry that a request does not match: its name, its place, and the part that does not match, in words.

    for_claims: whether that part is the caller's claims.
    """

    name: str
    place: Place
    reason: str
    for_claims: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a request passes. status, error: of Atlas's own response, 200 and empty where it passes.

    rule: the entry that let it pass, or what refused it; empty where nothing restricts it. place: of that.
    misses: the entries of the list that refused it.
    """

    allowed: bool
    status: int = 200
    error: str = ""
    reason: str
    adapter: str = ""
    rule: str = ""
    place: Place | None = None
    misses: tuple[Miss, ...] = ()


def explain(
    configuration: Configuration,
    method: str,
    target: str,
    claims: Mapping[str, object],
    *,
    local_issuer: str = "",
    now: float | None = None,
) -> Verdict:
    """Return what Atlas does with a request of a caller with these claims.

    target: the path as the client sends it, with or without a query. Without `iss` among the claims it is left open
    whose token it is: any caller that is accepted. local_issuer: of this machine's own key. now: the time by which
    the expiry of a token is judged, None for not at all.
    """
    path = target.partition("?")[0]
    if path in HEALTH_PATHS:
        return Verdict(allowed=True, reason="health checks need no token")
    if (refused := _identity(configuration, path, claims, local_issuer, now)) is not None:
        return refused
    for name, header, regex, response in REFUSED:
        if re.fullmatch(regex, path if header == ":path" else method, re.DOTALL):
            error = ErrorTypes.METHOD_NOT_ALLOWED if response["status"] == 405 else ErrorTypes.REQUEST
            return Verdict(
                allowed=False, status=response["status"], error=error, reason=f"refused for every path: {name}"
            )
    if path in {APIS_PATH, INSTANCES_PATH} and method in {"GET", "HEAD"}:
        return Verdict(allowed=True, reason="the list of what this caller may use")
    adapter = _adapter(configuration, path)
    if adapter is None:
        return Verdict(
            allowed=False, status=404, error=ErrorTypes.NO_MATCHING_INSTANCE, reason="no adapter is served at this path"
        )
    return _by_lists(configuration, adapter, method, target.removeprefix(adapters.path(adapter)), claims)


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
        request, claim = _request_miss(entry, method, path), _claim_miss(entry.claims, claims)
        yield Miss(allow.entry_name(index), entry.place, request or claim or "", for_claims=request is None)


def _request_miss(entry: Entry, method: str, path: str) -> str | None:
    """Return which part of the request itself does not match, None where both parts do."""
    if entry.methods and method not in entry.methods:
        return f"the method is not {' or '.join(entry.methods)}"
    if entry.paths and not any(path_matches(pattern, path) for pattern in entry.paths):
        return f"the path `{path}` below the adapter does not match {' or '.join(entry.paths)}"
    return None


def _claim_miss(wanted: Sequence[Claim], claims: Mapping[str, object]) -> str | None:
    missing = next((claim for claim in wanted if not claim.matches(claims)), None)
    return None if missing is None else f"the claim `{missing.name}` does not match"


def _identity(
    configuration: Configuration, path: str, claims: Mapping[str, object], local_issuer: str, now: float | None
) -> Verdict | None:
    """Return why no identity provider accepts the claims, None where one does or they do not say whose they are."""
    issuer = claims.get("iss")
    if issuer is None or (local_issuer and issuer == local_issuer):
        return None
    own = [provider for provider in configuration.identity_providers if provider.issuer == issuer]
    adapter = _adapter(configuration, path)
    narrowed = "" if adapter is None else adapters.path(adapter)
    refusals = [(provider, _refusal(provider, narrowed, claims, now)) for provider in own]
    if any(reason is None for _, reason in refusals):
        return None
    error = ErrorTypes.INVALID_ACCESS_TOKEN
    if not refusals:
        reason = "no identity provider has the issuer of this token"
        return Verdict(allowed=False, status=401, error=error, reason=reason)
    provider, _ = refusals[0]
    misses = tuple(Miss(_named(each), each.place, reason or "") for each, reason in refusals)
    return Verdict(
        allowed=False,
        status=401,
        error=error,
        reason="the identity provider does not accept this token",
        rule=_named(provider),
        place=provider.place,
        misses=misses,
    )


def _named(provider: IdentityProvider) -> str:
    return f"spec.identityProviders.{provider.name}"


def _refusal(provider: IdentityProvider, path: str, claims: Mapping[str, object], now: float | None) -> str | None:
    """Return why a provider does not accept claims with its issuer; without `aud` that is left open, as is the time."""
    audiences = claims.get("aud")
    if audiences is not None and not _is_for(provider, path, audiences if isinstance(audiences, list) else [audiences]):
        return f"its audience is not {provider.audience}"
    expires = claims.get("exp")
    if now is not None and isinstance(expires, int | float) and expires - now > provider.max_lifetime:
        return f"it is valid for longer than {provider.max_lifetime:,} s (maxLifetime)"
    return _claim_miss(provider.claims, claims)


def _is_for(provider: IdentityProvider, path: str, audiences: Sequence[object]) -> bool:
    """Whether an audience is the gateway's, or that with the path of the adapter after it (`mom.envoy.jwt`)."""
    given = {audience_core(audience) for audience in audiences if isinstance(audience, str)}
    narrowed = f"{provider.audience.rstrip('/')}{path}"
    return bool(given & {audience_core(provider.audience), audience_core(narrowed)})
