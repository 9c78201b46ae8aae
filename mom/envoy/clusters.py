"""Clusters: the upstreams. Origins with a name share a few clusters, which look a name up once a request needs it.

A cluster for each origin costs 300 KB and 3.4 ms of start-up, since each reads the certificate authorities, and web
sockets need another one: 10,000 origins over TLS would take 6.5 GB. So there is one cluster for each way to connect:
https as ALPN decides, plain http, web sockets over each, and the same for each set of TLS files (Envoy: "Dynamic
forward proxy"). None of them changes when an adapter does: a reload drains no connection, a new API needs no warm-up.

Which host a request goes to is a literal of its route (`for_route` and `host_rewrite_literal`), never what a client
sends; the name in SNI and in the certificate is the same literal. A cluster of its own has, as before, what this cannot
express: an address (there is nothing to look up, and a certificate has to name the address), an origin whose adapter
sends another `Host` (the host, SNI and the certificate's name would follow that), and keys that Envoy itself fetches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from mom.atlas.adapters.http_tls import NO_TLS_FILES, Tls
from mom.envoy import aws_signing, client_certificates, proxies
from mom.envoy.limits import Limits, limits
from mom.envoy.messages import Json, extension, request_header, typed
from mom.envoy.options import Options, PemFile
from mom.envoy.origins import Origin

PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
# Shorter than the keep-alive of common servers (nginx 75 s, many load balancers 60 s): Envoy, not the API, closes an
# idle connection, so that no request is written into one that is about to go.
_IDLE = "30s"
# A start waits for the first look-up of every name, so that the first request finds an address. With the defaults, 5
# seconds and 4 tries, a name server that does not respond delays it for more than a minute (measured: 65 s).
_RESOLVER = extension(
    "envoy.network.dns_resolver.cares",
    "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
    {"query_timeout_seconds": 2, "query_tries": 2, "filter_unroutable_families": True},
)
# Trailers of HTTP/1.1 are dropped by default, though the `Trailer` header that announces them is passed on.
_HTTP1_OPTIONS: Json = {"enable_trailers": True}
HTTP1: Json = {"explicit_http_config": {"http_protocol_options": _HTTP1_OPTIONS}}
_HTTP2: Json = {"explicit_http_config": {"http2_protocol_options": {}}}
_BY_ALPN: Json = {"auto_config": {"http_protocol_options": _HTTP1_OPTIONS, "http2_protocol_options": {}}}
# With the defaults, 100 and 60, an API with many cookies, links or rate limits gets a 502.
_COMMON: Json = {"idle_timeout": _IDLE, "max_headers_count": 1_000, "max_response_headers_kb": 128}

FILTER = "envoy.filters.http.dynamic_forward_proxy"
_MESSAGES = "envoy.extensions.filters.http.dynamic_forward_proxy.v3"
_SPECIFIERS = "envoy.extensions.router.cluster_specifiers.matcher.v3"
_WEB_SOCKETS = "#websocket"
# The failures of a look-up: how soon the next one.
_LOOK_UP_AGAIN: Json = {"base_interval": "1s", "max_interval": "10s"}
# One for all clusters, by its name; Envoy refuses another text of it as long as the first is in use, so it depends on
# nothing. More hosts than any configuration has, and a look-up for each at once.
_NAMES: Json = {
    "name": "names",
    "dns_lookup_family": "ALL",
    "max_hosts": 1_000_000,
    # What is used is looked up again as its TTL says; what was not used for so long is forgotten.
    "host_ttl": "3600s",
    "dns_failure_refresh_rate": _LOOK_UP_AGAIN,
    "dns_cache_circuit_breaker": {"max_pending_requests": 100_000},
    "typed_dns_resolver_config": _RESOLVER,
}


class Upstream(NamedTuple):
    """What requests reach, and how.

    web_sockets: whether only those go there. http2: by HTTP/2 with prior knowledge, where plain http would be HTTP/1.1.
    own: whether it needs a cluster of its own although its host has a name. aws: its requests are signed
    (`mom.envoy.aws_signing`). proxy: what the adapter says of a proxy, empty where it says nothing. client: the adapter
    for which tokens are fetched there, where each is counted apart.
    """

    origin: Origin
    web_sockets: bool = False
    http2: bool = False
    tls: Tls = NO_TLS_FILES
    own: bool = False
    aws: bool = False
    proxy: str = ""
    client: str = ""

    @property
    def is_shared(self) -> bool:
        """Whether its cluster is that of all origins that are reached in the same way."""
        return not self.own and not self.origin.is_ip

    def by(self, options: Options) -> Upstream:
        """Return the upstream as it is reached: a proxy leads to one origin alone (`mom.envoy.proxies`)."""
        return self if (self.origin, self.proxy) not in options.proxies else self._replace(own=True)

    @property
    def name(self) -> str:
        """The name of the cluster."""
        protocol = _WEB_SOCKETS if self.web_sockets else "#http2" if self.http2 else ""
        signed = "#aws" if self.aws else ""
        tls = "" if self.tls is NO_TLS_FILES else f"#tls-{_digest(self.tls)}"
        proxy = f"#proxy-{_digest_of(self.proxy)}" if self.proxy and not self.is_shared else ""
        client = f"#tokens-{self.client}" if self.client else ""
        return f"{self.origin.scheme if self.is_shared else self.origin}{protocol}{signed}{tls}{proxy}{client}"

    @property
    def stat_name(self) -> str:
        """The name of the cluster in Envoy's statistics, which have no colons."""
        return self.name.replace("://", "_").replace(":", "_")

    def for_web_sockets(self) -> Upstream:
        """Return the upstream of web sockets, which are over HTTP/1.1 and end after a time.

        Over TLS the server may choose HTTP/2, on which a web socket needs RFC 8441; most servers lack it and respond
        with 400.
        """
        return self._replace(web_sockets=True, http2=False)

    def switched(self) -> Json:
        """Return the part of a route's action that leads here, and web sockets to the upstream of those.

        One route does for both: a second one for each of 10,000 adapters costs 60 MB and 0.4 s. The routes need
        `switch`.
        """
        return {"cluster_specifier_plugin": self.name}

    def for_route(self) -> Json:
        """Return the `typed_per_filter_config` of a route to it: the name to look up, where that is done so."""
        if not self.is_shared:
            return {}
        # Wins over the client's `Host`. The port is left out as in the route's `host_rewrite_literal`.
        return {FILTER: typed(f"{_MESSAGES}.PerRouteConfig", {"host_rewrite_literal": self.origin.authority})}


