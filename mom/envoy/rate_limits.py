"""How many requests a minute may pass to an adapter: a local rate limit, which each running Envoy counts for itself.

The buckets belong to the filter, which is a resource of its own (ECDS): in the configuration of routes, each change of
any adapter would begin new ones. The metadata of a route says which limit it has, so an adapter has the same one on
each of its routes. On routes without a limit the filter is disabled.

A bucket has the number of a minute, and is filled evenly: that number may come at once. New buckets begin with the
first adapter of another limit, and with another Envoy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mom.atlas.adapters.http_limits import Limits
from mom.envoy import claims
from mom.envoy.access_log import ADAPTER_METADATA
from mom.envoy.messages import Json, discovered, extension, typed

FILTER = "mom.limits"
_LIMIT = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
# The default is 20; beyond it, the bucket that was used least recently begins anew.
_MOST_BUCKETS = 10_000
# More than can come: a request that no descriptor is about.
_UNLIMITED = {"max_tokens": 4_000_000_000, "tokens_per_fill": 4_000_000_000, "fill_interval": "1s"}
_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
# With the configuration that the filter itself has.
_ENABLED = typed("envoy.config.route.v3.FilterConfig", {"config": {}})
# What the details of a refused request contain.
REFUSED = "local_rate_limited"


def http_filter(limits: Iterable[Limits | None], source: Json | None) -> Json:
    """Return the filter, which is disabled but on routes with what `on_routes` gives.

    source: the ConfigSource of what `buckets` returns; None has it in the listener itself.
    """
    configured = buckets(limits) if source is None else discovered(FILTER, source, _LIMIT)
    return {**configured, "disabled": True}


def buckets(limits: Iterable[Limits | None]) -> Json:
    """Return the filter's configuration for adapters with these limits: the same text for the same limits."""
    known = sorted({each for each in limits if each is not None})
    fields: Json = {"stat_prefix": "mom"}
    if known:
        fields |= {
            "token_bucket": _UNLIMITED,
            "filter_enabled": _ALWAYS,
            "filter_enforced": _ALWAYS,
            "enable_retry_after_header": True,
            "always_consume_default_token_bucket": False,
            "max_dynamic_descriptors": _MOST_BUCKETS,
            "descriptors": [_descriptor(each) for each in known],
            "rate_limits": [{"actions": _actions(per_subject)} for per_subject in sorted({each[1] for each in known})],
        }
    return extension(FILTER, _LIMIT, fields)


def on_routes(routes: Sequence[Json], limits: Limits | None) -> list[Json]:
    """Return the routes of an adapter with its limits."""
    return list(routes) if limits is None else [_limited(route, limits) for route in routes]


def _limited(route: Json, limits: Limits) -> Json:
    metadata = route["metadata"]["filter_metadata"]
    own = {**metadata[ADAPTER_METADATA], _key(limits.per_subject): str(limits.requests_per_minute)}
    filters = {**route.get("typed_per_filter_config", {}), FILTER: _ENABLED}
    limited = {"metadata": {"filter_metadata": {**metadata, ADAPTER_METADATA: own}}, "typed_per_filter_config": filters}
    return {**route, **limited}


def _key(per_subject: bool) -> str:
    return "limit_per_subject" if per_subject else "limit_per_adapter"


def _descriptor(limits: Limits) -> Json:
    number = limits.requests_per_minute
    caller = [{"key": "issuer"}, {"key": "subject"}] if limits.per_subject else []
    return {
        # An entry without a value stands for each value that comes: a bucket for each.
        "entries": [{"key": _key(limits.per_subject), "value": str(number)}, {"key": "adapter"}, *caller],
        "token_bucket": {"max_tokens": number, "tokens_per_fill": number, "fill_interval": "60s"},
    }


def _actions(per_subject: bool) -> list[Json]:
    of_route = [_of_route(_key(per_subject), _key(per_subject)), _of_route("adapter", "adapter")]
    return [*of_route, _of_token("issuer", "iss"), _of_token("subject", "sub")] if per_subject else of_route


def _of_route(name: str, key: str) -> Json:
    where = {"key": ADAPTER_METADATA, "path": [{"key": key}]}
    return {"metadata": {"descriptor_key": name, "source": "ROUTE_ENTRY", "metadata_key": where}}


def _of_token(name: str, claim: str) -> Json:
    where = {"key": claims.FILTER, "path": [{"key": claims.CLAIMS}, {"key": claim}]}
    # Tokens without a subject share a bucket; without a value the request would not be counted.
    fields = {"descriptor_key": name, "source": "DYNAMIC", "metadata_key": where, "default_value": "-"}
    return {"metadata": fields}
