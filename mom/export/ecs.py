"""An Atlas on Amazon ECS with Fargate: an image with Envoy's files in it, and what runs it.

    Dockerfile                Envoy's official image with the files of atlas/; with mom, mom's
    atlas/                    Envoy's files (`mom.export.envoy`); with mom, the configuration (`mom.export.with_mom`)
    cloudformation.yaml       everything that is needed around it, with parameters (`mom.export.ecs_stack`)
    task-definition.json      the same in parts, for the calls of those names: their capital words in `${…}` are to be
    target-group.json         replaced, for example by envsubst(1)
    service.json

The values of variables are in one secret of Secrets Manager, a JSON object with a key for each. ECS puts them into the
environment of a task when it starts one; no file has a value.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mom.atlas.adapters.kubernetes import KubernetesAdapter
from mom.atlas.rules.catalogue import problem_of
from mom.envoy.options import Listen
from mom.envoy.translate import upstreams
from mom.errors import MomError
from mom.export import ecs_stack, envoy, image, refusals, with_mom
from mom.export.deployment_name import deployment_name
from mom.export.model import Export, ExportedFile, Layout, Source
from mom.export.notes import notes
from mom.problems import Problem

COMMAND = "mom atlas export ecs"
CONFIGURATION = "atlas"
_WORKERS = 2
# mom waits 30 seconds for requests in progress, and Envoy up to 5 to end.
_STOP_SECONDS = 45

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user may choose. version: of the mom in the image, None for none."""

    version: str | None = None


def layout() -> Layout:
    """Return where things are in the container: credentials are in the environment of Envoy, or of mom."""
    return Layout(configuration=image.CONFIGURATION, credentials=None)


def export(source: Source, options: Options, place: Layout, output: str) -> Export:
    """Return the files. Raises MomError for what cannot run there.

    place: `layout`, with what the user says of how it serves. output: the folder of the files, for the next steps.
    """
    if options.version is None:
        refusals.check(source, place, with_mom="--with-mom")
        files, dockerfile = envoy.files(source, place), image.envoy_dockerfile(CONFIGURATION, _envoy_arguments(place))
    else:
        _check_files(source)
        with_mom.check(source, place)
        files = with_mom.files(source)
        dockerfile = image.mom_dockerfile(options.version, with_mom.arguments(place), CONFIGURATION)
    name, needed = deployment_name(source.name), credentials(source, options)
    stack = ecs_stack.template(
        name,
        lambda references: container(needed, place, references),
        port=place.listen.port,
        destinations=_ports(source, place),
        has_credentials=bool(needed),
    )
    return Export(
        command=COMMAND,
        digest=source.digest,
        files=(
            ExportedFile("Dockerfile", dockerfile),
            *(replace(file, path=f"{CONFIGURATION}/{file.path}") for file in files),
            ExportedFile("cloudformation.yaml", stack),
            *_calls(name, needed, place),
        ),
        next_steps=_next_steps(name, needed, shlex.quote(output)),
        notes=_notes(source, options, place, needed),
    )


def credentials(source: Source, options: Options) -> tuple[str, ...]:
    """Return the variables of the task whose values are in the secret."""
    return (*source.variables, *(source.pem_variables.values() if options.version is None else ()))


def container(needed: Sequence[str], place: Layout, references: ecs_stack.References) -> Json:
    """Return the container of the task definition. needed: its variables with values from the secret."""
    port = place.listen.port
    return {
        "name": ecs_stack.CONTAINER,
        "image": references.image,
        "essential": True,
        "portMappings": [{"containerPort": port, "protocol": "tcp"}],
        "user": image.USER,
        "readonlyRootFilesystem": True,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
        "ulimits": [{"name": "nofile", "softLimit": place.open_files, "hardLimit": place.open_files}],
        **({"secrets": [{"name": name, "valueFrom": references.secret(name)} for name in needed]} if needed else {}),
        "healthCheck": {
            "command": ["CMD", *image.health_check(port)],
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 30,
        },
        "stopTimeout": _STOP_SECONDS,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": references.log_group,
                "awslogs-region": references.region,
                "awslogs-stream-prefix": ecs_stack.CONTAINER,
                # A log that is slow must not hold up requests; lines beyond the buffer are lost.
                "mode": "non-blocking",
                "max-buffer-size": "16m",
            },
        },
    }


