"""Verification of the access token of each request, against every trusted issuer.

Three defaults of Envoy's filter are unsafe: a token without `exp` is accepted, a provider without audiences accepts
every audience, and one without an issuer every issuer. `require_expiration`, `audiences` and `issuer` are always set.

The filter is a resource of its own (ECDS) where Envoy takes its configuration from files: a change of keys or providers
then applies to the next request of every connection, and the cache of verified tokens ends with it. In the listener it
would apply to new connections only.

Each adapter has a requirement of its own, by which a token may be in further places (`mom.envoy.key_slots`) and may be
narrowed to the adapter: its audience is then the gateway's with the adapter's path after it (RFC 8707). There is a
provider for each place: of one with several places Envoy insists that every token which is there is valid, and an SDK's
dummy key beside a good token would be refused. Routes name their requirement; one that the filter does not have refuses
everything, so the filter is written before the routes.

What a token says is recorded only where something reads it, since each request pays for it (`_recording`). What else a
token must be is checked behind the filter (`mom.envoy.verified`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from mom.atlas.jwks import judge
from mom.atlas.model import IdentityProvider
from mom.atlas.providers import accepted_claims, audience_core
from mom.envoy import claims
from mom.envoy.clusters import Upstream
from mom.envoy.key_slots import OWN, KeySlot, Opening
from mom.envoy.messages import Entries, Json, discovered, extension, typed
from mom.envoy.options import LocalKey, Options
from mom.envoy.origins import split
from mom.gateway import CLOCK_SKEW_SECONDS, HEALTH_PATHS

FILTER = claims.FILTER
# Where the filter leaves what it read, for what reads it behind.
CLAIMS = claims.CLAIMS
JOSE = "jose"
_MESSAGE = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
_PER_ROUTE = "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig"
_RBAC = "envoy.extensions.filters.http.rbac.v3.RBAC"
# The second request with a token costs nothing; expiry is checked each time.
_CACHED: Json = {"jwt_cache_config": {"jwt_cache_size": 1_000}}
# How long keys may be in use that Envoy itself has fetched.
FETCHED_SECONDS = 300
# The name of the policy that refuses everything, which the details of the response have.
NO_KEYS = "no_keys"


def is_url(public_key: str) -> bool:
    """Whether an identity provider's keys are fetched rather than read from a file."""
    return "://" in public_key


def is_fetched(public_key: str, options: Options) -> bool:
    """Whether Envoy itself fetches an identity provider's keys: they are at a URL, and mom has not fetched them."""
    return is_url(public_key) and public_key not in options.jwks


def any_fetched(providers: Iterable[IdentityProvider], options: Options) -> bool:
    """Whether Envoy itself fetches the keys of any of the providers."""
    return any(is_fetched(provider.public_key, options) for provider in providers)


class _Issuer(NamedTuple):
    """A trusted issuer: its name, the audiences of a token for the whole gateway, and the provider without places.

    recorded: under which key the header of its tokens is recorded (`recorded_as`).
    """

    name: str
    audiences: tuple[str, ...]
    provider: Json
    recorded: str = JOSE


class Reads(NamedTuple):
    """What else reads a verified token: all its claims, the header of it."""

    claims: bool
    header: bool


def authentication_from(source: Json) -> Json:
    """Return the filter that takes what `authentication` returns from `source`, a ConfigSource."""
    # Without a default Envoy responds with 500 to everything until the first configuration is there.
    return discovered(FILTER, source, _MESSAGE, _RBAC)


def authentication(
    providers: tuple[IdentityProvider, ...],
    openings: Sequence[Opening],
    options: Options,
    reads: Reads,
    requirements: Entries | None = None,
) -> Json:
    """Return the filter that verifies tokens, `HEALTH_PATHS` excepted: equal text for equal providers, keys, openings.

    openings: of each adapter. reads: what of a token is read. A provider without keys is left out, since Envoy takes no
    empty set. Without any provider no request passes. requirements: of each adapter (see the function of that name),
    where the openings are only those that differ in more than the path.
    """
    issuers = list(_issuers(providers, options))
    if any_fetched(providers, options):
        reads = reads._replace(header=True)
    if not issuers:
        return _no_client()
    of_each = {opening.path: _any(_accepted(issuers, opening)) for opening in openings}
    return _authentication(issuers, openings, reads, of_each if requirements is None else requirements)


