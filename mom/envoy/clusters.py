"""Clusters: the upstreams, one per origin, however many adapters share it.

A cluster per adapter would cost 70 KB and half a millisecond of start-up each; 10,000 adapters of 50 APIs need 50.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from mom.atlas.adapters.http_tls import NO_TLS_FILES, Tls
from mom.envoy.limits import limits
from mom.envoy.messages import Json, extension, typed
from mom.envoy.options import Options
from mom.envoy.origins import Origin
from mom.gateway import is_this_machine

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


class Upstream(NamedTuple):
    """What the connections of one cluster reach, and how. Equal upstreams are one cluster.

    http1: by HTTP/1.1 only, where TLS would negotiate. http2: by HTTP/2 with prior knowledge, where plain http would be
    HTTP/1.1.
    """

    origin: Origin
    http1: bool = False
    http2: bool = False
    tls: Tls = NO_TLS_FILES

    @property
    def name(self) -> str:
        """The name of the cluster."""
        protocol = "#http1" if self.http1 else "#http2" if self.http2 else ""
        return f"{self.origin}{protocol}" + ("" if self.tls is NO_TLS_FILES else f"#tls-{_digest(self.tls)}")

    @property
    def stat_name(self) -> str:
        """The name of the cluster in Envoy's statistics, which have no colons."""
        return self.name.replace("://", "_").replace(":", "_")

    def for_web_sockets(self) -> Upstream:
        """Return the upstream of web sockets.

        Over TLS the server may choose HTTP/2, on which a web socket needs RFC 8441; most servers lack it and respond
        with 400.
        """
        return self._replace(http1=self.origin.scheme == "https", http2=False)


def limit(clusters: Iterable[Json], open_files: int) -> tuple[Json, ...]:
    """Return `clusters` with the number of connections that each may have where Envoy may have so many files open."""
    limited = tuple(clusters)
    most = limits(open_files, len(limited)).upstream
    # The defaults, 1024 of each and 3 retries, turn a burst of an HTTP/2 server's GOAWAYs into errors.
    thresholds = {
        "max_connections": most,
        "max_pending_requests": 10_000,
        "max_requests": 10_000,
        "max_retries": 1_000,
    }
    return tuple(cluster | {"circuit_breakers": {"thresholds": [thresholds]}} for cluster in limited)


def _digest(tls: Tls) -> str:
    return hashlib.sha256(repr((tls.ca_file, tls.cert_file, tls.key_file)).encode()).hexdigest()[:8]


def cluster(upstream: Upstream, options: Options) -> Json:
    """Return the cluster of an upstream."""
    origin = upstream.origin
    if origin.scheme == "http":
        return _cluster(upstream.name, origin, _HTTP2 if upstream.http2 else HTTP1)
    protocol = HTTP1 if upstream.http1 else _BY_ALPN
    return _cluster(upstream.name, origin, protocol) | {"transport_socket": _tls(upstream, options)}


def _cluster(name: str, origin: Origin, protocol: Json) -> Json:
    return {
        "name": name,
        **discovery(origin),
        "connect_timeout": "5s",
        "per_connection_buffer_limit_bytes": 1_048_576,
        # A peer that went away silently (sleep, a dead NAT entry) is noticed in two minutes, not in hours.
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_time": 60, "keepalive_interval": 15, "keepalive_probes": 4},
            **_first_family(origin),
        },
        "typed_extension_protocol_options": {
            PROTOCOL_OPTIONS: typed(PROTOCOL_OPTIONS, {"common_http_protocol_options": _COMMON, **protocol})
        },
        "load_assignment": load_assignment(name, origin),
    }


def load_assignment(name: str, origin: Origin) -> Json:
    """Return what has the cluster `name` connect to the host and the port of `origin`."""
    address = {"socket_address": {"address": origin.host, "port_value": origin.port}}
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}


def _first_family(origin: Origin) -> Json:
    """Return which addresses of a name of this machine are tried first.

    Only what happened at the last one is known. Most servers of this machine listen on 127.0.0.1 alone: that no
    server listens on ::1 must not hide what is wrong with their certificate.
    """
    if not is_this_machine(origin.host):
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
        "dns_failure_refresh_rate": {"base_interval": "1s", "max_interval": "10s"},
        "typed_dns_resolver_config": _RESOLVER,
    }


def _tls(upstream: Upstream, options: Options) -> Json:
    """Return the TLS side of a connection to `origin`: whose certificate must be valid for the host of the base URL.

    Without a `validation_context` Envoy verifies nothing, and without the name any certificate of any owner will do.
    """
    origin = upstream.origin
    # The stand-in of an API has no TLS, and the API's files need not be there.
    tls = upstream.tls if options.stand_in is None else NO_TLS_FILES
    # RFC 6066, 3: SNI carries names only.
    sni = {} if origin.is_ip else {"sni": origin.host}
    kind = "IP_ADDRESS" if origin.is_ip else "DNS"
    return extension(
        "envoy.transport_sockets.tls",
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        {
            **sni,
            "common_tls_context": {
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                **_client_certificate(tls, options),
                "validation_context": {
                    "trusted_ca": _authorities(tls, options),
                    "match_typed_subject_alt_names": [{"san_type": kind, "matcher": {"exact": origin.host}}],
                },
            },
        },
    )


def _authorities(tls: Tls, options: Options) -> Json:
    if not tls.ca_file:
        return {"filename": options.ca_file}
    # Inline: Envoy reads a file again only when the resource that names it has changed.
    return {"inline_string": options.pem_files[tls.ca_file].certificates}


def _client_certificate(tls: Tls, options: Options) -> Json:
    """Return the certificate that Atlas shows; the key stays where it is."""
    if not tls.cert_file:
        return {}
    chain = {"inline_string": options.pem_files[tls.cert_file].certificates}
    key = {"filename": options.pem_files[tls.key_file].path}
    return {"tls_certificates": [{"certificate_chain": chain, "private_key": key}]}
