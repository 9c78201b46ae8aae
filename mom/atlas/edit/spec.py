"""An adapter to be written: its reference and its document, from what the user asked for, already checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mom.atlas.adapters.http import HTTP
from mom.atlas.kinds import Kind
from mom.yamledit.shape import Value


class AdapterSpec(Protocol):
    """An adapter of some kind to be written."""

    @property
    def kind(self) -> Kind:
        """Its kind."""

    @property
    def name(self) -> str:
        """Its name."""

    def spec(self) -> dict[str, Value]:
        """Return the `spec` of its document, empty where it has none."""


def reference(adapter: AdapterSpec) -> dict[str, Value]:
    """Return the list item that names an adapter."""
    kind = adapter.kind
    return {"adapterRef": {"apiVersion": kind.api_version, "kind": kind.kind, "name": adapter.name}}


def document(adapter: AdapterSpec) -> dict[str, Value]:
    """Return the document of an adapter."""
    kind = adapter.kind
    written: dict[str, Value] = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": adapter.name},
    }
    if spec := adapter.spec():
        written["spec"] = spec
    return written


@dataclass(frozen=True, slots=True)
class HttpAdapterSpec:
    """An HTTP adapter to be written."""

    name: str
    base_url: str
    headers: tuple[tuple[str, str], ...] = ()
    kind: Kind = HTTP

    def spec(self) -> dict[str, Value]:
        """Return the base URL and the headers."""
        spec: dict[str, Value] = {"baseUrl": self.base_url}
        if self.headers:
            spec["headers"] = [{"name": name, "value": value} for name, value in self.headers]
        return spec
