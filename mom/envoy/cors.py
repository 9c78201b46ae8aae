"""Which web pages may call (Fetch, "CORS protocol"): those of `spec.cors`, by a preflight without a token.

The filter and its policy are there only where origins are configured. What an API says about CORS is removed
(`mom.envoy.headers`), so this is all that a browser sees. No credentials mode: a browser sends no cookies, and a page
needs an access token of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from mom.envoy.key_slots import Opening
from mom.envoy.messages import Json, extension, typed
from mom.gateway import ERROR_HEADER, TOKEN_HEADER

FILTER = "envoy.filters.http.cors"
_MESSAGE = "envoy.extensions.filters.http.cors.v3"
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_HEADERS = (TOKEN_HEADER.lower(), "authorization", "content-type")
# Seconds for which a browser need not ask again; what is taken out of `origins` may be called so long without a
# preflight, and the response is then refused to the page.
_MAX_AGE = 600


def http_filters(origins: tuple[str, ...]) -> list[Json]:
    """Return the filter, before all others: a preflight has no token."""
    return [extension(FILTER, f"{_MESSAGE}.Cors")] if origins else []


def for_host(origins: tuple[str, ...], openings: Iterable[Opening]) -> Json:
    """Return the `typed_per_filter_config` of the virtual host where pages of `origins` may call."""
    slots = sorted({slot.header for opening in openings for slot in opening.slots} - set(_HEADERS))
    policy = {
        "allow_origin_string_match": [{"exact": origin} for origin in origins],
        "allow_methods": _METHODS,
        "allow_headers": ", ".join([*_HEADERS, *slots]),
        "expose_headers": ERROR_HEADER.lower(),
        "max_age": str(_MAX_AGE),
        "allow_credentials": False,
        # A page of a public site may ask for an address of a private network, this machine's above all.
        "allow_private_network_access": True,
    }
    return {FILTER: typed(f"{_MESSAGE}.CorsPolicy", policy)}
