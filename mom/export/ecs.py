"""An Atlas on Amazon ECS with Fargate: an image with Envoy's files in it, and what runs it.

    Dockerfile                Envoy's official image with the files of atlas/; with mom, mom's
    atlas/                    Envoy's files (`mom.export.envoy`); with mom, the configuration (`mom.export.with_mom`)
    cloudformation.yaml       everything that is needed around it, with parameters (`mom.export.ecs_stack`)
    task-definition.json      the same in parts, for the calls of those names (`mom.export.ecs_requests`): their capital
    target-group.json         words in `${…}` are to be replaced, for example by envsubst(1)
    service.json

The values of variables are in one secret of Secrets Manager, a JSON object with a key for each. ECS puts them into the
environment of a task when it starts one; no file has a value.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mom.atlas.adapters.kubernetes import KubernetesAdapter
from mom.atlas.rules.catalogue import problem_of
from mom.envoy.options import Listen
from mom.envoy.translate import upstreams
from mom.errors import MomError
from mom.export import ecs_requests, ecs_stack, envoy, image, refusals, with_mom
from mom.export.deployment_name import deployment_name
from mom.export.model import Export, ExportedFile, Layout, Source
from mom.export.notes import notes
from mom.export.proxies import reached
from mom.problems import Problem

COMMAND = "mom atlas export ecs"
CONFIGURATION = "atlas"


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
    stack = ecs_stack.template(name, needed, place, _ports(source, place))
    return Export(
        command=COMMAND,
        digest=source.digest,
        files=(
            ExportedFile("Dockerfile", dockerfile),
            *(replace(file, path=f"{CONFIGURATION}/{file.path}") for file in files),
            ExportedFile("cloudformation.yaml", stack),
            *ecs_requests.calls(name, needed, place),
        ),
        next_steps=_next_steps(name, needed, shlex.quote(output)),
        notes=_notes(source, options, place, needed),
    )


def credentials(source: Source, options: Options) -> tuple[str, ...]:
    """Return the variables of the task whose values are in the secret."""
    return (*source.variables, *(source.pem_variables.values() if options.version is None else ()))


def _envoy_arguments(place: Layout) -> tuple[str, ...]:
    return (*envoy.arguments(place), "--concurrency", str(image.WORKERS))


def _ports(source: Source, place: Layout) -> list[int]:
    """Return the ports of APIs, of their proxies, of token endpoints and of identity providers, sorted."""
    given = envoy.options(source, place)
    return sorted({reached(upstream)[1] for upstream in upstreams(source.configuration, given)})


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
