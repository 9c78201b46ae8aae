"""The pods of an Atlas: Deployment, and how many there are at least and at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mom.export import image
from mom.export.with_mom import STOP_SECONDS
from mom.export.yaml_text import Explained
from mom.gateway import HEALTH_PATH

PORT_NAME = "http"
# Seconds after which a client's connection ends with a response, and how long a pod that is to end goes on serving.
CONNECTION_SECONDS = 20
DRAIN_SECONDS = 120
# MiB. Measured: 75 MB with ten adapters, 31 kB for each further one with a host and a credential of its own (3,000 of
# them), 15 kB for an idle connection, of which there may be 10,000.
_MEMORY, _MEMORY_OF_ADAPTER, _MEMORY_OF_CLIENTS = 96, 1 / 32, 512
_MEMORY_OF_MOM = 64
_MIB_STEP = 32
# Of files with credentials: by the group of the pod alone.
_READABLE, _DECIMAL = 0o440, "0440 in decimal: parsers of YAML disagree about octal numbers."

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Program:
    """What a container runs. name: of the container. Both programs know `--concurrency`."""

    name: str
    command: Sequence[str]
    arguments: Sequence[str]

    @property
    def is_mom(self) -> bool:
        """Whether it is mom, which writes its run to memory, and drains when it is told to end."""
        return self.name == "mom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What pods run. name: of all objects. adapters: how many.

    configuration: where its files are, and the sources of the volume with them, None if they are in the image.
    credentials: where it has a file for each variable, and the Secret with them, None without variables.
    uses_api: whether the pod logs in at the API server.
    """

    name: str
    image: str
    program: Program
    port: int
    adapters: int
    configuration: tuple[str, list[Json]] | None
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
        "terminationGracePeriodSeconds": Explained(
            DRAIN_SECONDS + (STOP_SECONDS if workload.program.is_mom else 10), "Longer than `preStop`."
        ),
        "topologySpreadConstraints": _spread(workload.name),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": image.USER_ID,
            "runAsGroup": image.USER_ID,
            "fsGroup": Explained(image.USER_ID, "May read the mounted credentials."),
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
    program = workload.program
    drain = {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}}
    mounts = _mounts(workload)
    return {
        "name": program.name,
        "image": workload.image,
        "command": list(program.command),
        "args": [*program.arguments, "--concurrency", str(image.WORKERS)],
        "ports": [{"name": PORT_NAME, "containerPort": workload.port}],
        **_probes(),
        "lifecycle": Explained(drain, _end(program)),
        "resources": _resources(workload),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **({"volumeMounts": mounts} if mounts else {}),
    }


def _end(program: Program) -> str:
    """Return the reason for the time between the order to end a pod and the signal to its process."""
    signal = (
        "mom waits 30 seconds for requests in progress when it is told to end, and cuts what takes longer."
        if program.is_mom
        else "Envoy ends at once when it is told to, and cuts what is in progress."
    )
    return (
        f"{signal} Until then it serves: new connections go to other pods, and each open one ends with its first "
        f"response after {CONNECTION_SECONDS} seconds. A response that is in progress for longer than these seconds "
        "is cut: raise them, and those above, for it."
    )


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


def _resources(workload: Workload) -> Json:
    adapters = workload.adapters
    served = f"{adapters:,} adapter{'' if adapters == 1 else 's'}"
    least = _MEMORY + adapters * _MEMORY_OF_ADAPTER + (_MEMORY_OF_MOM if workload.program.is_mom else 0)
    memory = -(-least // _MIB_STEP) * _MIB_STEP
    return {
        "requests": Explained(
            {"cpu": "500m", "memory": f"{memory:.0f}Mi"},
            f"About 10,000 requests per second with half a core, measured; memory for {served}.",
        ),
        "limits": Explained(
            {"memory": f"{memory + _MEMORY_OF_CLIENTS:.0f}Mi"},
            "With 10,000 clients. None of CPU time: a pod that is throttled is slow for all of its clients.",
        ),
    }


def _mounts(workload: Workload) -> list[Json]:
    given = {"configuration": workload.configuration, "credentials": workload.credentials}
    mounts: list[Json] = [
        {"name": name, "mountPath": mounted[0], "readOnly": True} for name, mounted in given.items() if mounted
    ]
    return [*mounts, {"name": "memory", "mountPath": image.MEMORY}] if workload.program.is_mom else mounts


def _volumes(workload: Workload) -> list[Any]:
    volumes: list[Any] = []
    if workload.configuration is not None:
        sources = workload.configuration[1]
        mode = {"defaultMode": Explained(_READABLE, _DECIMAL)} if any("secret" in each for each in sources) else {}
        volumes.append({"name": "configuration", "projected": {"sources": sources, **mode}})
    if workload.credentials is not None:
        secret = {
            "secretName": workload.credentials[1],
            "defaultMode": Explained(_READABLE, _DECIMAL),
        }
        comment = "Followed: a changed value counts a second after the kubelet has written it, without a restart."
        volumes.append(Explained({"name": "credentials", "secret": secret}, comment))
    if workload.program.is_mom:
        memory = {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
        volumes.append(Explained(memory, "Where mom writes what Envoy reads, values of variables too: on no disk."))
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
