"""OAuth2 client credentials: Envoy fetches a token, fetches it again before it expires, and sets it on requests.

The filter that does so (credential_injector) has no configuration of a route's own, so it is in a chain with the
adapter's name, which the route names (Envoy: "Composite filter"). The chains are a resource of their own (ECDS): with
the routes, each change of any adapter would fetch every token again, and there would be none meanwhile.

It fails closed: without a token, or when the last one has expired, the client gets a 503. The guard of
`mom.envoy.secrets` refuses what a route without its chain would let through.

Client id and secret are in the body of the token request (RFC 6749, 2.3.1): Envoy 1.40 does the same for both of its
settings. The id is no secret (RFC 6749, 2.2), and is in the configuration that Envoy reads; the secret is a resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.references import filled, names, only_reference
from mom.atlas.values.urls import check_token_url
from mom.envoy import header_mutations, secrets
from mom.envoy.clusters import Upstream
from mom.envoy.messages import Json, discovered, extension, typed
from mom.envoy.options import Options
from mom.envoy.origins import split
from mom.problems import Place

FILTER = "mom.oauth2"
# With more adapters there is one cluster for each token endpoint: each reads the certificate authorities.
MOST_APART = 100
# The header that Envoy sets, and what it is with a token (RFC 6750, 2.1).
GUARDED = ("authorization", "Bearer .+")
# Of a request without a token, in the details of the response.
DETAIL = "failed_to_inject_credential"

_COMPOSITE = "envoy.extensions.filters.http.composite.v3"
_INJECTOR = "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector"
_OAUTH2 = "envoy.extensions.http.injected_credentials.oauth2.v3.OAuth2"
# For an id whose variable has no value: Envoy refuses an empty one. The guard refuses the requests.
_NO_ID = "-"


def http_filter(adapters: Iterable[HttpAdapter], options: Options, source: Json | None) -> Json:
    """Return the filter, which is disabled but on routes with what `for_route` gives.

    source: the ConfigSource of what `chains` returns; None has it in the listener itself.
    """
    message = f"{_COMPOSITE}.Composite"
    configured = chains(adapters, options) if source is None else discovered(FILTER, source, message)
    return {**configured, "disabled": True}


def chains(adapters: Iterable[HttpAdapter], options: Options) -> Json:
    """Return the chains of all adapters that have tokens fetched: equal text for equal settings."""
    named = {} if options.stand_in is not None else dict(_chains(adapters, options))
    return extension(FILTER, f"{_COMPOSITE}.Composite", {"named_filter_chains": named} if named else None)


def _chains(adapters: Iterable[HttpAdapter], options: Options) -> Iterator[tuple[str, Json]]:
    for adapter in adapters:
        if (oauth2 := adapter.oauth2) is None:
            continue
        (secret,) = names(oauth2.client_secret)
        settings: Json = {
            "token_endpoint": {
                "uri": oauth2.token_url,
                "cluster": upstream(adapter, options).name,
                "timeout": "10s",
            },
            # The least; the default is two seconds.
            "token_fetch_retry_interval": "1s",
            "client_credentials": {
                "client_id": filled(oauth2.client_id, options.client_ids) or _NO_ID,
                "client_secret": secrets.source(secret, options),
                "auth_type": "URL_ENCODED_BODY",
            },
        }
        if oauth2.scopes:
            settings["scopes"] = list(oauth2.scopes)
        if oauth2.parameters:
            settings["endpoint_params"] = [{"name": name, "value": value} for name, value in oauth2.parameters]
        credential = extension("envoy.http.injected_credentials.oauth2", _OAUTH2, settings)
        fields = {"overwrite": True, "credential": credential}
        injector = extension("envoy.filters.http.credential_injector", _INJECTOR, fields)
        yield adapter.name, {"typed_config": [injector]}


def for_route(adapter: HttpAdapter, options: Options) -> Json:
    """Return the `typed_per_filter_config` of an adapter's routes: its chain. Empty for one without."""
    if adapter.oauth2 is None or options.stand_in is not None:
        return {}
    action = extension("chain", f"{_COMPOSITE}.ExecuteFilterAction", {"filter_chain_name": adapter.name})
    matcher = {"on_no_match": {"action": action}}
    return {
        FILTER: typed(f"{_COMPOSITE}.CompositePerRoute", {"matcher": matcher}),
        # The client's own, which would pass where there is no chain.
        **header_mutations.without(GUARDED[0]),
    }


def texts(adapter: HttpAdapter) -> list[str]:
    """Return the texts with references, whose values must be there."""
    return [] if adapter.oauth2 is None else [adapter.oauth2.client_id, adapter.oauth2.client_secret]


def upstream(adapter: HttpAdapter, options: Options) -> Upstream:
    """Return where an adapter's token endpoint is."""
    assert adapter.oauth2 is not None
    client = adapter.name if options.tokens_apart else ""
    return Upstream(split(adapter.oauth2.token_url)[0], own=True, client=client)


def statistics(adapter: HttpAdapter, options: Options) -> str:
    """Return what the names of statistics begin with that count an adapter's requests for tokens."""
    return f"cluster.{upstream(adapter, options).stat_name}"


def secrets_in_environment(adapters: Iterable[HttpAdapter], options: Options) -> frozenset[str]:
    """Return the variables of client secrets whose values are in Envoy's environment: secrets all the same."""
    needed = {name for adapter in adapters if adapter.oauth2 for name in names(adapter.oauth2.client_secret)}
    return frozenset() if options.stand_in is not None else frozenset(needed - options.secrets)


def problems(adapter: HttpAdapter) -> Iterator[tuple[Place, str, str]]:
    """Yield the place, the rule and the message of what Envoy would not do as it is written."""
    if (oauth2 := adapter.oauth2) is None:
        return
    if wrong := check_token_url(oauth2.token_url):
        yield oauth2.place, "token-url", wrong.message
    if only_reference(oauth2.client_secret) is None:
        yield oauth2.place, "credential-value", "`clientSecret` is one environment reference, and nothing else"
    if adapter.basic_auth is not None or any(header.name.lower() == "authorization" for header in adapter.headers):
        yield oauth2.place, "several-credentials", "`oauth2` excludes `basicAuth` and a header `Authorization`"
