"""Routes: which path belongs to which adapter, and the response to all others.

| path | response |
|---|---|
| `/healthz`, `/healthcheck` | `ok`, without an access token |
| `GET /v1alpha1/instances` | `{"instances": [{"name", "owner", "apis": N}]}`: this Atlas |
| `GET /v1alpha1/apis` | `{"apis": [{"kind", "name", "baseUrl", "path", "instance"}]}`: what it serves, and where an |
| | adapter names variables `"credential": {"state", "since"}`: how their values are (`CredentialState`); |
| | `{"identityProviders": [{"name", "issuer", "keys": {"state", "since"}}]}`: how their keys are (`KeyState`) |
| `/v1/apis/http/NAME/REST` | the adapter NAME: REST appended to its base URL, byte for byte |

Bytes of a path are never normalised: `%2F` and `//` mean something to APIs, and normalising `..` would let a path of
one adapter become one of another. So dot segments, in every spelling that some server might understand, are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain

from mom.atlas.model import Adapter, Configuration
from mom.atlas.policy import AllowList
from mom.envoy import (
    adapters,
    clusters,
    cors,
    critical,
    dot_segments,
    header_mutations,
    headers,
    jwt,
    policy,
    rate_limits,
    stand_in,
    verified,
)
from mom.envoy.access_log import HEALTH_ROUTE, LOCAL_KEY, virtual_host_metadata
from mom.envoy.adapters.forwarding import RETRIES
from mom.envoy.by_form import EntryOfEach, Memory, Texts, distinct
from mom.envoy.listing import Item, Listing, around
from mom.envoy.messages import Entries, Json, extension, request_header
from mom.envoy.options import Options
from mom.envoy.replies import CRITICAL_ROUTE
from mom.gateway import APIS_PATH, HEALTH_PATHS, INSTANCES_PATH, TOKEN_HEADER

NAME = "atlas"


def _bad_request(reason: str) -> Json:
    return {"status": 400, "body": {"inline_string": reason}}


# What is refused whatever the path is, in this order: a name, the header that is looked at, what it must match, and the
# response.
REFUSED: tuple[tuple[str, str, str, Json], ...] = (
    # TRACE makes the API echo the request to the client, the injected credential in it (RFC 9110, 9.3.8). HTTP/2 and
    # lenient servers take any case.
    ("method", ":method", "(?i)(?:TRACE|TRACK|CONNECT|DEBUG)", {"status": 405}),
    # Methods are case-sensitive (RFC 9110, 9.1): to a strict server `get` is unknown, to a lenient one it is GET.
    (
        "method in lower case",
        ":method",
        ".*[a-z].*",
        _bad_request("methods are written in capital letters: GET, not get"),
    ),
    ("dot segment", ":path", dot_segments.PATTERN, _bad_request("dot segments are not allowed in the path")),
)
# The same of a token in the gateway's own header; of one in another the check is behind the filter that verifies it.
_REFUSED_TOKEN = (CRITICAL_ROUTE, TOKEN_HEADER.lower(), critical.PATTERN, {"status": 401})


def route_configuration(configuration: Configuration, options: Options, memory: Memory | None = None) -> Json:
    """Return the RouteConfiguration `atlas` for all adapters of `configuration`.

    memory: of the last time, with the same secrets' folder.
    """
    memory = memory or Memory()
    served = adapters.served(configuration)
    different = tuple(distinct(served, options))
    lists = _lists(configuration, served, options, memory)
    pages = cors.for_host(configuration.cors, adapters.openings(different, options)) if configuration.cors else {}
    host = _host(configuration, lists, options, memory)
    if configured := {**pages, **host.get("typed_per_filter_config", {})}:
        host["typed_per_filter_config"] = configured
    metadata = _metadata(configuration, options)
    # Of all routes: at each adapter's it is a twentieth of what Envoy does to read an adapter.
    common = {"domains": list(options.hosts or ("*",)), "retry_policy": RETRIES, **metadata}
    hosts = [{"name": "atlas", **common, **host}]
    if options.hosts is not None:
        # RFC 9110, 15.5.20: not a name of this server.
        other = {"name": "other hosts", "match": {"prefix": "/"}, "direct_response": {"status": 421}}
        hosts.append({"name": "other hosts", "domains": ["*"], **metadata, "routes": [other]})
    return {
        "name": NAME,
        "request_headers_to_remove": list(headers.TOKEN_REMOVED),
        "response_headers_to_remove": list(headers.RESPONSE_REMOVED),
        "response_headers_to_add": _added(options, configuration.cors),
        # Else the removals would come last, and remove what an adapter sets.
        "most_specific_header_mutations_wins": True,
        # The default is 4096 bytes, about 30 adapters.
        "max_direct_response_body_size_bytes": max(4096, *(len(each.body.encode()) for each in lists.values())),
        "virtual_hosts": hosts,
        "cluster_specifier_plugins": list(_switches(served if options.proxies else different, options)),
        "typed_per_filter_config": {
            **header_mutations.for_headers(
                adapters.headers(different) | _method_overrides(configuration, different),
                adapters.credential_headers(different),
            ),
            **verified.for_routes(configuration.identity_providers, options),
        },
    }


def _switches(served: Sequence[Adapter], options: Options) -> Iterator[Json]:
    # Any upstream of a name stands for all of them.
    each = (upstream.by(options) for adapter in served for upstream in adapters.kind_of(adapter).switched(adapter))
    for _, upstream in sorted({upstream.name: upstream for upstream in each}.items()):
        yield clusters.switch(upstream)


def _added(options: Options, origins: tuple[str, ...]) -> list[Json]:
    """Return what is added to every response. One for a page differs by the page's origin."""
    differs_by = [TOKEN_HEADER, *(["Origin"] if origins else [])]
    return [*map(headers.vary, differs_by), *([] if options.stand_in is None else [stand_in.RESPONSE_HEADER])]


