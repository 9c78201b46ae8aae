"""An Atlas on Kubernetes: a Kustomize base, which is exported again, and an overlay, which is the user's own.

    base/kustomization.yaml, base/*.yaml     the objects, and the ConfigMaps that Kustomize makes of base/envoy
    base/envoy/                              Envoy's files (`mom.export.envoy`)
    overlays/production/kustomization.yaml   namespace, credentials, what differs from the base
    image/                                   with `--files-in-image`: a Dockerfile and, not in base/envoy, Envoy's files

The names of the ConfigMaps have a hash of their content: a changed configuration is a rolling update, and the one
before is there to go back to. That of the Secret has none: it is mounted, and Envoy follows it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mom.envoy.clusters import Upstream
from mom.envoy.proxies import Proxy
from mom.envoy.translate import upstreams
from mom.errors import MomError, UsageError
from mom.export import envoy, image
from mom.export import kubernetes_network as network
from mom.export import kubernetes_workload as workload
from mom.export.kubernetes_names import dns_label
from mom.export.model import Export, ExportedFile, Layout, Source
from mom.export.yaml_text import Explained, yaml_text

COMMAND = "mom atlas export kubernetes"
FILES_IN_IMAGE = "--files-in-image"
BASE, OVERLAY, IMAGE = "base", "overlays/production", "image"
CREDENTIALS = "credentials.env"
# etcd takes 1.5 MiB, Kubernetes 1 MiB of a ConfigMap's data ("ConfigMaps"); the rest is for what else is in the object.
MOST_BYTES = 900_000
# RFC 1123, as Kubernetes has it for names ("Object Names and IDs").
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_KUSTOMIZATION = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user may choose. secret_name: of a Secret that is there, with a key for each variable.

    files_in_image: Envoy's files come with an image instead of ConfigMaps. cluster_id: the id of the cluster, which
    clients of a Kubernetes adapter may name.
    """

    secret_name: str | None = None
    files_in_image: bool = False
    cluster_id: str = ""


def checked(options: Options) -> Options:
    """Return `options`. Raises UsageError for what is not the name of a Secret."""
    name = options.secret_name
    if name is not None and (len(name) > 253 or not _SUBDOMAIN.match(name)):
        hint = "a name has lower case letters, digits, `-` and `.`"
        raise UsageError(f"--secret-name: `{name}` is not the name of a Secret", hint=hint)
    return options


def layout(options: Options) -> Layout:
    """Return where things are in the pod."""
    return Layout(in_pod=True, cluster_id=options.cluster_id, connection_limit=workload.CONNECTION_SECONDS)


def export(source: Source, options: Options, folder: str) -> Export:
    """Return the files of a source without `mom.export.refusals`. folder: where they will be, for commands to run.

    Raises MomError where Envoy's files are too large for a ConfigMap.
    """
    name = dns_label(source.name)
    place = layout(options)
    of_envoy = envoy.files(source, place)
    generated = {} if options.files_in_image else _config_maps(name, of_envoy)
    _check_sizes(generated)
    secret = _secret(name, source, options)
    own = f"{name}-envoy"
    pods = workload.Workload(
        name=name,
        image=own if options.files_in_image else image.envoy(),
        arguments=envoy.arguments(place),
        port=place.listen.port,
        adapters=len(source.configuration.adapters),
        configuration=None if options.files_in_image else (place.configuration, _volume(generated)),
        credentials=None if secret is None or place.credentials is None else (place.credentials, secret),
        uses_api=source.has_kubernetes,
    )
    objects = {
        "deployment": workload.deployment(pods),
        "service": network.service(name),
        "poddisruptionbudget": workload.disruption_budget(name),
        "horizontalpodautoscaler": workload.autoscaler(name),
        "networkpolicy": network.network_policy(name, _destinations(source, place), uses_api=source.has_kubernetes),
        "serviceaccount": network.service_account(name, uses_api=source.has_kubernetes),
        **({"role": network.role(name), "rolebinding": network.role_binding(name)} if source.has_kubernetes else {}),
    }
    around = IMAGE if options.files_in_image else BASE
    files = [
        *(replace(file, path=f"{around}/envoy/{file.path}") for file in of_envoy),
        *(_manifest(f"{BASE}/{kind}.yaml", content) for kind, content in objects.items()),
        _manifest(f"{BASE}/kustomization.yaml", _base(list(objects), generated)),
        *_overlay(name, source, options, secret),
    ]
    if options.files_in_image:
        text = image.envoy_dockerfile("envoy", envoy.arguments(place))
        files.append(ExportedFile(f"{IMAGE}/Dockerfile", text))
    return Export(
        command=COMMAND, digest=source.digest, files=tuple(files), next_steps=_next_steps(source, options, own, folder)
    )


def _manifest(path: str, content: Mapping[str, Any], *, is_template: bool = False) -> ExportedFile:
    return ExportedFile(path, yaml_text(content), is_template=is_template)


def _secret(name: str, source: Source, options: Options) -> str | None:
    """Return the name of the Secret, None where the pods need none."""
    if not (source.variables or source.pem_files):
        return None
    return options.secret_name or f"{name}-credentials"


def _config_maps(name: str, files: Sequence[ExportedFile]) -> dict[str, list[ExportedFile]]:
    """Return the files of each ConfigMap: the key sets of identity providers have one of their own."""
    keys = [file for file in files if file.path.startswith(f"{envoy.KEYS}/")]
    others = [file for file in files if file not in keys]
    return {f"{name}-envoy": others, **({f"{name}-keys": keys} if keys else {})}


def _key(path: str) -> str:
    """Return the key in a ConfigMap, which has no folders."""
    return path.replace("/", ".")