def switch(upstream: Upstream) -> Json:
    """Return what `Upstream.switched` names, for `cluster_specifier_plugins` of the route configuration."""
    websocket = {
        "input": request_header("upgrade"),
        "value_match": {"exact": "websocket", "ignore_case": True},
    }
    on_match = _action(upstream.for_web_sockets())
    matcher = {
        "matcher_list": {"matchers": [{"predicate": {"single_predicate": websocket}, "on_match": on_match}]},
        "on_no_match": _action(upstream),
    }
    message = f"{_SPECIFIERS}.MatcherClusterSpecifier"
    return {"extension": extension(upstream.name, message, {"cluster_matcher": matcher})}


def _action(upstream: Upstream) -> Json:
    return {"action": extension("cluster", f"{_SPECIFIERS}.ClusterAction", {"cluster": upstream.name})}


def http_filter() -> Json:
    """Return the filter that looks names up, in front of the router; disabled but on routes with `for_route`."""
    return {**extension(FILTER, f"{_MESSAGES}.FilterConfig", {"dns_cache_config": _NAMES}), "disabled": True}


def limit(clusters: Iterable[Json], open_files: int) -> tuple[Json, ...]:
    """Return `clusters` with the number of connections that each may have where Envoy may have so many files open.

    A shared cluster may have all of them, and each of its hosts a part. It depends on nothing that changes with an
    adapter.
    """
    limited = tuple(clusters)
    # Web sockets of an origin are not another one.
    own = [cluster for cluster in limited if not _is_shared(cluster) and _WEB_SOCKETS not in cluster["name"]]
    allowed = limits(open_files, len(own))
    return tuple(cluster | {"circuit_breakers": _breakers(cluster, allowed)} for cluster in limited)