def _metadata(configuration: Configuration, options: Options) -> Json:
    """Return the metadata by which a line of the access log has the name of the caller's identity provider."""
    if not options.has_request_log:
        return {}
    names: dict[str, list[str]] = {}
    if options.local_key is not None:
        names[options.local_key.issuer] = [LOCAL_KEY]
    if options.ephemeral_keys is not None:
        names[options.ephemeral_keys.issuer] = [LOCAL_KEY]
    for provider in configuration.identity_providers:
        names.setdefault(provider.issuer, []).append(provider.name)
    return {"metadata": virtual_host_metadata({issuer: ", ".join(each) for issuer, each in names.items()})}


def _method_overrides(configuration: Configuration, served: Sequence[Adapter]) -> set[str]:
    lists = (configuration.allow, *(adapters.kind_of(adapter).allow(adapter) for adapter in served))
    return set(policy.method_overrides(lists))


def _lists(
    configuration: Configuration, served: tuple[Adapter, ...], options: Options, memory: Memory
) -> dict[str, Listing]:
    """Return the two lists by path."""
    instance: Json = {"name": configuration.name, "owner": configuration.owner, "apis": None}
    of_each = Texts(_listed, options, memory.recall("list", None))
    last = f', "instance": {json.dumps(configuration.name)}}}'
    apis = [
        Item(
            f"{of_each.of(adapter)}{_credential(adapter, options)}{last}",
            _allowing(configuration.allow, adapters.kind_of(adapter).allow(adapter)),
        )
        for adapter in served
    ]
    providers = [
        {"name": provider.name, "issuer": provider.issuer, "keys": {"state": state.word, "since": state.since}}
        for provider in configuration.identity_providers
        if (state := options.key_states.get(provider.public_key))
    ]
    after = json.dumps({"identityProviders": providers})[1:] if providers else "}"
    before_count, after_count = around({"instances": [instance]}, "apis")
    return {
        INSTANCES_PATH: Listing(before_count, apis, after_count, counted=True),
        APIS_PATH: Listing('{"apis": [', apis, f"]{', ' if providers else ''}{after}\n"),
    }


def _allowing(*lists: AllowList | None) -> tuple[AllowList, ...]:
    return tuple([each for each in lists if each is not None])


def _listed(adapter: Adapter, _: Options) -> str:
    """Return what a list has of an adapter, without the end of the object."""
    named = {"kind": adapter.kind, "name": adapter.name, **adapters.kind_of(adapter).listed(adapter)}
    return json.dumps(named)[:-1]


def _credential(adapter: Adapter, options: Options) -> str:
    state = options.credential_states.get((adapter.kind, adapter.name))
    return "" if state is None else f', "credential": {{"state": "{state.word}", "since": "{state.since}"}}'


