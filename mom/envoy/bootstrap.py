"""Envoy's bootstrap: with everything in it, or with files that Envoy watches (Envoy: "Dynamic from filesystem").

JSON, since Envoy's YAML reader knows no merge keys and reports positions in the JSON it converts to.
"""

from __future__ import annotations

import json

from mom.envoy.limits import limits
from mom.envoy.messages import Json, extension, typed
from mom.envoy.options import Options
from mom.envoy.translate import Resources

_TYPES = {
    "cds": "envoy.config.cluster.v3.Cluster",
    "rds": "envoy.config.route.v3.RouteConfiguration",
    "lds": "envoy.config.listener.v3.Listener",
}
# Envoy refuses regular expressions of more than 100 instructions: a name of 80 characters in a path is one. RE2 runs in
# linear time whatever the size; its own limit, 8 MB, remains.
_RUNTIME = {f"re2.max_program_size.{level}_level": 1_000_000 for level in ("warn", "error")}


def static(resources: Resources, options: Options, *, admin_socket: str | None = None) -> Json:
    """Return a bootstrap that holds `resources` (translated with the routes in the listener)."""
    held = {"listeners": [resources.listener], "clusters": list(resources.clusters)}
    return {**_base(options, admin_socket), "static_resources": held}


def dynamic(directory: str, options: Options, *, admin_socket: str | None = None) -> Json:
    """Return a bootstrap that takes its resources from `cds.json` and `lds.json` in `directory`, an absolute path."""
    sources = {f"{name}_config": file_source(directory, name) for name in ("cds", "lds")}
    return {**_base(options, admin_socket), "dynamic_resources": sources}


def file_source(directory: str, name: str) -> Json:
    """Return the ConfigSource of `directory`/`name`.json; a change is noticed when a file is renamed into the place."""
    watched = {"path": f"{directory}/{name}.json", "watched_directory": {"path": directory}}
    return {"resource_api_version": "V3", "path_config_source": watched}


def discovery(resources: Resources, version: str) -> dict[str, Json]:
    """Return the contents of `cds`, `rds` and `lds`, in the order in which they must be written.

    A route may name a cluster only once it exists, and a listener its routes (Envoy: "Eventual consistency
    considerations").
    """
    lists = {"cds": list(resources.clusters), "rds": [resources.routes], "lds": [resources.listener]}
    return {name: _response(name, version, found) for name, found in lists.items()}


def dumps(value: Json, *, indent: int | None = None) -> str:
    """Return `value` as the JSON text of a file; indented for readers, or else compact, which is five times as fast."""
    separators = (",", ":") if indent is None else None
    return json.dumps(value, indent=indent, separators=separators, ensure_ascii=False) + "\n"


def _response(name: str, version: str, resources: list[Json]) -> Json:
    return {"version_info": version, "resources": [typed(_TYPES[name], resource) for resource in resources]}


def _base(options: Options, admin_socket: str | None) -> Json:
    limit = extension(
        "envoy.resource_monitors.global_downstream_max_connections",
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        {"max_active_downstream_connections": limits(options.open_files).clients},
    )
    return {
        # Wanted as soon as a resource comes from a file.
        "node": {"id": "mom-atlas", "cluster": "mom-atlas"},
        **_admin(admin_socket),
        # How old a number may be that one generation tells about the one before it (hot restart); default 5 s.
        "stats_flush_interval": "1s",
        "overload_manager": {"resource_monitors": [limit]},
        "layered_runtime": {"layers": [{"name": "mom", "static_layer": _RUNTIME}]},
    }


def _admin(socket: str | None) -> Json:
    """Return the admin interface on a unix socket of this user, or none: it is not authenticated, so never TCP."""
    if socket is None:
        return {}
    return {"admin": {"address": {"pipe": {"path": socket, "mode": 0o600}}}}
