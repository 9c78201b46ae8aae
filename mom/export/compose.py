"""An Atlas for Docker Compose: one file, and a folder for credentials that git ignores.

compose.yaml              the service
atlas/                    Envoy's files (`mom.export.envoy`); with mom, the configuration (`mom.export.with_mom`)
credentials/.gitignore    of the folder with one file for each variable
image/Dockerfile          with mom: of its image
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mom.envoy.options import Listen
from mom.export import envoy, image, refusals, with_mom
from mom.export.deployment_name import deployment_name
from mom.export.model import Export, ExportedFile, Layout, Source
from mom.export.notes import notes
from mom.export.yaml_text import Explained, yaml_text

COMMAND = "mom atlas export compose"
FILE, CONFIGURATION, CREDENTIALS, IMAGE = "compose.yaml", "atlas", "credentials", "image"
# Compose: "Secrets".
_SECRETS = "/run/secrets"
_KUBECONFIG = "kubeconfig"
# Of a service that logs a line for each request.
_LOGGING = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user may choose. listen: where the machine serves, None: 127.0.0.1. version: of mom, None without it."""

    listen: Listen | None = None
    version: str | None = None


def layout(source: Source, options: Options) -> Layout:
    """Return where things are in the container."""
    has_credentials = bool(credentials(source, options))
    # Without a variable there is no folder, and mom takes none that is not there.
    folder = _SECRETS if has_credentials or options.version is None else None
    return Layout(configuration=image.CONFIGURATION, credentials=folder)


def credentials(source: Source, options: Options) -> tuple[str, ...]:
    """Return the names of the files in the folder of credentials."""
    if options.version is None:
        return (*source.variables, *source.pem_files.values())
    return (*source.variables, *((_KUBECONFIG,) if source.has_kubernetes else ()))


def export(source: Source, options: Options, place: Layout, output: str) -> Export:
    """Return the files. Raises MomError for what cannot run there.

    place: `layout`, with what the user says of how it serves. output: the folder of the files, for the next steps.
    """
    if options.version is None:
        refusals.check(source, place, with_mom="--with-mom")
        files = envoy.files(source, place)
    else:
        with_mom.check(source, place)
        files = (*with_mom.files(source), *_ignored(source))
    listen = options.listen or Listen("127.0.0.1", place.listen.port)
    service = _service(source, options, place, files, listen)
    needed = credentials(source, options)
    document = {
        "name": deployment_name(source.name),
        "services": {"atlas": service},
        **({"secrets": _secrets(needed)} if needed else {}),
    }
    return Export(
        command=COMMAND,
        digest=source.digest,
        files=(
            ExportedFile(FILE, yaml_text(document)),
            *(replace(file, path=f"{CONFIGURATION}/{file.path}") for file in files),
            *((ExportedFile(f"{CREDENTIALS}/.gitignore", "*\n!.gitignore\n"),) if needed else ()),
            *_image(place, options),
        ),
        next_steps=_next_steps(source, options, shlex.quote(output), needed),
        notes=notes(source, replace(place, listen=listen), with_mom=options.version is not None),
    )


def _service(
    source: Source, options: Options, place: Layout, files: Sequence[ExportedFile], listen: Listen
) -> Mapping[str, Any]:
    needed = credentials(source, options)
    runs = _envoy(place, files) if options.version is None else _mom(source, options, place)
    return {
        **runs,
        "user": Explained(
            image.USER, "Of no one. It must be able to read the files of this folder, those of credentials too."
        ),
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "ports": [f"{listen}:{place.listen.port}"],
        "volumes": [f"./{CONFIGURATION}:{place.configuration}:ro"],
        **({"secrets": list(needed)} if needed else {}),
        "healthcheck": {
            "test": ["CMD", *image.health_check(place.listen.port)],
            "interval": "10s",
            "timeout": "5s",
            "retries": 3,
            "start_period": "30s",
        },
        "restart": "unless-stopped",
        "ulimits": {"nofile": {"soft": place.open_files, "hard": place.open_files}, "core": 0},
        "pids_limit": 512,
        "logging": _LOGGING,
    }


def _envoy(place: Layout, files: Sequence[ExportedFile]) -> Json:
    digest = hashlib.sha256("\0".join(f"{file.path}\0{file.text}" for file in files).encode()).hexdigest()
    return {
        "image": image.envoy(),
        "entrypoint": [image.ENVOY_PROGRAM],
        "command": [*envoy.arguments(place), "--concurrency", str(image.WORKERS)],
        "labels": Explained(
            {"atlas.configuration": digest[:16]},
            "Of the files of Envoy: when they are others, `docker compose up` starts a new container.",
        ),
    }


def _mom(source: Source, options: Options, place: Layout) -> Json:
    login = {"environment": {"KUBECONFIG": f"{_SECRETS}/{_KUBECONFIG}"}} if source.has_kubernetes else {}
    return {
        "image": f"{deployment_name(source.name)}-mom:{options.version}",
        "build": f"./{IMAGE}",
        "command": list(with_mom.arguments(place)),
        **login,
        "shm_size": Explained("256m", "What a run writes, values of variables too, is in memory."),
        "stop_grace_period": Explained(f"{with_mom.STOP_SECONDS}s", "mom waits for requests in progress."),
    }


def _secrets(needed: Sequence[str]) -> Mapping[str, Any]:
    return {name: {"file": f"./{CREDENTIALS}/{name}"} for name in needed}


def _ignored(source: Source) -> tuple[ExportedFile, ...]:
    """Return what keeps client certificates and their keys, which belong beside the configuration, out of git."""
    paths = sorted(with_mom.credential_files(source))
    return (ExportedFile(".gitignore", "".join(f"/{path}\n" for path in paths)),) if paths else ()


def _image(place: Layout, options: Options) -> tuple[ExportedFile, ...]:
    if options.version is None:
        return ()
    return (ExportedFile(f"{IMAGE}/Dockerfile", image.mom_dockerfile(options.version, with_mom.arguments(place))),)


def _next_steps(source: Source, options: Options, output: str, needed: Sequence[str]) -> tuple[str, ...]:
    # No value in the history of the shell, no line ending, and readable in the container.
    value = '(umask 022; read -rs VALUE; printf %s "$VALUE" >'
    # A certificate and its key have lines.
    copied = {file: shlex.quote(path) for path, file in source.pem_files.items()}
    values = [
        f"install -m 644 {copied[name]} {output}/{CREDENTIALS}/{name}"
        if name in copied
        else f"{value} {output}/{CREDENTIALS}/{name})"
        for name in needed
    ]
    keys = [] if options.version is None else sorted(map(shlex.quote, with_mom.credential_files(source)))
    return (
        # Their files are readable, for the user of the container: nobody else gets to them.
        *((f"chmod 700 {output}/{CREDENTIALS}",) if needed else ()),
        *values,
        *(f"install -D -m 644 {path} {output}/{CONFIGURATION}/{path}" for path in keys),
        f"docker compose -f {output}/{FILE} up -d --wait",
    )
