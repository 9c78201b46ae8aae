"""Envoy's protobuf messages as dictionaries, and their JSON; `mom.envoy.wire` has the binary form."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

Json = dict[str, Any]


class Entries(Mapping[str, Any]):
    """A JSON object of which there may be 10,000 entries, and which is made only as what is written: text, or bytes.

    It is parsed where it is looked into. `dumps` and `mom.envoy.wire` know it, json.dumps does not.
    """

    @property
    @abstractmethod
    def text(self) -> str:
        """The text of the object."""

    @abstractmethod
    def encoded(self, encode: Callable[[Json, Callable[[str], Any]], Any]) -> Any:
        """Return the bytes of all entries. encode: gives those of some; it takes what gives the bytes of a text."""

    @cached_property
    def _value(self) -> Json:
        value: Json = json.loads(self.text)
        return value

    def __getitem__(self, key: str) -> Any:
        """Return what the object has at `key`."""
        return self._value[key]

    def __iter__(self) -> Iterator[str]:
        """Yield the keys."""
        return iter(self._value)

    def __len__(self) -> int:
        """Return how many entries it has."""
        return len(self._value)


def dumps(value: object) -> str:
    """Return `value` as JSON text, compact: that is five times as fast as with indentation."""
    texts: list[str] = []

    def placeholder(entries: object) -> str:
        if not isinstance(entries, Entries):
            raise TypeError(f"{type(entries).__name__} is not JSON")
        texts.append(entries.text)
        # No text of a configuration has a NUL.
        return f"\0{len(texts) - 1}\0"

    dumped = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=placeholder)
    for number, text in enumerate(texts):
        dumped = dumped.replace(f'"\\u0000{number}\\u0000"', text, 1)
    return dumped


def typed(message: str, fields: Json | None = None) -> Json:
    """Return a `google.protobuf.Any` with `fields` as a `message`, a full name without `type.googleapis.com/`."""
    return {"@type": f"type.googleapis.com/{message}", **(fields or {})}


def file_source(directory: str, name: str) -> Json:
    """Return the ConfigSource of a file of `directory`; a change is noticed when a file is renamed into the place.

    What the file contains is told by the end of its name: `.json`, or `.pb` for the binary form.
    """
    watched = {"path": f"{directory}/{name}", "watched_directory": {"path": directory}}
    return {"resource_api_version": "V3", "path_config_source": watched}


def discovered(name: str, source: Json, *messages: str) -> Json:
    """Return the HTTP filter `name` whose configuration, one of `messages`, is at `source`, a ConfigSource."""
    kinds = [f"type.googleapis.com/{message}" for message in messages]
    return {"name": name, "config_discovery": {"config_source": source, "type_urls": kinds}}


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
