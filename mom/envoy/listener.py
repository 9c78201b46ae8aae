"""The listener and its HTTP connection manager: what is accepted from a client before any route is looked at."""

from __future__ import annotations

from mom.atlas.model import Adapter, Configuration
from mom.envoy import (
    adapters,
    clusters,
    cors,
    header_mutations,
    jwt,
    listing,
    oauth2,
    policy,
    rate_limits,
    readers,
    replies,
    routes,
    stand_in,
    verified,
)
from mom.envoy.access_log import access_log, failed_handshakes
from mom.envoy.by_form import EntryOfEach, Memory, distinct
from mom.envoy.messages import Json, extension, file_source
from mom.envoy.options import Certificate, Options
from mom.envoy.request_line import MOST_KIB

NAME = "atlas"
CERTIFICATE = "certificate"
# The files that Envoy watches. Those that have something of each adapter are in the binary form.
ROUTES_FILE, AUTHENTICATION_FILE = "rds.pb", "authentication.pb"
CERTIFICATE_FILE, OAUTH2_FILE, LIMITS_FILE = "certificate.json", "oauth2.json", "limits.json"


def listener(configuration: Configuration, options: Options, directory: str | None) -> Json:
    """Return the listener.

    directory: where Envoy watches files for what may change while it runs: routes, the verification of tokens, the
    certificate. Then the listener is the same text whatever changes in them, and its connections go on, each request
    on them by the new state. None has all of it in the listener itself.
    """
    manager = extension(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        connection_manager(configuration, options, directory),
    )
    socket = {} if options.tls is None else {"transport_socket": _tls(options.tls, directory)}
    return {
        "name": NAME,
        "address": _address(options.listen.host, options),
        **(
            {"additional_addresses": [{"address": _address(host, options)} for host in options.also]}
            if options.also
            else {}
        ),
        # The default lets a second Envoy bind the same port and share the traffic silently.
        "enable_reuse_port": False,
        **({"access_log": handshakes} if (handshakes := failed_handshakes(options)) else {}),
        "per_connection_buffer_limit_bytes": 1_048_576,
        # A client that connects and never finishes its TLS handshake is not counted by the limits below.
        "filter_chains": [{"filters": [manager], "transport_socket_connect_timeout": "10s", **socket}],
    }


def _address(host: str, options: Options) -> Json:
    return {"socket_address": {"address": host, "port_value": options.listen.port}}


def connection_manager(configuration: Configuration, options: Options, directory: str | None) -> Json:
    """Return the HttpConnectionManager (Envoy: "Configuring Envoy as an edge proxy", from which paths differ)."""
    served = adapters.served(configuration)
    if directory is None:
        verifying = authentication(configuration, options)
        route_source = {"route_config": routes.route_configuration(configuration, options)}
    else:
        verifying = jwt.authentication_from(file_source(directory, AUTHENTICATION_FILE))
        route_source = {"rds": {"route_config_name": routes.NAME, "config_source": file_source(directory, ROUTES_FILE)}}
    added = [] if options.stand_in is None else [stand_in.RESPONSE_HEADER]
    return {
        "stat_prefix": options.stat_prefix,
        "codec_type": "AUTO",
        "http_protocol_options": {"enable_trailers": True},
        **_client_headers(),
        **_paths(),
        **_limits(options),
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "access_log": access_log(options, len(served)),
        "local_reply_config": {"mappers": replies.mappers(added)},
        "http_filters": [
            *cors.http_filters(configuration.cors),
            # Before the tokens are looked at, so that trailers of refused requests are removed too.
            header_mutations.http_filter(),
            verifying,
            *verified.checks(configuration.identity_providers, options),
            policy.http_filter(),
            rate_limits.http_filter(
                adapters.limits(served), None if directory is None else file_source(directory, LIMITS_FILE)
            ),
            listing.http_filter(),
            # In front of the guard, which is one of those of the kinds.
            oauth2.http_filter(
                adapters.http_adapters(configuration),
                options,
                None if directory is None else file_source(directory, OAUTH2_FILE),
            ),
            *adapters.http_filters(options),
            # Behind all that may refuse a request: no name is looked up for one that is not sent.
            clusters.http_filter(),
            _router(),
        ],
        **route_source,
    }