def _check_sizes(config_maps: Mapping[str, Sequence[ExportedFile]]) -> None:
    for name, files in config_maps.items():
        size = sum(len(_key(file.path)) + len(file.text.encode()) for file in files)
        if size > MOST_BYTES:
            message = f"the ConfigMap {name} would have {size / 1_000:,.0f} kB, and Kubernetes takes 1 MiB"
            raise MomError(message, hint=f"{FILES_IN_IMAGE}: the files come with an image, whose Dockerfile is written")


def _volume(config_maps: Mapping[str, Sequence[ExportedFile]]) -> dict[str, Any]:
    sources = [
        {"configMap": {"name": name, "items": [{"key": _key(file.path), "path": file.path} for file in files]}}
        for name, files in config_maps.items()
    ]
    return {"projected": {"sources": sources}}


def _destinations(source: Source, place: Layout) -> list[network.Destination]:
    given = envoy.options(source, place)
    return [
        _reached(upstream, given.proxies.get((upstream.origin, upstream.proxy)))
        for upstream in upstreams(envoy.served(source, place), given)
    ]


def _reached(upstream: Upstream, proxy: Proxy | None) -> network.Destination:
    if proxy is not None:
        return network.Destination(proxy.address, proxy.port)
    return network.Destination(upstream.origin.host, upstream.origin.port)


def _base(kinds: Sequence[str], config_maps: Mapping[str, Sequence[ExportedFile]]) -> dict[str, Any]:
    generators = [
        {"name": name, "files": [f"{_key(file.path)}=envoy/{file.path}" for file in files]}
        for name, files in config_maps.items()
    ]
    comment = (
        "Each gets a hash of its content in its name: a change is a rolling update, and `kubectl rollout undo` finds "
        "the one before."
    )
    return {
        **_KUSTOMIZATION,
        "resources": [f"{kind}.yaml" for kind in kinds],
        **({"configMapGenerator": Explained(generators, comment)} if generators else {}),
    }


def _overlay(name: str, source: Source, options: Options, secret: str | None) -> list[ExportedFile]:
    own_secret = secret is not None and options.secret_name is None
    content: dict[str, Any] = {
        **_KUSTOMIZATION,
        "namespace": Explained("atlas", "Of everything: kubectl create namespace atlas"),
        "resources": ["../../base"],
    }
    if own_secret:
        content["secretGenerator"] = _secret_generator(f"{name}-credentials", source)
    if options.files_in_image:
        pushed = {"name": f"{name}-envoy", "newName": f"registry.example.com/{name}-envoy", "newTag": "change-me"}
        content["images"] = Explained(
            [pushed],
            "Where you push what image/Dockerfile builds; another tag for each build, so that it is rolled out.",
        )
    files = [ExportedFile(f"{OVERLAY}/kustomization.yaml", yaml_text(content) + _suggestions(name), is_template=True)]
    if own_secret:
        ignored = [CREDENTIALS, *source.pem_files.values()]
        files.append(ExportedFile(f"{OVERLAY}/{CREDENTIALS}.example", _credentials(source)))
        files.append(ExportedFile(f"{OVERLAY}/.gitignore", "".join(f"{each}\n" for each in ignored)))
    return files


def _secret_generator(name: str, source: Source) -> Explained:
    generator = {
        "name": name,
        **({"envs": [CREDENTIALS]} if source.variables else {}),
        **(
            {"files": Explained(list(source.pem_files.values()), "Client certificates and their keys: copy them here.")}
            if source.pem_files
            else {}
        ),
        "options": Explained({"disableNameSuffixHash": True}, "Pods follow it by its name: no hash, no restart."),
    }
    return Explained([generator], f"The values of variables: copy {CREDENTIALS}.example, and never commit the copy.")


def _credentials(source: Source) -> str:
    lines = [
        f"# Copy to {CREDENTIALS}, which git ignores, and write each value behind its `=`: as it is, without quotes.",
        "# An empty value: requests to the APIs that need it get 503.",
        *(f"{name}=" for name in source.variables),
    ]
    return "\n".join(lines) + "\n"


def _suggestions(name: str) -> str:
    """Return what an overlay is for, as comments."""
    return f"""
# What else may differ from the base. For example more replicas, and only one namespace whose pods may connect:
# patches:
# - patch: |-
#     apiVersion: autoscaling/v2
#     kind: HorizontalPodAutoscaler
#     metadata:
#       name: {name}
#     spec:
#       minReplicas: 3
#       maxReplicas: 30
# - patch: |-
#     apiVersion: networking.k8s.io/v1
#     kind: NetworkPolicy
#     metadata:
#       name: {name}
#     spec:
#       ingress:
#       - from:
#         - namespaceSelector:
#             matchLabels:
#               kubernetes.io/metadata.name: notebooks
#         ports:
#         - protocol: TCP
#           port: http
"""


def _next_steps(source: Source, options: Options, built: str, folder: str) -> tuple[str, ...]:
    overlay = shlex.quote(f"{folder}/{OVERLAY}")
    steps = []
    if options.files_in_image:
        steps.append(f"docker build -t registry.example.com/{built}:TAG {shlex.quote(f'{folder}/{IMAGE}')}")
        steps.append(f"docker push registry.example.com/{built}:TAG, and name it in {overlay}/kustomization.yaml")
    if (source.variables or source.pem_files) and options.secret_name is None:
        steps.append(f"cp {overlay}/{CREDENTIALS}.example {overlay}/{CREDENTIALS}, and fill it in")
    return (*steps, f"kubectl apply --server-side -k {overlay}")