def _envoy_arguments(place: Layout) -> tuple[str, ...]:
    return (*envoy.arguments(place), "--concurrency", str(_WORKERS))


def _calls(name: str, needed: Sequence[str], place: Layout) -> Iterator[ExportedFile]:
    """Yield the requests of RegisterTaskDefinition, CreateTargetGroup and CreateService."""
    references = ecs_stack.References(
        image="${IMAGE}",
        log_group=f"/ecs/{name}",
        region="${AWS_REGION}",
        secret=lambda variable: f"${{CREDENTIALS}}:{variable}::",
    )
    task = {
        "family": name,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": ecs_stack.CPU,
        "memory": ecs_stack.MEMORY,
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "executionRoleArn": "${EXECUTION_ROLE}",
        "containerDefinitions": [container(needed, place, references)],
    }
    contents = {
        "task-definition.json": task,
        "target-group.json": {"Name": name, "VpcId": "${VPC}", **ecs_stack.target_group(place.listen.port)},
        "service.json": _service(name, place),
    }
    for path, content in contents.items():
        yield ExportedFile(path, json.dumps(content, indent=2) + "\n", comment="")


def _service(name: str, place: Layout) -> Json:
    given = ecs_stack.service(
        place.listen.port,
        cluster="${CLUSTER}",
        task_definition=name,
        tasks=2,
        subnets=["${SUBNET_1}", "${SUBNET_2}"],
        security_group="${SECURITY_GROUP}",
        public_ip="DISABLED",
        target="${TARGET_GROUP}",
    )
    return {"serviceName": name, **given}


def _ports(source: Source, place: Layout) -> list[int]:
    """Return the ports of APIs, of their proxies, of token endpoints and of identity providers, sorted."""
    given = envoy.options(source, place)
    found: set[int] = set()
    for upstream in upstreams(source.configuration, given):
        proxy = given.proxies.get((upstream.origin, upstream.proxy))
        found.add(upstream.origin.port if proxy is None else proxy.port)
    return sorted(found)


def _check_files(source: Source) -> None:
    """Raise MomError for what mom reads from files of its own, which a task does not have."""
    found: list[Problem] = []
    hint = "write it into another Atlas, which is exported without --with-mom or for another engine"
    for tls in source.client_certificates:
        message = f"ECS gives a task variables, and mom reads {tls.key_file} from a file"
        found.append(problem_of(tls.place, with_mom.RULE, message, hint=hint))
    for adapter in source.configuration.adapters:
        if isinstance(adapter, KubernetesAdapter):
            message = f"{adapter.name}: ECS gives a task variables, and mom reads $KUBECONFIG from a file"
            found.append(problem_of(adapter.place, with_mom.RULE, message, hint=hint))
    if found:
        raise MomError(f"{source.configuration.file} cannot be exported", problems=found)


def _notes(source: Source, options: Options, place: Layout, needed: Sequence[str]) -> tuple[str, ...]:
    rotated = ("a changed credential is used by a new deployment",) if needed else ()
    # The load balancer ends TLS.
    behind = replace(place, listen=Listen("127.0.0.1", place.listen.port))
    return (*rotated, *notes(source, behind, with_mom=options.version is not None))


def _next_steps(name: str, needed: Sequence[str], output: str) -> tuple[str, ...]:
    parameters = "Image=$IMAGE Vpc=$VPC Subnets=$SUBNETS Certificate=$CERTIFICATE"
    parameters += " Credentials=$CREDENTIALS" if needed else ""
    deploy = f"aws cloudformation deploy --stack-name {name} --template-file {output}/cloudformation.yaml"
    return (
        f"docker build -t $IMAGE {output} && docker push $IMAGE",
        f"{deploy} --capabilities CAPABILITY_IAM --parameter-overrides {parameters}",
    )