def authentication(configuration: Configuration, options: Options, memory: Memory | None = None) -> Json:
    """Return the filter that verifies tokens, in the listener or as a resource of its own. memory: of the last time."""
    served, providers = adapters.served(configuration), configuration.identity_providers
    reads = readers.of_tokens(configuration, options)
    if len(served) <= options.tree_above:
        return jwt.authentication(providers, adapters.openings(served, options), options, reads)
    requirement = jwt.requirements(providers, options)
    recalled = (memory or Memory()).recall("requirements", (options.without_states, providers))

    def entry(adapter: Adapter, given: Options) -> Json:
        return requirement(adapters.opening(adapter, given))

    requirements = EntryOfEach(entry, served, options, recalled)
    return jwt.authentication(providers, adapters.openings(distinct(served), options), options, reads, requirements)


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
    """Return that a path is passed on byte for byte; the route `dot segment` refuses what leads out of an adapter."""
    return {
        "normalize_path": False,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
    }


def _limits(options: Options) -> Json:
    """Return limits against clients that never finish, none of which cuts a long response."""
    limit = options.connection_limit
    return {
        # By default a connection over HTTP/1.1 that is idle at its limit is closed at once, and may lose the request
        # that its client sends in that moment. So each ends with a response that announces it.
        **({"http1_safe_max_connection_duration": True} if limit else {}),
        # The default of five minutes would end a quiet event stream.
        "stream_idle_timeout": "3600s",
        "request_headers_timeout": "10s",
        "delayed_close_timeout": "1s",
        # How long a connection goes on once a response has announced its end, with a client that does not obey.
        "drain_timeout": "1s",
        "max_request_headers_kb": MOST_KIB,
        # Each may need a connection of its own to an API.
        "http2_protocol_options": {"max_concurrent_streams": 100},
        "common_http_protocol_options": {
            # Of a connection without a stream: silent ones must not take all that there may be.
            "idle_timeout": "180s",
            **({"max_connection_duration": f"{limit:.3f}s"} if limit else {}),
            "max_headers_count": 100,
            # `DD_API_KEY` is `DD-API-KEY` to a WSGI or CGI server: it would be sent beside the header that Atlas sets.
            # Dropped, not refused: SDKs send such names (`ot-baggage-sentry-trace_id`) without their users' knowledge.
            "headers_with_underscores_action": "DROP_HEADER",
        },
    }


def _router() -> Json:
    message = "envoy.extensions.filters.http.router.v3.Router"
    # The statistics are those of each status by upstream, which nothing reads (`mom.envoy.metrics` counts otherwise),
    # and which cost 4 % of a request.
    return extension("envoy.filters.http.router", message, {"suppress_envoy_headers": True, "dynamic_stats": False})


def _tls(certificate: Certificate, directory: str | None) -> Json:
    if directory is None:
        source: Json = {"tls_certificates": [_files(certificate)]}
    else:
        secret = {"name": CERTIFICATE, "sds_config": file_source(directory, CERTIFICATE_FILE)}
        source = {"tls_certificate_sds_secret_configs": [secret]}
    context = {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "alpn_protocols": ["h2", "http/1.1"],
        **source,
    }
    message = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
    return extension("envoy.transport_sockets.tls", message, {"common_tls_context": context})


def secret(certificate: Certificate) -> Json:
    """Return the listener's certificate as a resource of its own (SDS): connections that are open go on."""
    return {"name": CERTIFICATE, "tls_certificate": _files(certificate)}


def _files(certificate: Certificate) -> Json:
    # Envoy reads files again only when the resource has changed, which the text of a new certificate sees to. The key
    # stays where it is.
    chain = {"inline_string": certificate.text} if certificate.text else {"filename": certificate.chain}
    return {"certificate_chain": chain, "private_key": {"filename": certificate.key}}
