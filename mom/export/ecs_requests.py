"""What RegisterTaskDefinition, CreateTargetGroup and CreateService take: as files, and in parts for a template.

What an Atlas does not have, such as the image, is a word to be replaced in the files, and a reference in a template.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mom.export import image, with_mom
from mom.export.model import ExportedFile, Layout
from mom.gateway import HEALTH_PATHS

CONTAINER = "atlas"
# Of a task, in units of 1/1024 of a CPU and in MiB: 10,000 requests per second, and memory for 10,000 adapters with
# 10,000 clients (docs/benchmarks.md). Fargate has this pair.
CPU, MEMORY = "512", "1024"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """How a description names what it does not have. secret: of a variable, by its name."""

    image: Any
    log_group: Any
    region: Any
    secret: Callable[[str], Any]


def calls(name: str, needed: Sequence[str], place: Layout) -> Iterator[ExportedFile]:
    """Yield the requests of RegisterTaskDefinition, CreateTargetGroup and CreateService."""
    references = References(
        image="${IMAGE}",
        log_group=f"/ecs/{name}",
        region="${AWS_REGION}",
        secret=lambda variable: f"${{CREDENTIALS}}:{variable}::",
    )
    task = {
        "family": name,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": CPU,
        "memory": MEMORY,
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "executionRoleArn": "${EXECUTION_ROLE}",
        "containerDefinitions": [container(needed, place, references)],
    }
    contents = {
        "task-definition.json": task,
        "target-group.json": {"Name": name, "VpcId": "${VPC}", **target_group(place.listen.port)},
        "service.json": _named_service(name, place),
    }
    for path, content in contents.items():
        yield ExportedFile(path, json.dumps(content, indent=2) + "\n", comment="")


def _named_service(name: str, place: Layout) -> Json:
    given = service(
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


def container(needed: Sequence[str], place: Layout, references: References) -> Json:
    """Return the container of the task definition. needed: its variables with values from the secret."""
    port = place.listen.port
    return {
        "name": CONTAINER,
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
        "stopTimeout": with_mom.STOP_SECONDS,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": references.log_group,
                "awslogs-region": references.region,
                "awslogs-stream-prefix": CONTAINER,
                # A log that is slow must not hold up requests; lines beyond the buffer are lost.
                "mode": "non-blocking",
                "max-buffer-size": "16m",
            },
        },
    }


def target_group(port: int) -> Json:
    """Return how the load balancer reaches tasks, and asks for their health; CreateTargetGroup takes the same."""
    return {
        "Protocol": "HTTP",
        "Port": port,
        "TargetType": "ip",
        "HealthCheckPath": HEALTH_PATHS[1],
        "HealthCheckIntervalSeconds": 10,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 3,
        "Matcher": {"HttpCode": "200"},
    }


def service(
    port: int,
    *,
    cluster: Any,
    task_definition: Any,
    tasks: Any,
    subnets: Any,
    security_group: Any,
    public_ip: Any,
    target: Any,
) -> Json:
    """Return a service as CreateService takes it."""
    return {
        "cluster": cluster,
        "taskDefinition": task_definition,
        "desiredCount": tasks,
        "launchType": "FARGATE",
        "deploymentConfiguration": {
            # A deployment whose tasks do not become healthy goes back to the last whose did.
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "minimumHealthyPercent": 100,
            "maximumPercent": 200,
        },
        "availabilityZoneRebalancing": "ENABLED",
        "healthCheckGracePeriodSeconds": 30,
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": subnets,
                "securityGroups": [security_group],
                "assignPublicIp": public_ip,
            }
        },
        "loadBalancers": [{"targetGroupArn": target, "containerName": CONTAINER, "containerPort": port}],
        "enableECSManagedTags": True,
        "propagateTags": "SERVICE",
    }
