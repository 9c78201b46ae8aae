"""The pods of an Atlas: Deployment, and how many there are at least and at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mom.export.image import ENVOY_PROGRAM
from mom.export.yaml_text import Explained
from mom.gateway import HEALTH_PATH

# Of a user that no image has a name for; Envoy needs no more than to read its files.
USER = 65_532
PORT_NAME = "http"
# Seconds after which a client's connection ends with a response, and how long a pod that is to end goes on serving.
CONNECTION_SECONDS = 20
DRAIN_SECONDS = 120
# Of Envoy: more on a machine with many cores would be threads without a core.
WORKERS = 2
# Measured (docs/benchmarks.md): 66 MB with two adapters, 22 kB for each further one, 15 kB for an idle connection.
_MEMORY, _MEMORY_OF_ADAPTER, _MEMORY_OF_CLIENTS = 96, 1 / 32, 512
_MIB_STEP = 32

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What pods run. name: of all objects. adapters: how many.

    configuration: where Envoy has its files, and the volume with them, None if they are in the image.
    credentials: where it has a file for each variable, and the Secret with them, None without variables.
    uses_api: whether the pod logs in at the API server.
    """

    name: str
    image: str
    arguments: Sequence[str]
    port: int
    adapters: int
    configuration: tuple[str, Json] | None
    credentials: tuple[str, str] | None
    uses_api: bool


def labels(name: str) -> Json:
    """Return the labels of everything that belongs to the Atlas `name`, by which its pods are found."""
    return {"app.kubernetes.io/name": "atlas", "app.kubernetes.io/instance": name}


def metadata(name: str) -> Json:
    """Return the metadata of an object of the Atlas `name`."""
    return {"name": name, "labels": labels(name)}


def deployment(workload: Workload) -> Mapping[str, Any]:
    """Return the Deployment."""
    name = workload.name
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(name),
        "spec": {
            "selector": Explained(
                {"matchLabels": labels(name)},
                "No `replicas`: their number is the HorizontalPodAutoscaler's, and applying this must not reset it.",
            ),
            "strategy": Explained(strategy, "A new pod is ready before an old one ends."),
            "minReadySeconds": Explained(5, "Until load balancers know the new pod."),
            "template": {"metadata": {"labels": labels(name)}, "spec": _pod(workload)},
        },
    }


def _pod(workload: Workload) -> Json:
    return {
        "serviceAccountName": workload.name,
        "automountServiceAccountToken": Explained(
            workload.uses_api,
            "The Kubernetes adapter logs in with it." if workload.uses_api else "Atlas does not call the API server.",
        ),
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": Explained(DRAIN_SECONDS + 10, "Longer than `preStop`."),
        "topologySpreadConstraints": _spread(workload.name),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": Explained(USER, "May read the mounted credentials."),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(workload)],
        **({"volumes": volumes} if (volumes := _volumes(workload)) else {}),
    }


def _spread(name: str) -> list[Any]:
    """Return that the loss of a zone or a node takes as few pods as possible with it."""
    spread = [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels(name)},
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]
    comment = "Over zones, then over nodes; where that cannot be, a pod in a crowded place is better than none."
    return [Explained(spread[0], comment), spread[1]]


def _container(workload: Workload) -> Json:
    mounts = [("configuration", workload.configuration), ("credentials", workload.credentials)]
    drain = {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}}
    return {
        "name": "envoy",
        "image": workload.image,
        "command": [ENVOY_PROGRAM],
        "args": [*workload.arguments, "--concurrency", str(WORKERS)],
        "ports": [{"name": PORT_NAME, "containerPort": workload.port}],
        **_probes(),
        "lifecycle": Explained(
            drain,
            "Envoy ends at once when it is told to, and cuts what is in progress. Until then it serves: new "
            "connections go to other pods, and each open one ends with its first response after "
            f"{CONNECTION_SECONDS} seconds. A response that is in progress for longer than these seconds is cut: "
            "raise them, and those above, for it.",
        ),
        "resources": _resources(workload.adapters),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **(
            {
                "volumeMounts": [
                    {"name": name, "mountPath": mounted[0], "readOnly": True} for name, mounted in mounts if mounted
                ]
            }
            if any(mounted for _, mounted in mounts)
            else {}
        ),
    }


def _probes() -> Json:
    get = {"httpGet": {"path": HEALTH_PATH, "port": PORT_NAME}}
    return {
        "startupProbe": {**get, "periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": {**get, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 2},
        "livenessProbe": Explained(
            {**get, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
            "A minute: a busy pod must not be restarted, which would make the others busier.",
        ),
    }


def _resources(adapters: int) -> Json:
    memory = -(-(_MEMORY + adapters * _MEMORY_OF_ADAPTER) // _MIB_STEP) * _MIB_STEP
    return {
        "requests": Explained(
            {"cpu": "500m", "memory": f"{memory:.0f}Mi"},
            f"About 10,000 requests per second with half a core, measured; memory for {adapters:,} adapters.",
        ),
        "limits": Explained(
            {"memory": f"{memory + _MEMORY_OF_CLIENTS:.0f}Mi"},
            "With 10,000 clients. None of CPU time: a pod that is throttled is slow for all of its clients.",
        ),
    }


def _volumes(workload: Workload) -> list[Any]:
    volumes: list[Any] = []
    if workload.configuration is not None:
        volumes.append({"name": "configuration", **workload.configuration[1]})
    if workload.credentials is not None:
        secret = {
            "secretName": workload.credentials[1],
            "defaultMode": Explained(0o440, "0440 in decimal: parsers of YAML disagree about octal numbers."),
        }
        comment = "Followed: a changed value counts a second after the kubelet has written it, without a restart."
        volumes.append(Explained({"name": "credentials", "secret": secret}, comment))
    return volumes


def disruption_budget(name: str) -> Json:
    """Return the PodDisruptionBudget: nodes are drained one pod at a time."""
    comment = "A pod that is not ready anyway must not keep a node from being drained."
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(name),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": Explained("AlwaysAllow", comment),
            "selector": {"matchLabels": labels(name)},
        },
    }


def autoscaler(name: str) -> Json:
    """Return the HorizontalPodAutoscaler, by CPU time, which is what requests cost."""
    target = {"type": "Utilization", "averageUtilization": 70}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(name),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": Explained(2, "One can be lost."),
            "maxReplicas": 10,
            "metrics": [
                Explained(
                    {"type": "Resource", "resource": {"name": "cpu", "target": target}},
                    "Of what the Deployment requests.",
                )
            ],
            "behavior": Explained(
                {"scaleDown": {"stabilizationWindowSeconds": 300}}, "Not for each pause between two peaks."
            ),
        },
    }