def _breakers(cluster: Json, limits: Limits) -> Json:
    # The defaults, 1024 of each and 3 retries, turn a burst of an HTTP/2 server's GOAWAYs into errors.
    if not _is_shared(cluster):
        thresholds = {
            "max_connections": limits.upstream,
            "max_pending_requests": 10_000,
            "max_requests": 10_000,
            "max_retries": 1_000,
        }
        return {"thresholds": [thresholds]}
    # What one slow API could use up for all others is out of the way; its own connections are not.
    shared = {
        "max_connections": limits.together,
        "max_pending_requests": 100_000,
        "max_requests": 100_000,
        "max_retries": 10_000,
    }
    return {"thresholds": [shared], "per_host_thresholds": [{"max_connections": limits.host}]}


def _is_shared(cluster: Json) -> bool:
    return "cluster_type" in cluster


def _digest(tls: Tls) -> str:
    return _digest_of(repr((tls.ca_file, tls.cert_file, tls.key_file)))


def _digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def cluster(upstream: Upstream, options: Options) -> Json:
    """Return the cluster of an upstream, equal for all of its name."""
    direct = _direct(upstream, options)
    proxy = options.proxies.get((upstream.origin, upstream.proxy))
    if proxy is None or upstream.is_shared:
        return direct
    return proxies.through(direct, upstream.origin, proxy, PROTOCOL_OPTIONS)


def _direct(upstream: Upstream, options: Options) -> Json:
    common = _COMMON
    if upstream.web_sockets and options.stream_limit:
        # A web socket outlives the token that opened it, and whatever is revoked since.
        common = _COMMON | {"max_stream_duration": f"{options.stream_limit:.3f}s"}
    if upstream.origin.scheme == "http":
        return _cluster(upstream, common, _HTTP2 if upstream.http2 else HTTP1)
    protocol = HTTP1 if upstream.web_sockets else _BY_ALPN
    # SNI of a shared cluster is the host of the request, which is its route's.
    by_host = {"upstream_http_protocol_options": {"auto_sni": True}} if upstream.is_shared else {}
    filters = {"http_filters": aws_signing.http_filters()} if upstream.aws else {}
    tls = {"transport_socket": _tls(upstream, options)}
    return _cluster(upstream, common, {**protocol, **by_host, **filters}) | tls


def _cluster(upstream: Upstream, common: Json, protocol: Json) -> Json:
    return {
        "name": upstream.name,
        **_endpoints(upstream),
        "connect_timeout": "5s",
        "per_connection_buffer_limit_bytes": 1_048_576,
        # A peer that went away silently (sleep, a dead NAT entry) is noticed in two minutes, not in hours.
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_time": 60, "keepalive_interval": 15, "keepalive_probes": 4},
            **_first_family(upstream),
        },
        "typed_extension_protocol_options": {
            PROTOCOL_OPTIONS: typed(PROTOCOL_OPTIONS, {"common_http_protocol_options": common, **protocol})
        },
    }


def _endpoints(upstream: Upstream) -> Json:
    if not upstream.is_shared:
        return {**discovery(upstream.origin), "load_assignment": load_assignment(upstream.name, upstream.origin)}
    message = "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig"
    # Insecure is to Envoy what has no `auto_san_validation`: plain http, and over TLS the stricter setting of
    # `_server_name`, which that one would replace (it takes a URI or a mail address for a host, too).
    fields = {"dns_cache_config": _NAMES, "allow_insecure_cluster_options": True}
    names = extension("envoy.clusters.dynamic_forward_proxy", message, fields)
    return {"lb_policy": "CLUSTER_PROVIDED", "cluster_type": names}


