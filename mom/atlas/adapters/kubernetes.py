"""Adapters of kind Kubernetes: the API server of the cluster where Atlas runs. It has no settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.documents import DataDocument
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.problems import Place

KUBERNETES = Kind(ADAPTERS_VERSION, "Kubernetes")


@dataclass(frozen=True, slots=True)
class KubernetesAdapter:
    """An adapter for the cluster where Atlas runs."""

    name: str
    place: Place
    kind: str = KUBERNETES.kind


class KubernetesKind(AdapterKind[KubernetesAdapter]):
    """The kind Kubernetes."""

    kind = KUBERNETES

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
