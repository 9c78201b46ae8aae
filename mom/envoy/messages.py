"""The JSON form of Envoy's protobuf messages."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def typed(message: str, fields: Json | None = None) -> Json:
    """Return a `google.protobuf.Any` with `fields` as a `message`, a full name without `type.googleapis.com/`."""
    return {"@type": f"type.googleapis.com/{message}", **(fields or {})}


def file_source(directory: str, name: str) -> Json:
    """Return the ConfigSource of `directory`/`name`.json; a change is noticed when a file is renamed into the place."""
    watched = {"path": f"{directory}/{name}.json", "watched_directory": {"path": directory}}
    return {"resource_api_version": "V3", "path_config_source": watched}


def extension(name: str, message: str, fields: Json | None = None) -> Json:
    """Return an extension (a filter, a matcher input, a transport socket) with its typed configuration."""
    return {"name": name, "typed_config": typed(message, fields)}


def request_header(name: str) -> Json:
    """Return the matcher input with the value of a request's header, `:path` and `:method` among them."""
    return extension("header", "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", {"header_name": name})


def when(expression: str) -> Json:
    """Return the filter of an access log, or of a reply, for what a CEL expression is true of."""
    message = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    return {"extension_filter": extension("cel", message, {"expression": expression})}


def codec() -> Json:
    """Return the last of the upstream filters of a cluster, which sends the request."""
    message = "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
    return extension("envoy.filters.http.upstream_codec", message)
