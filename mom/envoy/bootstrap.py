"""Envoy's bootstrap: with everything in it, or with files that Envoy watches (Envoy: "Dynamic from filesystem").

JSON, since Envoy's YAML parser does not know merge keys and reports positions in the JSON it converts to. What has
something of each adapter is in protobuf's binary form, for speed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from mom.envoy import jwt, listener, messages, metrics, oauth2, otlp, rate_limits, routes, wire
from mom.envoy.limits import limits
from mom.envoy.messages import Json, extension, file_source, typed
from mom.envoy.options import Options
from mom.envoy.translate import Resources

CLUSTERS_FILE, LISTENERS_FILE = "cds.json", "lds.json"
_TYPES = {
    CLUSTERS_FILE: "envoy.config.cluster.v3.Cluster",
    listener.AUTHENTICATION_FILE: "envoy.config.core.v3.TypedExtensionConfig",
    listener.CERTIFICATE_FILE: "envoy.extensions.transport_sockets.tls.v3.Secret",
    listener.OAUTH2_FILE: "envoy.config.core.v3.TypedExtensionConfig",
    listener.LIMITS_FILE: "envoy.config.core.v3.TypedExtensionConfig",
    listener.ROUTES_FILE: "envoy.config.route.v3.RouteConfiguration",
    LISTENERS_FILE: "envoy.config.listener.v3.Listener",
}
_RESPONSE = "envoy.service.discovery.v3.DiscoveryResponse"
# Envoy refuses regular expressions of more than 100 instructions: a name of 80 characters in a path has so many. RE2
# takes linear time whatever the size; its own limit, 8 MB, remains.
_RUNTIME = {f"re2.max_program_size.{level}_level": 1_000_000 for level in ("warn", "error")}


def static(resources: Resources, options: Options, *, admin_socket: str | None = None) -> Json:
    """Return a bootstrap that contains `resources` (translated with the routes in the listener)."""
    static_resources: Json = {
        "listeners": [resources.listener, *_present(resources.metrics)],
        "clusters": [*otlp.collectors(options), *resources.clusters],
    }
    if resources.secrets:
        static_resources["secrets"] = list(resources.secrets)
    return {**_base(options, admin_socket), "static_resources": static_resources}


def dynamic(directory: str, options: Options, *, admin_socket: str | None = None) -> Json:
    """Return a bootstrap that takes its resources from `cds.json` and `lds.json` in `directory`, an absolute path."""
    sources = {
        "cds_config": file_source(directory, CLUSTERS_FILE),
        "lds_config": file_source(directory, LISTENERS_FILE),
    }
    # What a sink of statistics uses must be there from the start.
    collectors = otlp.collectors(options)
    fixed = {"static_resources": {"clusters": collectors}} if collectors else {}
    return {**_base(options, admin_socket), **fixed, "dynamic_resources": sources}


@dataclass(frozen=True, slots=True)
class File:
    """A file that Envoy watches: its content, and the version by which Envoy reports that it has applied it."""

    content: bytes
    version: str


def discovery(resources: Resources) -> dict[str, File]:
    """Return the files of resources that were translated for a directory, by their names.

    In the order in which they must be written: a route may name a cluster only once it exists, and a listener its
    routes (Envoy: "Eventual consistency considerations"). The version of each is a digest of its resources, so equal
    resources give an equal file.
    """
    lists: dict[str, list[Json | None]] = {
        CLUSTERS_FILE: list(resources.clusters),
        listener.AUTHENTICATION_FILE: [resources.authentication],
        listener.CERTIFICATE_FILE: [resources.certificate],
        listener.OAUTH2_FILE: [resources.oauth2],
        listener.LIMITS_FILE: [resources.limits],
        listener.ROUTES_FILE: [resources.routes],
        LISTENERS_FILE: [resources.listener, resources.metrics],
    }
    present = {name: [resource for resource in resources if resource is not None] for name, resources in lists.items()}
    return {name: _file(name, resources) for name, resources in present.items() if resources or name == CLUSTERS_FILE}


def version_statistics(options: Options) -> dict[str, str]:
    """Return the statistic, without `.version_text`, that shows which version of a file of `discovery` is applied."""
    certificate = {} if options.tls is None else {listener.CERTIFICATE_FILE: f"sds.{listener.CERTIFICATE}"}
    return {
        CLUSTERS_FILE: "cluster_manager.cds",
        listener.AUTHENTICATION_FILE: f"extension_config_discovery.http_filter.{jwt.FILTER}",
        **certificate,
        listener.OAUTH2_FILE: f"extension_config_discovery.http_filter.{oauth2.FILTER}",
        listener.LIMITS_FILE: f"extension_config_discovery.http_filter.{rate_limits.FILTER}",
        listener.ROUTES_FILE: f"http.{options.stat_prefix}.rds.{routes.NAME}",
        LISTENERS_FILE: "listener_manager.lds",
    }


def dumps(value: object) -> str:
    """Return `value` as the JSON text of a file."""
    return f"{messages.dumps(value)}\n"


def _file(name: str, resources: list[Json]) -> File:
    # What is written is made once: with 10,000 adapters that is what takes longest.
    present = [typed(_TYPES[name], resource) for resource in resources]
    if name.endswith(".pb"):
        content = wire.encode(_RESPONSE, {"resources": present})
        version = _version(content)
        # The fields of a message may be in any order.
        return File(content + wire.encode(_RESPONSE, {"version_info": version}), version)
    content = messages.dumps(present).encode()
    version = _version(content)
    return File(b'{"version_info":"%b","resources":%b}\n' % (version.encode(), content), version)


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def flush_seconds(options: Options) -> float:
    """Return how often statistics are exported, and asked of a predecessor: both have one interval in Envoy."""
    return 1.0 if options.otlp is None or options.otlp.metrics is None else options.otlp.interval


def _present(resource: Json | None) -> list[Json]:
    return [] if resource is None else [resource]


def _base(options: Options, admin_socket: str | None) -> Json:
    limit = extension(
        "envoy.resource_monitors.global_downstream_max_connections",
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        {"max_active_downstream_connections": limits(options.open_files).clients},
    )
    return {
        # Required as soon as a resource comes from a file.
        "node": {"id": "mom-atlas", "cluster": "mom-atlas"},
        **_admin(admin_socket),
        # How old a number may be that a generation reports about its predecessor (hot restart); default 5 s.
        "stats_flush_interval": f"{flush_seconds(options):.3f}s",
        **({"stats_sinks": sinks} if (sinks := otlp.stats_sinks(options, metrics.exported_names())) else {}),
        "overload_manager": {"resource_monitors": [limit]},
        "layered_runtime": {"layers": [{"name": "mom", "static_layer": _RUNTIME}]},
    }


def _admin(socket: str | None) -> Json:
    """Return the admin interface on a unix socket of this user, or none: it is not authenticated, so never TCP."""
    if socket is None:
        return {}
    return {"admin": {"address": {"pipe": {"path": socket, "mode": 0o600}}}}
