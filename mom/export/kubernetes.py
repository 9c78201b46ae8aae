"""An Atlas on Kubernetes: a Kustomize base, which is exported again, and an overlay, which is the user's own.

    base/kustomization.yaml, base/*.yaml     the objects, and the ConfigMaps that Kustomize makes of base/config
    base/config/                             Envoy's files (`mom.export.envoy`); with mom, the configuration
    overlays/production/kustomization.yaml   namespace, credentials, what differs from the base
    image/                                   of an image of one's own: a Dockerfile and, not in base/, the files

The names of the ConfigMaps have a hash of their content: a changed configuration is a rolling update, and the one
before is there to go back to. That of the Secret has none: it is mounted, and followed.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mom.envoy.translate import upstreams
from mom.errors import MomError, UsageError
from mom.export import envoy, image, refusals, with_mom
from mom.export import kubernetes_network as network
from mom.export import kubernetes_workload as workload
from mom.export.deployment_name import deployment_name
from mom.export.model import Export, ExportedFile, Layout, Source
from mom.export.names import file_names
from mom.export.notes import notes
from mom.export.proxies import reached
from mom.export.yaml_text import Explained, yaml_text

COMMAND = "mom atlas export kubernetes"
WITH_MOM, FILES_IN_IMAGE = "--with-mom", "--files-in-image"
BASE, OVERLAY, IMAGE, FILES = "base", "overlays/production", "image", "config"
CREDENTIALS = "credentials.env"
# Of the overlay, until its reader writes another.
_NAMESPACE = "atlas"
_CREATE_NAMESPACE = f"kubectl create namespace {_NAMESPACE}"
# Kubernetes takes 1 MiB of a ConfigMap's data ("ConfigMaps"); the rest is for what else is in the object.
MOST_BYTES = 900_000
# RFC 1123, as Kubernetes has it for names ("Object Names and IDs").
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_KUSTOMIZATION = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user may choose. secret_name: of a Secret that is there, with a key for each variable.

    files_in_image: the files come with an image instead of ConfigMaps. cluster_id: the id of the cluster, which clients
    of a Kubernetes adapter may name. version: of the mom in the pods, None for Envoy alone.
    """

    secret_name: str | None = None
    files_in_image: bool = False
    cluster_id: str = ""
    version: str | None = None

    @property
    def has_own_image(self) -> bool:
        """Whether the pods run an image that the user builds."""
        return self.files_in_image or self.version is not None


@dataclass(frozen=True, slots=True)
class _Exported:
    """What an export is made of. name: of all objects. image: the name of an image of one's own."""

    source: Source
    options: Options
    place: Layout
    name: str
    image: str
    files: tuple[ExportedFile, ...]

    @property
    def secret(self) -> str | None:
        """The name of the Secret, None where the pods need none."""
        if not (self.source.variables or self.source.pem_files):
            return None
        return self.options.secret_name or f"{self.name}-credentials"

    @property
    def has_own_secret(self) -> bool:
        """Whether the overlay makes the Secret."""
        return self.secret is not None and self.options.secret_name is None

    @property
    def config_maps(self) -> dict[str, dict[str, ExportedFile]]:
        """The files of each ConfigMap by their keys: those of identity providers have one of their own."""
        if self.options.files_in_image:
            return {}
        given = self.source.configuration.identity_providers
        providers = {posixpath.normpath(provider.public_key) for provider in given}
        keys = [file for file in self.files if file.path.startswith(f"{envoy.KEYS}/") or file.path in providers]
        others = [file for file in self.files if file not in keys]
        names = file_names(file.path for file in self.files)
        found = {f"{self.name}-{FILES}": others, f"{self.name}-keys": keys}
        return {name: {names[file.path]: file for file in files} for name, files in found.items() if files}


