"""The table of AWS services is botocore's, and gives each service its host, signing name and region."""

from __future__ import annotations

import json

import pytest

from mom.atlas.adapters.aws_endpoints import DEFAULT_SERVICES, Endpoint, check_region, check_service, endpoint
from tests.atlas.adapters import aws_services

COMMITTED = json.loads(aws_services.FILE.read_text(encoding="utf-8"))


def test_the_services_that_are_served_by_default_are_those_of_botocore() -> None:
    assert 20 <= len(DEFAULT_SERVICES) <= 30
    names = {prefix: {prefix, *COMMITTED["services"][prefix].get("names", ())} for prefix in DEFAULT_SERVICES}
    made = aws_services.written(set().union(*names.values()))
    assert made["partitions"] == COMMITTED["partitions"]
    assert made["services"] == {prefix: COMMITTED["services"][prefix] for prefix in DEFAULT_SERVICES}


@pytest.mark.proof
def test_the_whole_table_is_what_botocore_has() -> None:
    made = aws_services.written()
    assert len(made["services"]) > 400
    assert aws_services.text(made) == aws_services.FILE.read_text(encoding="utf-8")


@pytest.mark.proof
def test_each_endpoint_is_the_one_that_botocore_resolves() -> None:
    for prefix, models in aws_services.services().items():
        for partition in aws_services.partitions()["partitions"]:
            resolved = aws_services.hosts_of(prefix, models[0], partition)
            for region in aws_services.regions(partition):
                known = endpoint(prefix, region)
                if region in resolved:
                    assert known is not None
                    assert (known.host, known.signing_region) == resolved[region], (prefix, region)
                elif not resolved:
                    assert known is None, (prefix, region)


@pytest.mark.parametrize(
    ("service", "region", "expected"),
    [
        ("s3", "eu-west-1", Endpoint("s3.eu-west-1.amazonaws.com", "s3", "eu-west-1")),
        ("email", "us-east-1", Endpoint("email.us-east-1.amazonaws.com", "ses", "us-east-1")),
        ("api.ecr", "cn-north-1", Endpoint("api.ecr.cn-north-1.amazonaws.com.cn", "ecr", "cn-north-1")),
        ("iam", "eu-west-1", Endpoint("iam.amazonaws.com", "iam", "us-east-1")),
        ("sqs", "eu-north-9", Endpoint("sqs.eu-north-9.amazonaws.com", "sqs", "eu-north-9")),
        ("cloudfront-keyvaluestore", "us-east-1", None),
        ("sqs", "nowhere", None),
        ("cloudwatch", "us-east-1", None),
    ],
)
def test_an_endpoint(service: str, region: str, expected: Endpoint | None) -> None:
    assert endpoint(service, region) == expected


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("cloudwatch", "`monitoring` (cloudwatch)"),
        ("cloudwatchs", "`monitoring` (cloudwatch)"),
        ("step-functions", "`states` (stepfunctions)"),
        ("ECR", "`api.ecr` (ecr)"),
        ("SQS", "`sqs`"),
        ("dynamodbb", "`dynamodb`"),
        ("sesv2", "`email` (sesv2)"),
    ],
)
def test_a_service_by_another_name_is_understood(name: str, meant: str) -> None:
    wrong = check_service(name)
    assert wrong is not None
    assert wrong.hint == f"did you mean {meant}?"


@pytest.mark.parametrize(
    "region",
    ["eu-west-1.evil.example", "eu-west-1/x", "EU-WEST-1", "eu-wést-1", "eu-west", "eu-wets-1", "", "eu-west-1\n"],
)
def test_what_could_change_a_host_name_is_not_a_region(region: str) -> None:
    assert check_region(region) is not None
    assert endpoint("sqs", region) is None
