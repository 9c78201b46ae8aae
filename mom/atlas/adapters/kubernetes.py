"""Adapters of kind Kubernetes: the API server of the cluster where Atlas runs. It has no settings.

Which cluster that is, and how Atlas logs in there, is found where Atlas runs (`mom.run.kubernetes`): its pod's service
account, or a kubeconfig file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mom.atlas.adapters.http_tls import NO_TLS_FILES, Tls
from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.adapters.other_content import OtherContent
from mom.atlas.documents import DataDocument, value_at
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.atlas.ownership import OwnDocument
from mom.gateway import KUBERNETES_PATH
from mom.problems import Place, Problem
from mom.yamledit.data import Data
from mom.yamledit.shape import Value
from mom.yamledit.source import Source

KUBERNETES = Kind(ADAPTERS_VERSION, "Kubernetes")


# The variable with the token that Atlas shows: like any other, but that its source is found (`mom.run.kubernetes`).
TOKEN_VARIABLE = "KUBERNETES_TOKEN"  # noqa: S105  the name of a variable
# That of the private key of a client certificate which is written in a kubeconfig itself.
KEY_VARIABLE = "kubernetes.key"


class Cluster(NamedTuple):
    """An API server. `server`: its URL. `tls`: whom Atlas trusts, and by which certificate it logs in, if by one.

    has_token: whether it logs in by a token. id: the uid of the namespace kube-system, empty where it is not known.
    """

    server: str
    tls: Tls = NO_TLS_FILES
    has_token: bool = True
    id: str = ""


@dataclass(frozen=True, slots=True)
class KubernetesAdapter:
    """An adapter for the cluster where Atlas runs; `cluster` is None as long as no one has looked which it is."""

    name: str
    place: Place
    kind: str = KUBERNETES.kind
    cluster: Cluster | None = None


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
    shared_path = f"{KUBERNETES_PATH}/"

    def command_words(self, name: str, document: Data) -> list[str] | None:
        """Return the command for a document without settings."""
        spec = value_at(document, "spec")
        return None if spec else self.adding(name)

    def read(self, document: DataDocument) -> KubernetesAdapter:
        """Return the adapter in a document that has passed validation."""
        return KubernetesAdapter(document.name or "", document.place(("metadata", "name")))

    def target(self, adapter: KubernetesAdapter) -> str:
        """Return the URL of the API server, if it is known."""
        return adapter.cluster.server if adapter.cluster else "the cluster where Atlas runs"

    def settings(self, adapter: KubernetesAdapter) -> Iterator[Setting]:
        """Yield the header with the token, if the API server is known and takes one."""
        if adapter.cluster and adapter.cluster.has_token:
            yield Setting("the token", f"Bearer ${{{{ {TOKEN_VARIABLE} }}}}", adapter.place)


KIND = KubernetesKind()