def checked(options: Options) -> Options:
    """Return `options`. Raises UsageError for what is not the name of a Secret, and for an id that mom finds itself."""
    if options.cluster_id and options.version is not None:
        raise UsageError(f"--cluster-id and {WITH_MOM}: mom asks the API server for the id", hint="omit --cluster-id")
    name = options.secret_name
    if name is not None and (len(name) > 253 or not _SUBDOMAIN.match(name)):
        hint = "a name has lower case letters, digits, `-` and `.`"
        raise UsageError(f"--secret-name: `{name}` is not the name of a Secret", hint=hint)
    return options


def layout(source: Source, options: Options) -> Layout:
    """Return where things are in the pod."""
    # Without a variable there is no folder, and mom takes none that is not there.
    credentials = Layout().credentials if source.variables or options.version is None else None
    return Layout(
        configuration=image.CONFIGURATION,
        credentials=credentials,
        in_pod=True,
        cluster_id=options.cluster_id,
        connection_limit=workload.CONNECTION_SECONDS,
    )


def export(source: Source, options: Options, place: Layout, folder: str) -> Export:
    """Return the files of a source. place: `layout` with what the user says. folder: where they will be.

    Raises MomError for what cannot run there, and where the files are too large for a ConfigMap.
    """
    name = deployment_name(source.name)
    if options.version is None:
        refusals.check(source, place, with_mom=WITH_MOM)
        exported = _Exported(source, options, place, name, f"{name}-envoy", envoy.files(source, place))
    else:
        with_mom.check(source, place)
        exported = _Exported(source, options, place, name, f"{name}-mom", with_mom.files(source))
    _check_sizes(exported.config_maps)
    objects = _objects(exported)
    around = IMAGE if options.files_in_image else BASE
    files = [
        *(replace(file, path=f"{around}/{FILES}/{file.path}") for file in exported.files),
        *(ExportedFile(f"{BASE}/{kind}.yaml", yaml_text(content)) for kind, content in objects.items()),
        ExportedFile(f"{BASE}/kustomization.yaml", yaml_text(_base(list(objects), exported.config_maps))),
        *([ExportedFile(f"{IMAGE}/Dockerfile", _dockerfile(exported))] if options.has_own_image else []),
        *_overlay(exported),
    ]
    return Export(
        command=COMMAND,
        digest=source.digest,
        files=tuple(files),
        next_steps=_next_steps(exported, folder),
        notes=notes(source, place) if options.version is None else (),
    )


def _objects(exported: _Exported) -> dict[str, Mapping[str, Any]]:
    """Return the objects of the base, by the names of their files."""
    source, name = exported.source, exported.name
    uses_api = source.has_kubernetes
    destinations = _destinations(source, exported.place)
    return {
        "deployment": workload.deployment(_pods(exported)),
        "service": network.service(name),
        "poddisruptionbudget": workload.disruption_budget(name),
        "horizontalpodautoscaler": workload.autoscaler(name),
        "networkpolicy": network.network_policy(name, destinations, uses_api=uses_api),
        "serviceaccount": network.service_account(name, uses_api=uses_api),
        **({"role": network.role(name), "rolebinding": network.role_binding(name)} if uses_api else {}),
    }


def _pods(exported: _Exported) -> workload.Workload:
    place, secret, options = exported.place, exported.secret, exported.options
    if options.version is None:
        program = workload.Program("envoy", [image.ENVOY_PROGRAM], envoy.arguments(place))
    else:
        program = workload.Program("mom", ["mom", "atlas", "run"], with_mom.arguments(place))
    sources = _sources(exported)
    return workload.Workload(
        name=exported.name,
        image=exported.image if options.has_own_image else image.envoy(),
        program=program,
        port=place.listen.port,
        adapters=len(exported.source.configuration.adapters),
        configuration=(place.configuration, sources) if sources else None,
        credentials=None if secret is None or place.credentials is None else (place.credentials, secret),
        uses_api=exported.source.has_kubernetes,
    )