def requirements(providers: tuple[IdentityProvider, ...], options: Options) -> Callable[[Opening], Json]:
    """Return what gives the entry of an adapter in the requirements of `authentication`.

    The keys are judged once, not for each adapter: of 10,000 without a form that took 20 seconds.
    """
    issuers = list(_issuers(providers, options))
    return lambda opening: {opening.path: _any(_accepted(issuers, opening)) if issuers else {}}


def for_route(path: str) -> Json:
    """Return the `typed_per_filter_config` of the routes of the adapter at `path`: which requirement applies."""
    return {FILTER: typed(_PER_ROUTE, {"requirement_name": path})}


def _issuers(providers: tuple[IdentityProvider, ...], options: Options) -> Iterator[_Issuer]:
    if options.local_key is not None:
        # First: Envoy tries providers in turn, and each that does not match parses the token once more.
        yield _Issuer("local key", options.local_key.audiences, _local(options.local_key))
    for index, provider in in_order(providers):
        if (configured := _configured(provider, options)) is not None:
            recorded = recorded_as(provider, providers)
            yield _Issuer(f"{provider.name}#{index}", (provider.audience,), configured, recorded)
    if options.ephemeral_keys is not None:
        yield _Issuer("ephemeral keys", options.ephemeral_keys.audiences, _local(options.ephemeral_keys))


def records_more(before: Sequence[IdentityProvider], after: Sequence[IdentityProvider]) -> bool:
    """Whether `authentication` records tokens in a way that only the new `verified.for_routes` lets pass.

    So where claims are demanded of a provider for the first time. The new routes still let pass what is recorded as
    before.
    """
    old, new = ({recorded_as(provider, providers) for provider in providers} for providers in (before, after))
    return bool(new - old - {JOSE})


def recorded_as(provider: IdentityProvider, providers: Sequence[IdentityProvider]) -> str:
    """Return under which key the header of a token is recorded that the provider has verified."""
    if not accepted_claims(provider, providers):
        return JOSE
    told_apart = (provider.issuer, audience_core(provider.audience), provider.public_key, provider.max_lifetime)
    return f"{JOSE}-{hashlib.sha256(repr(told_apart).encode()).hexdigest()[:16]}"


def in_order(providers: Sequence[IdentityProvider]) -> list[tuple[int, IdentityProvider]]:
    """Return the providers in the order in which Envoy tries them: see `mom.atlas.providers.accepted_claims`."""
    numbered = list(enumerate(providers))
    if not any(provider.claims for provider in providers):
        return numbered
    return sorted(numbered, key=lambda each: each[1].max_lifetime)


def _no_client() -> Json:
    health = [{"not_rule": {"url_path": {"path": {"exact": path}}}} for path in HEALTH_PATHS]
    policy = {"permissions": [{"and_rules": {"rules": health}}], "principals": [{"any": True}]}
    return extension(FILTER, _RBAC, {"rules": {"action": "DENY", "policies": {NO_KEYS: policy}}})


def _authentication(
    issuers: list[_Issuer], openings: Sequence[Opening], reads: Reads, requirements: Json | Entries
) -> Json:
    slots = dict.fromkeys((OWN, *(slot for opening in openings for slot in opening.slots)))
    providers = {
        _provider_name(issuer, slot): {
            **issuer.provider,
            "from_headers": [_place(slot)],
            **_recording(issuer, slot, reads),
        }
        for slot in slots
        for issuer in issuers
    }
    rules = [
        *({"match": {"path": path}} for path in HEALTH_PATHS),
        {"match": {"prefix": "/"}, "requires": _any({"provider_name": issuer.name} for issuer in issuers)},
    ]
    return extension(FILTER, _MESSAGE, {"providers": providers, "rules": rules, "requirement_map": requirements})


