"""Who may send requests: verification of the access token against every trusted issuer.

Three defaults of Envoy's filter would be holes: a token without `exp` is accepted, a provider without audiences accepts
every audience, and one without an issuer every issuer. `require_expiration`, `audiences` and `issuer` are always set.
"""

from __future__ import annotations

import json

from mom.atlas.model import IdentityProvider
from mom.envoy import clusters
from mom.envoy.messages import Json, extension
from mom.envoy.options import LocalKey, Options
from mom.envoy.origins import split
from mom.gateway import HEALTH_PATHS, LOCAL_MAX_LIFETIME_SECONDS, TOKEN_HEADER

FILTER = "envoy.filters.http.jwt_authn"
# Where the filter leaves what it read, for the access log and for the check of the algorithm.
CLAIMS = "claims"
_JOSE = "jose"
# How far clocks may be apart; Envoy's default is a minute.
_SKEW_SECONDS = 30
# RFC 7518 and RFC 8037 without HS*: a key that must be secret cannot come from a public JWKS.
_ASYMMETRIC = "(?:ES|RS|PS)(?:256|384|512)|EdDSA"


def is_url(public_key: str) -> bool:
    """Whether an identity provider's keys are fetched rather than read from a file."""
    return "://" in public_key


def filters(providers: tuple[IdentityProvider, ...], options: Options) -> list[Json]:
    """Return the HTTP filters that let only requests with a valid access token pass, `HEALTH_PATHS` excepted."""
    known = {f"{provider.name}#{index}": _configured(provider, options) for index, provider in enumerate(providers)}
    if options.local_key is not None:
        known["local key"] = _local(options.local_key)
    return [_authentication(known), _algorithms()]


def _authentication(providers: Json) -> Json:
    each: list[Json] = [{"provider_name": name} for name in providers]
    # Envoy wants two at least in a `requires_any`.
    requires = each[0] if len(each) == 1 else {"requires_any": {"requirements": each}}
    rules = [
        *({"match": {"path": path}} for path in HEALTH_PATHS),
        {"match": {"prefix": "/"}, "requires": requires},
    ]
    message = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
    return extension(FILTER, message, {"providers": providers, "rules": rules})


def _algorithms() -> Json:
    """Return the filter that refuses every algorithm but the asymmetric ones, whatever kind of keys a JWKS holds.

    It refuses what the filter before it did not look at, too: no algorithm is recorded then.
    """
    path = [{"key": _JOSE}, {"key": "alg"}]
    asymmetric = {"filter": FILTER, "path": path, "value": {"string_match": {"safe_regex": {"regex": _ASYMMETRIC}}}}
    health = [{"url_path": {"path": {"exact": path}}} for path in HEALTH_PATHS]
    policies = {
        "verified": {
            "permissions": [{"sourced_metadata": {"metadata_matcher": asymmetric}}],
            "principals": [{"any": True}],
        },
        "health": {"permissions": health, "principals": [{"any": True}]},
    }
    message = "envoy.extensions.filters.http.rbac.v3.RBAC"
    return extension("envoy.filters.http.rbac", message, {"rules": {"action": "ALLOW", "policies": policies}})


def _configured(provider: IdentityProvider, options: Options) -> Json:
    keys = _remote(provider.public_key) if is_url(provider.public_key) else _inline(options.jwks[provider.public_key])
    return _provider(provider.issuer, [provider.audience], keys)


def _local(key: LocalKey) -> Json:
    keys = _inline(json.dumps(dict(key.jwks), separators=(",", ":"), sort_keys=True))
    return _provider(key.issuer, list(key.audiences), keys) | {"max_lifetime": f"{LOCAL_MAX_LIFETIME_SECONDS}s"}


def _provider(issuer: str, audiences: list[str], keys: Json) -> Json:
    return {
        "issuer": issuer,
        "audiences": audiences,
        "require_expiration": True,
        "clock_skew_seconds": _SKEW_SECONDS,
        # Replaces the defaults, `Authorization` (which is the API's) and `?access_token=` (which ends up in logs).
        "from_headers": [{"name": TOKEN_HEADER}],
        "forward": False,
        "payload_in_metadata": CLAIMS,
        "header_in_metadata": _JOSE,
        # Makes the second request with a token cost nothing; expiry is looked at each time.
        "jwt_cache_config": {"jwt_cache_size": 1_000},
        **keys,
    }


def _inline(jwks: str) -> Json:
    # The text, not the file's name: Envoy reads a named file once and never again, so a rotation would go unnoticed.
    return {"local_jwks": {"inline_string": jwks}}


def _remote(url: str) -> Json:
    origin, _ = split(url)
    return {
        "remote_jwks": {
            "http_uri": {"uri": url, "cluster": clusters.name(origin), "timeout": "5s"},
            # An unknown `kid` fetches nothing, so this is how long a rotated key may take to be accepted.
            "cache_duration": "300s",
            # A new listener waits for the keys before it takes over, so that no reload makes a good token bad.
            "async_fetch": {"fast_listener": False, "failed_refetch_duration": "5s"},
            # The default waits up to ten seconds between two attempts, and a start waits with it.
            "retry_policy": {
                "num_retries": 1,
                "retry_back_off": {"base_interval": "0.2s", "max_interval": "1s"},
            },
        }
    }