def _host(configuration: Configuration, lists: dict[str, Listing], options: Options, memory: Memory) -> Json:
    """Return the routes of the virtual host: in a row (43 ns each), or in a tree above `tree_above` adapters."""
    served = adapters.served(configuration)
    fixed = [*(_health(path) for path in HEALTH_PATHS), *(_list(path, each) for path, each in lists.items())]
    if len(served) <= options.tree_above:
        own = chain.from_iterable(_routes(adapter, configuration.allow, options) for adapter in served)
        return {"routes": [*_refusals(), *fixed, *own, _none()]}

    def entry(adapter: Adapter, options: Options) -> Json:
        routes = _routes(adapter, configuration.allow, options)
        return {adapters.path(adapter): {"action": _action(routes)}}

    recalled = memory.recall("routes", (options.without_states, configuration.allow))
    return {"matcher": _tree(EntryOfEach(entry, served, options, recalled), [*fixed, _none()])}


def _routes(adapter: Adapter, allow: AllowList | None, options: Options) -> list[Json]:
    """Return the routes of an adapter: which tokens open them, in which headers, for which requests, and how many.

    allow: the list that requests to every adapter must pass.
    """
    kind = adapters.kind_of(adapter)
    required = jwt.for_route(kind.path(adapter))
    slots = kind.key_slots(adapter) if options.key_slots else ()
    # A shared cache must keep clients apart by whatever they are told apart by.
    vary = [headers.vary(name) for name in dict.fromkeys(slot.header for slot in slots)]
    routes = [
        {
            **route,
            **({"response_headers_to_add": [*route.get("response_headers_to_add", ()), *vary]} if vary else {}),
            "typed_per_filter_config": {**required, **route.get("typed_per_filter_config", {})},
        }
        for route in kind.routes(adapter, options)
    ]
    own = [name.lower() for name in kind.headers(adapter)]
    routes = policy.on_routes(routes, kind.path(adapter), (allow, kind.allow(adapter)), own)
    return rate_limits.on_routes(routes, kind.limits(adapter))


def _tree(by_prefix: Entries, rest: list[Json]) -> Json:
    """Return a matcher: refusals first, then the longest prefix, whose own routes check that it ends at a segment."""
    tree = {
        "matcher_tree": {"input": request_header(":path"), "prefix_match_map": {"map": by_prefix}},
        "on_no_match": {"action": _action(rest)},
    }
    return {
        "matcher_list": {"matchers": [_refusal(*refused) for refused in (*REFUSED, _REFUSED_TOKEN)]},
        "on_no_match": {"matcher": tree},
    }


def _refusal(name: str, header: str, regex: str, response: Json) -> Json:
    route = {"name": name, "match": {"prefix": "/"}, "direct_response": response}
    match = {"value_match": {"safe_regex": {"google_re2": {}, "regex": regex}}, "input": request_header(header)}
    return {"predicate": {"single_predicate": match}, "on_match": {"action": _action([route])}}


def _action(routes: list[Json]) -> Json:
    return extension("routes", "envoy.config.route.v3.RouteList", {"routes": routes})


def _refusals() -> Iterator[Json]:
    """Yield the routes for what is refused before any path is looked up."""
    for name, header, regex, response in (*REFUSED, _REFUSED_TOKEN):
        method = {"name": header, "string_match": {"safe_regex": {"regex": regex}}}
        match = {"safe_regex": {"regex": regex}} if header == ":path" else {"prefix": "/", "headers": [method]}
        yield {"name": name, "match": match, "direct_response": response}


def _health(at: str) -> Json:
    body = {"status": 200, "body": {"inline_string": "ok"}}
    return {"name": HEALTH_ROUTE, "match": {"path": at}, "direct_response": body}


def _list(at: str, listing: Listing) -> Json:
    method = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
    content_type = {"key": "content-type", "value": "application/json"}
    return {
        "name": at,
        "match": {"path": at, "headers": [method]},
        "direct_response": {"status": 200, "body": {"inline_string": listing.body}},
        **({"typed_per_filter_config": configured} if (configured := listing.for_route()) else {}),
        "response_headers_to_add": [{"header": content_type, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }


def _none() -> Json:
    return {"name": "none", "match": {"prefix": "/"}, "direct_response": {"status": 404}}