def _accepted(issuers: list[_Issuer], opening: Opening) -> Iterator[Json]:
    for slot in (OWN, *opening.slots):
        for issuer in issuers:
            # Envoy compares audiences without their scheme and final slash.
            narrowed = (f"{audience.rstrip('/')}{opening.path}" for audience in issuer.audiences)
            name = _provider_name(issuer, slot)
            yield {"provider_and_audiences": {"provider_name": name, "audiences": [*issuer.audiences, *narrowed]}}


def _any(requirements: Iterable[Json]) -> Json:
    """Return the requirement that one of them is met, tried in their order."""
    each = list(requirements)
    # A `requires_any` must have two at least.
    return each[0] if len(each) == 1 else {"requires_any": {"requirements": each}}


def _provider_name(issuer: _Issuer, slot: KeySlot) -> str:
    return issuer.name if slot == OWN else f"{issuer.name} in {slot}"


def _place(slot: KeySlot) -> Json:
    # Also replaces the defaults, one of which is `?access_token=`, which ends up in logs.
    return {"name": slot.header, **({"value_prefix": slot.prefix} if slot.prefix else {})}


def _recording(issuer: _Issuer, slot: KeySlot, reads: Reads) -> Json:
    """Return what the filter leaves of a verified token: no more than is read.

    Of one in `OWN` the check of its header is a route's (`mom.envoy.critical`); of one elsewhere it is behind the
    filter, since a new place counts a moment before the routes that have it.
    """
    if issuer.recorded != JOSE:
        return {"payload_in_metadata": CLAIMS, "header_in_metadata": issuer.recorded}
    return {
        "claim_to_headers": [{"header_name": claims.EXPIRY, "claim_name": "exp"}],
        **({"payload_in_metadata": CLAIMS} if reads.claims else {}),
        **({"header_in_metadata": JOSE} if reads.header or slot != OWN else {}),
    }


def _configured(provider: IdentityProvider, options: Options) -> Json | None:
    if is_fetched(provider.public_key, options):
        keys = _remote(provider.public_key)
    else:
        judged = judge(options.jwks[provider.public_key])
        if not judged.count:
            return None
        file = options.key_files.get(provider.public_key)
        keys = _inline(judged.text) if file is None else {"local_jwks": {"filename": file}, **_CACHED}
    return _provider(provider.issuer, [provider.audience], keys) | {"max_lifetime": f"{provider.max_lifetime}s"}


def _local(key: LocalKey) -> Json:
    keys = _inline(judge(json.dumps(dict(key.jwks))).text)
    return _provider(key.issuer, list(key.audiences), keys) | {"max_lifetime": f"{key.max_lifetime}s"}


def _provider(issuer: str, audiences: list[str], keys: Json) -> Json:
    return {
        "issuer": issuer,
        "audiences": audiences,
        "require_expiration": True,
        "clock_skew_seconds": CLOCK_SKEW_SECONDS,
        "forward": False,
        **keys,
    }


def _inline(jwks: str) -> Json:
    # The text, not the file's name: Envoy reads a named file once and never again, so a rotation would go unnoticed.
    return {"local_jwks": {"inline_string": jwks}, **_CACHED}


def _remote(url: str) -> Json:
    """Return the keys that Envoy itself fetches.

    Without the cache of verified tokens, which outlives the keys that verified them (measured).
    """
    origin, _ = split(url)
    return {
        "remote_jwks": {
            "http_uri": {"uri": url, "cluster": Upstream(origin, own=True).name, "timeout": "5s"},
            # An unknown `kid` fetches nothing, so this is how long a rotated key may take to be accepted, and a revoked
            # one to be refused. Not by `async_fetch`, with which the last keys stay for ever when there are none any
            # more: a request that finds them too old waits for new ones, and is refused without.
            "cache_duration": f"{FETCHED_SECONDS}s",
            # The default waits up to ten seconds between two attempts, and a request waits with it.
            "retry_policy": {
                "num_retries": 1,
                "retry_back_off": {"base_interval": "0.2s", "max_interval": "1s"},
            },
        }
    }
