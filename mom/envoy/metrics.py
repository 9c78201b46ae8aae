"""Metrics: what Atlas counts about requests, and the listener at which Prometheus reads it.

The listener serves `GET /metrics` and nothing else: the admin interface behind it can end Envoy and shows all of its
configuration. docs/metrics.md has the names.
"""

from __future__ import annotations

from urllib.parse import quote

from mom.envoy.messages import Json, extension
from mom.envoy.options import Options, loopback_hosts
from mom.gateway import ERROR_HEADER

NAME = "metrics"
PATH = "/metrics"
# With more adapters the counts are of all of them together: each adapter has some thirty lines at `/metrics`.
MOST_ADAPTERS = 1_000
# The metadata of a route that has the adapter's name: `mom.envoy.access_log.ADAPTER_METADATA`.
_ADAPTER = {"name": "adapter", "value_format": "%METADATA(ROUTE:mom:adapter)%"}
_STATUS = {"name": "status", "value_format": "%RESPONSE_CODE%"}
_ERROR = {"name": "error", "value_format": f"%RESP({ERROR_HEADER})%"}
# What no API may exceed, whatever statuses it responds with.
_MOST_COUNTERS = 200_000
# Envoy's own that are served beside those of `request_log`, without the prefix of the connection manager.
_CONNECTIONS = (
    "downstream_cx_active",
    "downstream_cx_total",
    "downstream_cx_upgrades_active",
    "downstream_cx_protocol_error",
    "downstream_rq_active",
    "downstream_rq_total",
)
# Connections at once. Prometheus needs one.
_READERS = 16
_SERVER = ("days_until_first_cert_expiring", "memory_allocated", "uptime")


def request_log(adapters: int) -> Json:
    """Return the access log that counts requests: by adapter if there are at most `MOST_ADAPTERS`, status and error."""
    by_adapter = [_ADAPTER] if adapters <= MOST_ADAPTERS else []
    fields = {
        "stats_scope": {"prefix": "atlas", "max_counters": _MOST_COUNTERS},
        "counters": [
            {"stat": {"name": "requests", "tags": [*by_adapter, _STATUS, _ERROR]}, "value_fixed": 1},
            {"stat": {"name": "received_bytes", "tags": by_adapter}, "value_format": "%BYTES_RECEIVED%"},
            {"stat": {"name": "sent_bytes", "tags": by_adapter}, "value_format": "%BYTES_SENT%"},
        ],
        "histograms": [
            {
                "stat": {"name": "request_duration_milliseconds", "tags": by_adapter},
                "unit": "Milliseconds",
                "value_format": "%DURATION%",
            }
        ],
    }
    return extension("envoy.access_loggers.stats", "envoy.extensions.access_loggers.stats.v3.Config", fields)


def served_names() -> str:
    """Return a regular expression (RE2) of the names, as Envoy's admin interface has them, that are served."""
    manager = f"http\\.atlas(-\\d+)?\\.({'|'.join(_CONNECTIONS)})$"
    return rf"^(atlas\.|{manager}|server\.({'|'.join(_SERVER)})$|listener\..*\.ssl\.connection_error$)"


def exported_names() -> str:
    """Return a regular expression (RE2, of whole names) of what is sent to a collector."""
    return rf"atlas\..*|http\.atlas(-\d+)?\.({'|'.join(_CONNECTIONS)})"


def listener(options: Options) -> Json | None:
    """Return the listener that serves metrics, None where none is asked for."""
    if options.metrics is None:
        return None
    address = {"socket_address": {"address": options.metrics.host, "port_value": options.metrics.port}}
    manager = extension(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        _connection_manager(options),
    )
    few = extension(
        "envoy.filters.network.connection_limit",
        "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit",
        {"stat_prefix": NAME, "max_connections": _READERS},
    )
    return {
        "name": NAME,
        "address": address,
        "enable_reuse_port": False,
        # Readers need no token: silent ones must not take the connections of clients, nor clients those of Prometheus.
        "ignore_global_conn_limit": True,
        "filter_chains": [{"filters": [few, manager]}],
    }


def cluster(options: Options) -> Json | None:
    """Return the cluster of Envoy's own admin interface, None where no metrics are served."""
    if options.metrics is None:
        return None
    endpoint = {"endpoint": {"address": {"pipe": {"path": options.admin_socket}}}}
    assignment = {"cluster_name": NAME, "endpoints": [{"lb_endpoints": [endpoint]}]}
    # The numbers are written by the thread that also applies changes.
    few = {"max_connections": 2, "max_pending_requests": _READERS, "max_requests": _READERS, "max_retries": 0}
    return {
        "name": NAME,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": assignment,
        "circuit_breakers": {"thresholds": [few]},
    }


def _connection_manager(options: Options) -> Json:
    assert options.metrics is not None
    hosts = loopback_hosts(options.metrics) if options.metrics.is_loopback else ("*",)
    # The whole request target: a query would be appended to that of the rewritten path.
    exactly = [
        {"name": ":method", "string_match": {"exact": "GET"}},
        {"name": ":path", "string_match": {"exact": PATH}},
    ]
    target = f"/stats/prometheus?filter={quote(served_names(), safe='')}"
    routes = [
        {
            "match": {"path": PATH, "headers": exactly},
            "route": {"cluster": NAME, "prefix_rewrite": target, "timeout": "10s"},
        },
        {"match": {"prefix": "/"}, "direct_response": {"status": 404}},
    ]
    host = {"name": NAME, "domains": list(hosts), "routes": routes}
    router = "envoy.extensions.filters.http.router.v3.Router"
    return {
        "stat_prefix": NAME,
        "use_remote_address": True,
        "generate_request_id": False,
        # One request on each connection; by HTTP/2 there could be many.
        "codec_type": "HTTP1",
        "request_headers_timeout": "10s",
        "request_timeout": "10s",
        "common_http_protocol_options": {
            "idle_timeout": "10s",
            # Of a reader that takes its time.
            "max_stream_duration": "30s",
            # A connection kept alive would lead to a process whose successor has the numbers.
            "max_requests_per_connection": 1,
        },
        "route_config": {"name": NAME, "virtual_hosts": [host]},
        "http_filters": [extension("envoy.filters.http.router", router, {"suppress_envoy_headers": True})],
    }
