"""An adapter to be written: its reference and its document, from what the user asked for, already checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mom.atlas.kinds import Kind
from mom.atlas.ownership import OwnDocument
from mom.problems import Problem
from mom.yamledit.data import Data
from mom.yamledit.shape import Value
from mom.yamledit.source import Source


class AdapterSpec(Protocol):
    """An adapter of some kind to be written. The module of its kind (`mom.atlas.adapters`) has the class."""

    @property
    def kind(self) -> Kind:
        """Its kind."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def list_key(self) -> str | None:
        """The key of the list in its `spec`, None where it has none."""

    @property
    def instead(self) -> str:
        """What to choose another of where the file has something else under its name: an option, for a hint."""

    def spec(self) -> dict[str, Value]:
        """Return the `spec` of its document, empty where it has none."""

    def differences(self, source: Source, existing: OwnDocument, data: Data) -> list[Problem]:
        """Return what the file's document of the adapter has other than was asked for, each with its place."""

    def missing_items(self, data: Data) -> Sequence[Value]:
        """Return the items of the list that the file's document has not, and may be given."""


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
