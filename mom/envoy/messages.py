"""The JSON form of Envoy's protobuf messages."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def typed(message: str, fields: Json | None = None) -> Json:
    """Return a `google.protobuf.Any` holding `fields` as a `message`, a full name without `type.googleapis.com/`."""
    return {"@type": f"type.googleapis.com/{message}", **(fields or {})}


def extension(name: str, message: str, fields: Json | None = None) -> Json:
    """Return an extension (a filter, a matcher input, a transport socket) with its typed configuration."""
    return {"name": name, "typed_config": typed(message, fields)}
