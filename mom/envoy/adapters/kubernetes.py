"""Kubernetes adapters: the API server of a cluster, with Atlas's own login there.

Requests that are upgraded (exec, attach and port-forward, by web socket or by SPDY) go over HTTP/1.1, all others as the
server chooses. A header that names another cluster than this one is refused: the command was meant for that one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mom.atlas.adapters.http import Header
from mom.atlas.adapters.kubernetes import KIND as CONFIGURED
from mom.atlas.adapters.kubernetes import KUBERNETES, Cluster, KubernetesAdapter
from mom.atlas.rules.catalogue import problem_of
from mom.envoy import header_mutations, headers, secrets
from mom.envoy.access_log import ADAPTER_METADATA
from mom.envoy.adapters.forwarding import action
from mom.envoy.adapters.kind import ServedKind
from mom.envoy.clusters import Upstream
from mom.envoy.key_slots import KeySlot
from mom.envoy.messages import Json
from mom.envoy.options import Options
from mom.envoy.origins import split
from mom.envoy.redirects import own_metadata
from mom.envoy.replies import FORBIDDEN_ROUTE, UNKNOWN_ROUTE
from mom.gateway import CLUSTER_ID_HEADER, KUBERNETES_PATH
from mom.problems import Problem

NAME = KUBERNETES.kind
# Before Kubernetes 1.31 kubectl and API servers spoke SPDY, which the listener does not know for other routes.
_SPDY = "SPDY/3.1"
# By which an API server takes a request for another user's: the login's right to do so is not the caller's (Kubernetes:
# "User impersonation"), nor is what a proxy in front of it says ("Authenticating proxy").
_OTHER_USERS = ("impersonate-", "x-remote-")
# Refused, not only removed: kubectl --as asks for less than the login may do, and must not get more.
_IMPERSONATING = ("impersonate-user", "impersonate-group", "impersonate-uid")
_AS_ITSELF = "Atlas acts as its own login and passes on no Impersonate-* header (kubectl: --as, --as-group, --as-uid)"
_UPGRADE: Json = {"name": "upgrade", "string_match": {"safe_regex": {"regex": r"(?i)websocket|spdy/3\.1"}}}


class KubernetesKind(ServedKind[KubernetesAdapter]):
    """The kind Kubernetes."""

    has_secrets = True

    def path(self, adapter: KubernetesAdapter) -> str:  # noqa: ARG002  there is one such adapter at most
        """Return `/v1/apis/kubernetes`."""
        return KUBERNETES_PATH

    def example(self, adapter: KubernetesAdapter) -> str:
        """Return the list of API versions."""
        return f"{self.path(adapter)}/api"

    def proofs(self, adapter: KubernetesAdapter) -> tuple[str, ...]:  # noqa: ARG002
        """Return the same, which needs a login and no permission."""
        return ("/api",)

    def problems(self, adapter: KubernetesAdapter) -> Iterator[Problem]:
        """Yield that no one has looked for the cluster."""
        yield from super().problems(adapter)
        if adapter.cluster is None:
            yield problem_of(adapter.place, "kubernetes-cluster", f"{adapter.name}: there is no cluster")

    def upstreams(self, adapter: KubernetesAdapter) -> Iterator[Upstream]:
        """Yield the upstream of requests, and that of those which are upgraded."""
        if adapter.cluster is not None:
            upstream = _upstream(adapter.cluster)
            yield upstream
            yield upstream.for_web_sockets()

    def listed(self, adapter: KubernetesAdapter) -> Json:
        """Return the path, and the id of the cluster where it is known."""
        known = {"clusterId": adapter.cluster.id} if adapter.cluster and adapter.cluster.id else {}
        return {"path": f"{self.path(adapter)}/", **known}

    def headers(self, adapter: KubernetesAdapter) -> tuple[str, ...]:  # noqa: ARG002
        """Return the headers that its routes set or remove."""
        return ("Authorization", CLUSTER_ID_HEADER)

    def key_slots(self, adapter: KubernetesAdapter) -> tuple[KeySlot, ...]:  # noqa: ARG002
        """Return where kubectl and all other clients have a token."""
        return (KeySlot("authorization", "Bearer "),)

    def credential_headers(self, adapter: KubernetesAdapter) -> list[str]:
        """Return the header with the token, if there is one."""
        return [header.name for header in _headers(adapter)]

    def routes(self, adapter: KubernetesAdapter, options: Options) -> list[Json]:
        """Return the routes that refuse, the one for upgrades, and the one for everything else."""
        cluster = adapter.cluster
        if cluster is None:
            return []
        origin, base_path = split(cluster.server)
        upstream = _upstream(cluster).by(options)
        match: Json = {"path_separated_prefix": self.path(adapter)}
        metadata = {"adapter": adapter.name, **own_metadata(origin, self.path(adapter), base_path)}
        common: Json = {
            "name": adapter.name,
            "metadata": {"filter_metadata": {ADAPTER_METADATA: metadata}},
            "request_headers_to_remove": [CLUSTER_ID_HEADER, *([] if cluster.has_token else ["authorization"])],
            "request_headers_to_add": headers.to_add(_in_environment(adapter, options)),
            "typed_per_filter_config": {
                **upstream.for_route(),
                **header_mutations.without_beginnings(_OTHER_USERS),
                **secrets.for_route(_headers(adapter), (), options)[0],
            },
        }
        forwarded = action(self.path(adapter), origin.authority, base_path, options.timeout)
        upgraded = {
            **forwarded,
            "cluster": upstream.for_web_sockets().name,
            "upgrade_configs": [{"upgrade_type": _SPDY}],
            **_stream_limit(options),
        }
        return [
            *(_impersonating(match, name) for name in _IMPERSONATING),
            _other_cluster(match, cluster.id),
            {**common, "match": {**match, "headers": [_UPGRADE]}, "route": upgraded},
            {**common, "match": match, "route": {**forwarded, "cluster": upstream.name}},
        ]


def _headers(adapter: KubernetesAdapter) -> list[Header]:
    return [Header("Authorization", setting.value, setting.place) for setting in CONFIGURED.settings(adapter)]


def _in_environment(adapter: KubernetesAdapter, options: Options) -> list[Header]:
    return [header for header in _headers(adapter) if not secrets.has_secret(header, options)]


def _upstream(cluster: Cluster) -> Upstream:
    return Upstream(split(cluster.server)[0], tls=cluster.tls)


def _stream_limit(options: Options) -> Json:
    """Return how long an upgraded request may last."""
    if not options.stream_limit:
        return {}
    return {"max_stream_duration": {"max_stream_duration": f"{options.stream_limit:.3f}s"}}


def _impersonating(match: Json, name: str) -> Json:
    """Return the route that refuses requests for another user, by one of the headers that say so."""
    return {
        "name": f"{FORBIDDEN_ROUTE} {name}",
        "match": {**match, "headers": [{"name": name, "present_match": True}]},
        "direct_response": {"status": 403, "body": {"inline_string": _AS_ITSELF}},
    }


def _other_cluster(match: Json, cluster_id: str) -> Json:
    """Return the route for requests that name a cluster which is not this one, or cannot be known to be."""
    # Not the exact value inverted: of several headers Envoy takes it as met if any has the value.
    regex = _anything_but(cluster_id) if cluster_id else ".*"
    other = {"name": CLUSTER_ID_HEADER, "string_match": {"safe_regex": {"regex": regex}}}
    body = f"the cluster of this Atlas is {cluster_id}" if cluster_id else "Atlas could not find out its cluster's id"
    return {
        "name": f"{UNKNOWN_ROUTE} kubernetes",
        "match": {**match, "headers": [other]},
        "direct_response": {"status": 404, "body": {"inline_string": f"{body} ({CLUSTER_ID_HEADER})"}},
    }


def _anything_but(text: str) -> str:
    """Return a regular expression of every text but this one; RE2 has no "but not"."""
    shorter_or_other = (f"{re.escape(text[:at])}(?:[^{re.escape(text[at])}].*)?" for at in range(len(text)))
    return "|".join([*shorter_or_other, f"{re.escape(text)}.+"])


KIND = KubernetesKind()
