"""Who reaches the pods of an Atlas, what these reach, and as whom they log in at the API server."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from mom.export.kubernetes_workload import PORT_NAME, Json, labels, metadata
from mom.export.yaml_text import Explained

SERVICE_PORT = 80
# Where API servers listen; a NetworkPolicy sees the port behind that of the Service `kubernetes`, which is 443.
API_SERVER, API_SERVER_PORT = "kubernetes.default.svc", 6443


class Destination(NamedTuple):
    """What Envoy connects to: a name or an IP address, and a port."""

    host: str
    port: int


def service(name: str) -> Json:
    """Return the Service."""
    port = {"name": PORT_NAME, "port": SERVICE_PORT, "targetPort": PORT_NAME, "appProtocol": "http"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(name),
        "spec": {
            "type": "ClusterIP",
            "selector": labels(name),
            "ports": [Explained(port, "Plain http: TLS ends in front of it, at an Ingress or a Gateway.")],
        },
    }


def network_policy(name: str, destinations: Iterable[Destination], *, uses_api: bool) -> Json:
    """Return the NetworkPolicy: requests come in; DNS, and what the configuration names, go out."""
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name),
        "spec": {
            "podSelector": {"matchLabels": labels(name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                Explained(
                    {"ports": [{"protocol": "TCP", "port": PORT_NAME}]},
                    "From everywhere: each request needs an access token. Name those who may connect with `from`.",
                )
            ],
            "egress": [Explained({"ports": dns}, "DNS."), *_egress(destinations, uses_api=uses_api)],
        },
    }


def _egress(destinations: Iterable[Destination], *, uses_api: bool) -> list[Any]:
    names: defaultdict[int, set[str]] = defaultdict(set)
    addresses: defaultdict[str, set[int]] = defaultdict(set)
    for destination in destinations:
        if (address := _address(destination.host)) is None:
            names[destination.port].add(destination.host)
        elif not address.is_loopback:
            # What is in the pod itself needs no rule.
            addresses[f"{address}/{address.max_prefixlen}"].add(destination.port)
    found: list[Any] = []
    if ports := [{"protocol": "TCP", "port": port} for port in sorted(names)]:
        comment = "The ports of APIs, identity providers and token endpoints with a name: a policy knows no names."
        if any(_is_in_cluster(host) for host in set().union(*names.values()) - {API_SERVER}):
            comment += " Of a Service in the cluster it is the port of the pods that counts, its `targetPort`: add it."
        found.append(Explained({"ports": ports}, comment))
    if uses_api:
        ports = [{"protocol": "TCP", "port": API_SERVER_PORT}]
        found.append(Explained({"ports": ports}, "The API server, where the Service `kubernetes` leads to it."))
    for block, numbers in sorted(addresses.items()):
        ports = [{"protocol": "TCP", "port": port} for port in sorted(numbers)]
        found.append({"to": [{"ipBlock": {"cidr": block}}], "ports": ports})
    return found


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_in_cluster(host: str) -> bool:
    """Whether a name is that of a Service (Kubernetes: "DNS for Services and Pods")."""
    return "." not in host or host.endswith((".svc", ".cluster.local"))


def service_account(name: str, *, uses_api: bool) -> Json:
    """Return the ServiceAccount, which has permissions only where an adapter leads to the API server."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(name),
        "automountServiceAccountToken": uses_api,
    }


def role(name: str) -> Json:
    """Return the Role: what callers of the Kubernetes adapter may do at the API server."""
    read = ["get", "list", "watch"]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata(name),
        "rules": Explained(
            [
                {"apiGroups": [""], "resources": ["pods", "pods/log", "services", "events"], "verbs": read},
                {"apiGroups": ["apps"], "resources": ["deployments", "replicasets"], "verbs": read},
            ],
            "What everyone who may use the Kubernetes adapter may do, in this namespace. Never `secrets`: the "
            "credentials of all APIs are one.",
        ),
    }


def role_binding(name: str) -> Json:
    """Return the RoleBinding of the ServiceAccount."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata(name),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name}],
    }
