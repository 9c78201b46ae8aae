"""The listener and its HTTP connection manager: what is accepted from a client before any route is looked at."""

from __future__ import annotations

from mom.atlas.model import Configuration
from mom.envoy import header_mutations, jwt, replies, routes
from mom.envoy.access_log import access_log
from mom.envoy.messages import Json, extension
from mom.envoy.options import Certificate, Options

NAME = "atlas"


def listener(configuration: Configuration, options: Options, route_source: Json) -> Json:
    """Return the one listener. `route_source` is `{"route_config": ...}` or `{"rds": ...}`."""
    manager = extension(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        connection_manager(configuration, options, route_source),
    )
    socket = {} if options.tls is None else {"transport_socket": _tls(options.tls)}
    marks = {} if options.tls is None else {"metadata": _marks(options.tls)}
    return {
        "name": NAME,
        **marks,
        "address": {"socket_address": {"address": options.listen.host, "port_value": options.listen.port}},
        # The default lets a second Envoy bind the same port and share the traffic without a word.
        "enable_reuse_port": False,
        "per_connection_buffer_limit_bytes": 1_048_576,
        # A client that connects and never finishes its TLS handshake is none that the limits below know.
        "filter_chains": [{"filters": [manager], "transport_socket_connect_timeout": "10s", **socket}],
    }


def connection_manager(configuration: Configuration, options: Options, route_source: Json) -> Json:
    """Return the HttpConnectionManager (Envoy: "Configuring Envoy as an edge proxy", from which paths differ)."""
    return {
        "stat_prefix": options.stat_prefix,
        "codec_type": "AUTO",
        "http_protocol_options": {"enable_trailers": True},
        **_client_headers(),
        **_paths(),
        **_limits(),
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "access_log": access_log(options.access_log),
        "local_reply_config": {"mappers": replies.mappers()},
        "http_filters": [
            # Before the tokens are looked at, so that trailers of refused requests are none's concern either.
            header_mutations.http_filter(),
            *jwt.filters(configuration.identity_providers, options),
            _router(),
        ],
        **route_source,
    }


def rds(config_source: Json) -> Json:
    """Return a `route_source` that takes the routes from an RDS file."""
    return {"rds": {"route_config_name": routes.NAME, "config_source": config_source}}


def _client_headers() -> Json:
    """Return what keeps a client's `x-envoy-*` headers from steering Envoy, and Envoy's own from reaching the API."""
    return {
        # Makes every client external, whose control headers (timeouts, retries, original path) Envoy drops. An empty
        # list of internal addresses would mean the default one, loopback in it; this one is TEST-NET-1 (RFC 5737).
        "use_remote_address": True,
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "192.0.2.0", "prefix_len": 24}]},
        "skip_xff_append": True,
        "generate_request_id": False,
        "preserve_external_request_id": True,
        "server_header_transformation": "PASS_THROUGH",
    }


def _paths() -> Json:
    """Return that a path is passed on byte for byte; the route `dot segment` refuses what could climb out of one."""
    return {
        "normalize_path": False,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
    }


def _limits() -> Json:
    """Return limits against clients that never finish, none of which cuts a long answer."""
    return {
        # The default of five minutes would end a quiet event stream.
        "stream_idle_timeout": "3600s",
        "request_headers_timeout": "10s",
        "delayed_close_timeout": "1s",
        "max_request_headers_kb": 60,
        # Each may need a connection of its own to an API.
        "http2_protocol_options": {"max_concurrent_streams": 100},
        "common_http_protocol_options": {
            # Of a connection without a stream: silent ones must not take all that there may be.
            "idle_timeout": "180s",
            "max_headers_count": 100,
            # `DD_API_KEY` is `DD-API-KEY` to a WSGI or CGI server: it would stand beside the header that Atlas sets.
            # Dropped, not refused: SDKs send such names (`ot-baggage-sentry-trace_id`) without their users' knowledge.
            "headers_with_underscores_action": "DROP_HEADER",
        },
    }


def _router() -> Json:
    message = "envoy.extensions.filters.http.router.v3.Router"
    return extension("envoy.filters.http.router", message, {"suppress_envoy_headers": True})


def _tls(certificate: Certificate) -> Json:
    files = {
        "certificate_chain": {"filename": certificate.chain},
        "private_key": {"filename": certificate.key},
    }
    context = {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificates": [files],
    }
    message = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
    return extension("envoy.transport_sockets.tls", message, {"common_tls_context": context})


def _marks(certificate: Certificate) -> Json:
    # Envoy reads the files again only when the listener itself has changed; the fingerprint changes with the files.
    return {"filter_metadata": {"mom": {"certificate": certificate.fingerprint}}}
