"""The export for ECS: what AWS's own description of its interface says of it, and its Envoy run for real."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator

from mom.export.image import envoy
from tests.envoy.certificates import Authority
from tests.envoy.running import free_port
from tests.envoy.upstream import Upstream
from tests.export.exports import configure, export, with_aws, written
from tests.export.running import serving
from tests.golden import run_mom

PARAMETERS = {
    "IMAGE": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/atlas:1",
    "EXECUTION_ROLE": "arn:aws:iam::123456789012:role/atlas",
    "CREDENTIALS": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:atlas-AbCdEf",
    "AWS_REGION": "eu-west-1",
    "CLUSTER": "default",
    "VPC": "vpc-1",
    "SUBNET_1": "subnet-1",
    "SUBNET_2": "subnet-2",
    "SECURITY_GROUP": "sg-1",
    "TARGET_GROUP": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/atlas/1",
}
CALLS = {
    "task-definition.json": ("ecs", "RegisterTaskDefinition"),
    "service.json": ("ecs", "CreateService"),
    "target-group.json": ("elbv2", "CreateTargetGroup"),
}


def call(folder: Path, name: str) -> Any:
    """Return the content of a file as envsubst(1) and the AWS CLI read it."""
    text = re.sub(r"\$\{([A-Z_0-9]+)\}", lambda match: PARAMETERS[match[1]], (folder / name).read_text())
    assert "$" not in text
    return json.loads(text)


def container(folder: Path) -> Any:
    """Return the one container of the task definition."""
    (found,) = call(folder, "task-definition.json")["containerDefinitions"]
    return found


def properties(folder: Path, resource: str) -> Any:
    """Return the properties of a resource of the template."""
    return yaml.safe_load((folder / "cloudformation.yaml").read_text())["Resources"][resource]["Properties"]


@pytest.mark.parametrize("options", [[], ["--with-mom"]])
def test_the_calls_are_what_aws_takes(tmp_path: Path, options: list[str]) -> None:
    configure(tmp_path)
    out = export(tmp_path, "ecs", *options)
    session = botocore.session.get_session()

    for name, (service, operation) in CALLS.items():
        shape = session.get_service_model(service).operation_model(operation).input_shape
        report = ParamValidator().validate(call(out, name), shape)
        assert not report.has_errors(), report.generate_report()
        wrong = ParamValidator().validate({**call(out, name), "Unknown": 1}, shape)
        assert wrong.has_errors()


def test_a_credential_is_named_and_never_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret-value")
    tls = "  tls:\n    certFile: client.pem\n    keyFile: client.key\n"
    configure(tmp_path, more=tls)
    for name in ("client.pem", "client.key"):
        (tmp_path / name).write_text("MIIkey")
    out = export(tmp_path, "ecs")
    text = "".join(written(out).values())

    assert "s3cret-value" not in text
    assert "MIIkey" not in text
    assert str(tmp_path) not in text
    secrets = {each["name"]: each["valueFrom"] for each in container(out)["secrets"]}
    names = ["ATLAS_CLIENT_KEY", "ATLAS_CLIENT_PEM", "GITHUB_TOKEN"]
    assert secrets == {name: f"{PARAMETERS['CREDENTIALS']}:{name}::" for name in names}
    (of_stack,) = properties(out, "TaskDefinition")["ContainerDefinitions"]
    assert [each["ValueFrom"]["Fn::Sub"] for each in of_stack["Secrets"]] == [
        f"${{Credentials}}:{each['name']}::" for each in container(out)["secrets"]
    ]


def test_the_container_can_do_what_it_must_and_no_more(tmp_path: Path) -> None:
    configure(tmp_path)
    found = container(export(tmp_path, "ecs"))

    assert found["user"] == "65532:65532"
    assert found["readonlyRootFilesystem"] is True
    assert found["linuxParameters"] == {"capabilities": {"drop": ["ALL"]}}
    assert found["ulimits"] == [{"name": "nofile", "softLimit": 65_536, "hardLimit": 65_536}]


def test_the_template_says_what_the_calls_say(tmp_path: Path) -> None:
    configure(tmp_path)
    out = export(tmp_path, "ecs")
    target, service = properties(out, "TargetGroup"), properties(out, "Service")

    called = call(out, "target-group.json")
    assert called["HealthCheckPath"] == "/healthcheck"
    assert {key: value for key, value in target.items() if key not in {"VpcId", "TargetGroupAttributes"}} == {
        key: value for key, value in called.items() if key not in {"VpcId", "Name"}
    }
    breaker = call(out, "service.json")["deploymentConfiguration"]["deploymentCircuitBreaker"]
    assert breaker == {"enable": True, "rollback": True}
    assert service["DeploymentConfiguration"]["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_tasks_make_connections_to_the_ports_of_apis_alone(tmp_path: Path) -> None:
    configure(tmp_path, "https://api.example.com:8443")
    egress = properties(export(tmp_path, "ecs"), "TaskSecurityGroup")["SecurityGroupEgress"]
    assert [(each["FromPort"], each["ToPort"]) for each in egress] == [(443, 443), (8443, 8443)]


@pytest.mark.parametrize(
    ("proxy", "options"), [("http://192.0.2.9:3128", []), ("http://proxy.example.com:3128", ["--with-mom"])]
)
def test_tasks_make_connections_to_the_port_of_a_proxy(tmp_path: Path, proxy: str, options: list[str]) -> None:
    configure(tmp_path, "https://api.example.com:8443", f"  proxy: {proxy}\n")
    egress = properties(export(tmp_path, "ecs", *options), "TaskSecurityGroup")["SecurityGroupEgress"]
    assert [each["FromPort"] for each in egress] == [443, 3128]


def test_without_a_variable_there_is_no_secret_to_name(tmp_path: Path) -> None:
    configure(tmp_path)
    text = (tmp_path / "atlas.yml").read_text()
    (tmp_path / "atlas.yml").write_text(text.partition("  headers:")[0])
    out = export(tmp_path, "ecs")

    assert "secrets" not in container(out)
    assert "redentials" not in (out / "cloudformation.yaml").read_text()


def test_the_dockerfile_has_three_lines(tmp_path: Path) -> None:
    configure(tmp_path)
    _, first, second, third = (export(tmp_path, "ecs") / "Dockerfile").read_text().splitlines()
    assert first == f"FROM {envoy()}"
    assert second == "COPY --chown=65532:65532 atlas /etc/atlas"
    assert third.startswith('ENTRYPOINT ["/usr/local/bin/envoy", "-c", "/etc/atlas/envoy.json"')


def test_with_mom_the_configuration_is_in_the_image(tmp_path: Path) -> None:
    configure(tmp_path)
    (tmp_path / "atlas.yml").write_text(with_aws((tmp_path / "atlas.yml").read_text()))
    words = ["atlas", "export", "ecs", "-f", str(tmp_path / "atlas.yml"), "-o", str(tmp_path / "out")]
    refused = run_mom(words)
    assert refused.status == 1
    assert "[needs-mom]" in refused.stderr
    assert "export it with --with-mom" in refused.stderr

    out = export(tmp_path, "ecs", "--with-mom")
    assert (out / "atlas" / "atlas.yml").read_text() == (tmp_path / "atlas.yml").read_text()
    assert "COPY --chown=65532:65532 atlas /etc/atlas" in (out / "Dockerfile").read_text()
    assert "--credentials-dir" not in (out / "Dockerfile").read_text()
    assert [each["name"] for each in container(out)["secrets"]] == ["AWS_ID", "AWS_KEY", "GITHUB_TOKEN"]


def test_mom_with_a_private_key_is_refused_since_a_task_has_no_file_for_it(tmp_path: Path) -> None:
    configure(tmp_path, more="  tls:\n    certFile: client.pem\n    keyFile: client.key\n")
    done = run_mom(
        ["atlas", "export", "ecs", "--with-mom", "-f", str(tmp_path / "atlas.yml"), "-o", str(tmp_path / "out")]
    )
    assert done.status == 1
    assert "ECS gives a task variables, and mom reads client.key from a file [export-path]" in done.stderr


def test_the_envoy_of_the_image_serves_with_the_credentials_of_its_environment(
    tmp_path: Path, api: Upstream, authority: Authority
) -> None:
    key = configure(tmp_path, f"http://127.0.0.1:{api.port}")
    out = export(tmp_path, "ecs") / "atlas"
    port = free_port()
    configuration = (out / "envoy.json").read_text().replace("8082", str(port))
    for place, here in (("/etc/atlas", str(out)), ("/etc/ssl/certs/ca-certificates.crt", str(authority.file))):
        configuration = configuration.replace(place, here)
    (out / "envoy.json").write_text(configuration)

    with serving(out, port, {"GITHUB_TOKEN": "from-secrets-manager"}) as client:
        assert client.send("/healthcheck").status == 200
        assert client.send("/v1/apis/http/github/x", token=key.token()).status == 200
        assert api.requests[-1].get("authorization") == ["Bearer from-secrets-manager"]
        assert client.send("/v1/apis/http/github/x").status == 401
