"""Where the services of AWS are, and how requests to them are signed: endpoint prefix, host, signing name and region.

The data is botocore's, in `aws_services.json`, which a script beside the tests makes. A region that is not in it yet is
served all the same where its name has the form of a partition's regions.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, NamedTuple

from mom.atlas.suggestions import closest
from mom.atlas.values.objection import Objection

DEFAULT_REGION = "us-east-1"
# By endpoint prefix: what callers reach where an adapter does not list services.
DEFAULT_SERVICES = (
    "api.ecr",
    "athena",
    "autoscaling",
    "bedrock-runtime",
    "cloudformation",
    "dynamodb",
    "ec2",
    "ecs",
    "eks",
    "elasticloadbalancing",
    "events",
    "iam",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "rds",
    "route53",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "states",
    "sts",
)


class Endpoint(NamedTuple):
    """Where requests to a service in a region go, and the name and the region that are signed (SigV4 scope)."""

    host: str
    signing_name: str
    signing_region: str


def endpoint(service: str, region: str) -> Endpoint | None:
    """Return the endpoint of a service, by its endpoint prefix, in a region; None where there is none."""
    known = _data()["services"].get(service)
    partition = _partition(region)
    if known is None or partition is None:
        return None
    hosts = known.get("hosts", {})
    default = f"{service}.{{region}}.{_data()['partitions'][partition]['suffix']}"
    form = hosts.get(region, hosts.get(partition, default))
    if form is None:
        return None
    host, _, signing_region = form.partition(" ")
    return Endpoint(host.replace("{region}", region), known.get("signingName", service), signing_region or region)


def check_service(service: str) -> Objection | None:
    """Return why a text is not the endpoint prefix of a service, and which was meant."""
    services = _data()["services"]
    if service in services:
        return None
    # Prefixes come last: where a name is another service's prefix, that one is meant.
    known = {name: prefix for prefix, each in services.items() for name in each.get("names", ())}
    known |= {prefix: prefix for prefix in services}
    meant = closest(service, known)
    hint = "write the beginning of the service's host name, such as `sqs`"
    if meant is not None:
        hint = f"did you mean `{known[meant]}`" + (f" ({meant})?" if meant != known[meant] else "?")
    return Objection(f"`{service}` is not the endpoint prefix of an AWS service", hint)


def check_region(region: str) -> Objection | None:
    """Return why a text is not the name of a region, and which was meant."""
    if _partition(region):
        return None
    known = [name for partition in _data()["partitions"].values() for name in partition["regions"]]
    meant = closest(region, known)
    hint = f"did you mean `{meant}`?" if meant else "write a region such as `eu-west-1`"
    return Objection(f"`{region}` is not an AWS region", hint)


def _partition(region: str) -> str | None:
    partitions = _data()["partitions"]
    for name, partition in partitions.items():
        if region in partition["regions"]:
            return str(name)
    # A pattern's `\w+` would let a slip pass, and other letters than a host name has.
    if not (parts := re.fullmatch(r"[a-z-]+-([a-z]+)-[0-9]+", region)) or parts[1] not in _directions():
        return None
    return next((name for name, partition in partitions.items() if re.match(partition["pattern"], region)), None)


@cache
def _directions() -> frozenset[str]:
    known = _data()["partitions"].values()
    return frozenset(region.split("-")[-2] for partition in known for region in partition["regions"])


@cache
def _data() -> dict[str, Any]:
    # Importing it takes a millisecond that most commands need not spend.
    from importlib.resources import files

    text = files("mom.atlas.adapters").joinpath("aws_services.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data