def _sources(exported: _Exported) -> list[dict[str, Any]]:
    """Return the sources of the volume with the configuration; with mom, client certificates are among its files."""
    sources: list[dict[str, Any]] = [
        {"configMap": {"name": name, "items": [{"key": key, "path": file.path} for key, file in files.items()]}}
        for name, files in exported.config_maps.items()
    ]
    if exported.options.version is not None and exported.source.pem_files:
        items = [{"key": key, "path": path} for path, key in with_mom.credential_files(exported.source).items()]
        sources.append({"secret": {"name": exported.secret, "items": items}})
    return sources


def _dockerfile(exported: _Exported) -> str:
    folder = FILES if exported.options.files_in_image else None
    if exported.options.version is None:
        return image.envoy_dockerfile(FILES, envoy.arguments(exported.place))
    return image.mom_dockerfile(exported.options.version, with_mom.arguments(exported.place), folder)


def _check_sizes(config_maps: Mapping[str, Mapping[str, ExportedFile]]) -> None:
    for name, files in config_maps.items():
        size = sum(len(key) + len(file.text.encode()) for key, file in files.items())
        if size > MOST_BYTES:
            message = f"the ConfigMap {name} would have {size / 1_000:,.0f} kB, and Kubernetes takes 1 MiB"
            raise MomError(message, hint=f"{FILES_IN_IMAGE}: the files come with an image, whose Dockerfile is written")


def _destinations(source: Source, place: Layout) -> list[network.Destination]:
    given = envoy.options(source, place)
    return [network.Destination(*reached(upstream)) for upstream in upstreams(envoy.served(source, place), given)]


def _base(kinds: Sequence[str], config_maps: Mapping[str, Mapping[str, ExportedFile]]) -> dict[str, Any]:
    generators = [
        {"name": name, "files": [f"{key}={FILES}/{file.path}" for key, file in files.items()]}
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


def _overlay(exported: _Exported) -> list[ExportedFile]:
    name, source = exported.name, exported.source
    content: dict[str, Any] = {
        **_KUSTOMIZATION,
        "namespace": Explained(_NAMESPACE, f"Of everything: {_CREATE_NAMESPACE}"),
        "resources": ["../../base"],
    }
    if exported.has_own_secret:
        content["secretGenerator"] = _secret_generator(f"{name}-credentials", source)
    if exported.options.has_own_image:
        built = exported.image
        pushed = {"name": built, "newName": f"registry.example.com/{built}", "newTag": "change-me"}
        content["images"] = Explained(
            [pushed],
            "Where you push what image/Dockerfile builds; another tag for each build, so that it is rolled out.",
        )
    files = [ExportedFile(f"{OVERLAY}/kustomization.yaml", yaml_text(content) + _suggestions(name), is_template=True)]
    if exported.has_own_secret:
        ignored = [CREDENTIALS, *source.pem_files.values()]
        files.append(ExportedFile(f"{OVERLAY}/{CREDENTIALS}.example", _credentials(exported)))
        files.append(ExportedFile(f"{OVERLAY}/.gitignore", "".join(f"/{each}\n" for each in ignored)))
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


def _credentials(exported: _Exported) -> str:
    without = "requests to the APIs that need it get 503" if exported.options.version is None else "mom does not start"
    lines = [
        f"# Copy to {CREDENTIALS}, which git ignores, and write each value behind its `=`: as it is, without quotes.",
        f"# Without a value {without}.",
        *(f"{name}=" for name in exported.source.variables),
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


def _next_steps(exported: _Exported, folder: str) -> tuple[str, ...]:
    overlay, built = shlex.quote(f"{folder}/{OVERLAY}"), f"registry.example.com/{exported.image}:TAG"
    steps = []
    if exported.options.has_own_image:
        steps.append(f"docker build -t {built} {shlex.quote(f'{folder}/{IMAGE}')}")
        steps.append(f"docker push {built}, and name it in {overlay}/kustomization.yaml")
    if exported.has_own_secret:
        steps.append(f"install -m 600 {overlay}/{CREDENTIALS}.example {overlay}/{CREDENTIALS}, and fill it in")
    steps.append(f"{_CREATE_NAMESPACE}  # once")
    return (*steps, f"kubectl apply --server-side -k {overlay}")