def load_assignment(name: str, origin: Origin) -> Json:
    """Return what has the cluster `name` connect to the host and the port of `origin`."""
    address = {"socket_address": {"address": origin.host, "port_value": origin.port}}
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}


def _first_family(upstream: Upstream) -> Json:
    """Return which addresses of a name are tried first: those of IPv6, as RFC 8305, 4 recommends.

    Only what happened at the last one is known. Most servers of this machine listen on 127.0.0.1 alone: that no
    server listens on ::1 must not hide what is wrong with their certificate.
    """
    if upstream.origin.is_ip:
        return {}
    return {"happy_eyeballs_config": {"first_address_family_version": "V6"}}


def discovery(origin: Origin) -> Json:
    """Return how the host becomes addresses.

    LOGICAL_DNS with all families tries IPv6 and IPv4 as RFC 8305 describes, so that a machine without an IPv6 route or
    an API that listens on one family only is reached at once; STRICT_DNS would spread requests over both.
    """
    if origin.is_ip:
        return {"type": "STATIC"}
    return {
        "type": "LOGICAL_DNS",
        "dns_lookup_family": "ALL",
        "dns_refresh_rate": "30s",
        "respect_dns_ttl": True,
        "dns_failure_refresh_rate": _LOOK_UP_AGAIN,
        "typed_dns_resolver_config": _RESOLVER,
    }


def _tls(upstream: Upstream, options: Options) -> Json:
    """Return the TLS side of a connection: whose certificate must be valid for the host of the base URL.

    Without a `validation_context` Envoy verifies nothing, and without the name any certificate of any owner will do.
    """
    # The stand-in of an API has no TLS, and the API's files need not be there.
    tls = upstream.tls if options.stand_in is None else NO_TLS_FILES
    one_name, names = _server_name(upstream)
    return extension(
        "envoy.transport_sockets.tls",
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        {
            **one_name,
            "common_tls_context": {
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                **_client_certificate(tls, options),
                "validation_context": {
                    "trusted_ca": _authorities(tls, options),
                    **names,
                },
            },
        },
    )


def _server_name(upstream: Upstream) -> tuple[Json, Json]:
    """Return what of a TLS context depends on the server's name: SNI, and the names in the certificate."""
    if upstream.is_shared:
        # A DNS name of the certificate must be the one in SNI. No session is resumed: Envoy keeps tickets by cluster,
        # and an API must not be sent that of another one (RFC 8446, 4.6.1).
        return {"auto_sni_san_validation": True, "max_session_keys": 0}, {}
    host = upstream.origin.host
    # RFC 6066, 3: SNI carries names only.
    sni = {} if upstream.origin.is_ip else {"sni": host}
    kind = "IP_ADDRESS" if upstream.origin.is_ip else "DNS"
    return sni, {"match_typed_subject_alt_names": [{"san_type": kind, "matcher": {"exact": host}}]}


def _authorities(tls: Tls, options: Options) -> Json:
    if not tls.ca_file:
        return {"filename": options.ca_file}
    # Inline: Envoy reads a file again only when the resource that names it has changed.
    return _pem(options.pem_files[tls.ca_file])


def _client_certificate(tls: Tls, options: Options) -> Json:
    """Return the certificate that Atlas shows; the key stays where it is."""
    if not tls.cert_file:
        return {}
    if options.certificate_folder is not None:
        return {"tls_certificate_sds_secret_configs": [client_certificates.source(tls, options.certificate_folder)]}
    chain, key = options.pem_files[tls.cert_file], options.pem_files[tls.key_file]
    # What is in the file of a key beside it counts for nothing.
    pair = {"certificate_chain": _pem(chain), "private_key": _pem(replace(key, certificates=""))}
    return {"tls_certificates": [pair]}


def _pem(file: PemFile) -> Json:
    if file.certificates:
        return {"inline_string": file.certificates}
    return {"environment_variable": file.variable} if file.variable else {"filename": file.path}
