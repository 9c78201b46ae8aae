"""Adapters of kind Kubernetes: the API server of the cluster where Atlas runs. It has no settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.adapters.other_content import OtherContent
from mom.atlas.documents import DataDocument, value_at
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.atlas.ownership import OwnDocument
from mom.problems import Place, Problem
from mom.yamledit.data import Data
from mom.yamledit.shape import Value
from mom.yamledit.source import Source

KUBERNETES = Kind(ADAPTERS_VERSION, "Kubernetes")


@dataclass(frozen=True, slots=True)
class KubernetesAdapter:
    """An adapter for the cluster where Atlas runs."""

    name: str
    place: Place
    kind: str = KUBERNETES.kind


@dataclass(frozen=True, slots=True)
class KubernetesAdapterSpec:
    """A Kubernetes adapter to be written (`mom.atlas.edit.spec`): a document without a `spec`."""

    name: str
    kind: Kind = KUBERNETES
    list_key: None = None
    instead: str = "--adapter-name"

    def spec(self) -> dict[str, Value]:
        """Return nothing."""
        return {}

    def missing_items(self, data: Data) -> Sequence[Value]:  # noqa: ARG002
        """Return nothing."""
        return ()

    def differences(self, source: Source, existing: OwnDocument, data: Data) -> list[Problem]:
        """Return a problem for each key of a `spec`."""
        other = OtherContent(source, existing, data)
        other.add_unasked()
        return other.problems


class KubernetesKind(AdapterKind[KubernetesAdapter]):
    """The kind Kubernetes."""

    kind = KUBERNETES

    def command_words(self, name: str, document: Data) -> list[str] | None:
        """Return the command for a document without settings."""
        spec = value_at(document, "spec")
        return None if spec else self.adding(name)

    def read(self, document: DataDocument) -> KubernetesAdapter:
        """Return the adapter in a document that has passed validation."""
        return KubernetesAdapter(document.name or "", document.place(("metadata", "name")))

    def target(self, adapter: KubernetesAdapter) -> str:  # noqa: ARG002
        """Return what every Kubernetes adapter leads to."""
        return "the cluster where Atlas runs"

    def settings(self, adapter: KubernetesAdapter) -> Iterator[Setting]:  # noqa: ARG002
        """Yield nothing: the service account of the pod is the credential."""
        return iter(())


KIND = KubernetesKind()
