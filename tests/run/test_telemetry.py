"""A run seen from outside: metrics at the configuration's `adminPort`, and OTLP to a collector of the environment."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mom.envoy.options import Otlp
from mom.errors import MomError
from mom.run.admin import Admin
from mom.run.otel import telemetry
from tests.envoy.certificates import Authority, for_clients
from tests.envoy.client import Client
from tests.envoy.running import free_port
from tests.envoy.upstream import Upstream
from tests.run.mom_run import MomRun, mom_run, wait_until
from tests.run.otlp_collector import Collector, over_grpc, over_http
from tests.run.test_secrets import texts

P = "/v1/apis/http"
KEY = "collector-s3cret-%REQ(:path)%"


def environ(port: int, **more: str) -> dict[str, str]:
    """Return what names a collector at `port`, with a credential."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Api-Key={KEY.replace('%', '%25')},x-tenant=a%20b",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,service.name=ignored",
        "OTEL_SERVICE_NAME": "gateway",
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        **more,
    }


def counted(port: int, adapter: str) -> int:
    """Return how many requests of an adapter Prometheus would read."""
    response = Client(port).send("/metrics")
    assert response.status == 200
    lines = [line for line in response.body.decode().splitlines() if f'requests{{adapter="{adapter}"' in line]
    return sum(int(line.rpartition(" ")[2]) for line in lines)


def is_refused(port: int) -> bool:
    """Whether nothing listens there."""
    try:
        Client(port).send("/metrics")
    except ConnectionRefusedError:
        return True
    except OSError:
        # A listener that is being closed.
        return False
    return False


def check_exported(run: MomRun, collector: Collector) -> None:
    """Send two requests, and insist that both signals arrive with the credential, which is nowhere else."""
    tokens = [run.token(sub="alice", jti="id-1"), run.token()]
    assert run.client.send(f"{P}/one/x?key=hunter2", token=tokens[0]).status == 200
    assert run.client.send(f"{P}/one/x?key=hunter2", token=f"{tokens[1][:-9]}AAAAAAAAA").status == 401
    wait_until(lambda: len(collector.records()) == 2, "two records")
    # Each worker sends its own.
    served, refused = sorted(collector.records(), key=lambda record: record["status"])
    assert {name: served[name] for name in ("subject", "jti", "provider", "adapter", "path", "status")} == {
        "subject": "alice",
        "jti": "id-1",
        "provider": "idp",
        "adapter": "one",
        "path": "/x",
        "status": "200",
    }
    assert (refused["status"], refused["error"]) == ("401", "API_InvalidAccessTokenError")
    wait_until(lambda: sum(collector.points("atlas.requests").values()) == 2, "two requests are counted")
    assert collector.points("atlas.requests") == {
        ("one", "", "200"): 1,
        ("one", "API_InvalidAccessTokenError", "401"): 1,
    }
    wait_until(lambda: collector.points("atlas.request_duration_milliseconds") == {("one",): 2}, "durations")
    for path in ("/v1/logs", "/v1/metrics"):
        (resource,) = collector.resources(path)
        assert {("service.name", "gateway"), ("deployment.environment.name", "test")} <= set(resource)
    for path, headers, message in collector.received:
        assert (headers["api-key"], headers["x-tenant"]) == (KEY, "a b"), path
        assert "x-forwarded-for" not in headers
        assert not any(secret in str(message) for secret in ("hunter2", KEY, *tokens))
    for where, text in texts(run).items():
        assert KEY.encode() not in text, where


def test_metrics_and_otlp_through_a_reload(tmp_path: Path, api: Upstream) -> None:
    base = f"http://127.0.0.1:{api.port}"
    first, second = free_port(), free_port()
    with over_http() as collector, mom_run(tmp_path, environ=environ(collector.port)) as run:
        run.configure({"one": (base, {})}, exposedPorts={"adminPort": first})
        run.start("--debug")
        assert f"  metrics: http://127.0.0.1:{first}/metrics\n" in run.text
        assert f"note: access log and metrics exported to http://127.0.0.1:{collector.port}" in run.text
        check_exported(run, collector)
        assert counted(first, "one") == 2
        run.configure({"one": (base, {}), "two": (base, {})}, exposedPorts={"adminPort": first})
        run.wait("Reloaded + two")
        assert run.client.send(f"{P}/two/x", token=run.token()).status == 200
        wait_until(lambda: counted(first, "two") == 1, "the new adapter is counted")
        assert counted(first, "one") == 2
        run.configure({"one": (base, {}), "two": (base, {})}, exposedPorts={"adminPort": second})
        run.wait("Reloaded metrics")
        wait_until(lambda: counted(second, "one") == 2, "the numbers are at the other port")
        wait_until(lambda: is_refused(first), "nothing listens at the port before")
        assert run.end() == 0
        assert "collector-s3cret" not in run.text


@pytest.mark.proof
def test_a_receiver_that_others_wrote_reads_both_signals(tmp_path: Path, api: Upstream) -> None:
    """OtelTap, in Rust: nothing of ours decodes what it prints."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "oteltap"), "--port", str(port)]
    with (
        (tmp_path / "received").open("w+") as received,
        subprocess.Popen(command, stdout=received) as receiver,
        mom_run(tmp_path, environ=environ(port)) as run,
    ):
        try:
            run.configure({"one": (f"http://127.0.0.1:{api.port}", {})})
            run.start()
            token = run.token(sub="alice")
            assert run.client.send(f"{P}/one/x?key=hunter2", token=token).status == 200

            def lines() -> list[Any]:
                texts = (tmp_path / "received").read_text().splitlines(keepends=True)
                return [json.loads(text) for text in texts if text.startswith("{") and text.endswith("\n")]

            wait_until(lambda: any("alice" in str(line) for line in lines()), "the line of the access log")
            wait_until(lambda: any(line.get("name") == "atlas.requests" for line in lines()), "the metric")
            (metric, *_) = [line for line in lines() if line.get("name") == "atlas.requests"]
            point = metric["sum"]["dataPoints"][0]
            assert {each["key"]: each["value"].get("stringValue") for each in point["attributes"]}["adapter"] == "one"
            assert metric["sum"]["isMonotonic"] is True
            assert not any(secret in str(lines()) for secret in ("hunter2", KEY, token))
        finally:
            receiver.terminate()


@pytest.mark.proof
def test_otlp_by_grpc(tmp_path: Path, api: Upstream) -> None:
    with (
        over_grpc() as collector,
        mom_run(tmp_path, environ=environ(collector.port, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")) as run,
    ):
        run.configure({"one": (f"http://127.0.0.1:{api.port}", {})})
        run.start("--debug")
        check_exported(run, collector)


@pytest.mark.proof
@pytest.mark.parametrize("trusted", [True, False])
def test_otlp_over_tls_to_a_collector_that_demands_a_certificate(
    tmp_path: Path, api: Upstream, authority: Authority, *, trusted: bool
) -> None:
    server = authority.issue("localhost").write(tmp_path)
    client = for_clients(authority, "atlas").write(tmp_path, "client")
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.chain, server.key)
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    files = {
        "OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority.file if trusted else other.file),
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(client.chain),
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(client.key),
    }
    with over_http(context) as collector:
        given = environ(collector.port, OTEL_EXPORTER_OTLP_ENDPOINT=f"https://localhost:{collector.port}", **files)
        with mom_run(tmp_path, environ=given) as run:
            run.configure({"one": (f"http://127.0.0.1:{api.port}", {})}, exposedPorts={"adminPort": free_port()})
            run.start("--debug")
            if trusted:
                check_exported(run, collector)
            else:
                assert run.client.send(f"{P}/one/x", token=run.token()).status == 200
                (directory,) = run.runtime.iterdir()
                admin = Admin(str(directory / "0" / "admin"))
                failed = r"^cluster\.otlp%20metrics\.ssl\.fail_verify_error"
                wait_until(lambda: sum(admin.numbers(failed).values()) > 0, "it is refused")
                assert collector.received == []
                run.wait(f"warning: metrics are lost: localhost:{collector.port} does not take them")
                run.wait(f"warning: access log records are lost: localhost:{collector.port} does not take them")


ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c.test:4318/base/"}


def targets(given: Mapping[str, str]) -> dict[str, str]:
    """Return where each signal goes."""
    otlp = telemetry(given).otlp or Otlp()
    return {
        name: f"{'grpc+' if each.grpc else ''}{each.scheme}://{each.host}:{each.port}{each.path}"
        for name, each in (("logs", otlp.logs), ("metrics", otlp.metrics))
        if each is not None
    }


LOGS, METRICS = {"logs": "https://c.test:4318/base/v1/logs"}, {"metrics": "https://c.test:4318/base/v1/metrics"}
CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "an empty endpoint": ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, {}),
    "one endpoint": (ENDPOINT, LOGS | METRICS),
    "turned off": ({**ENDPOINT, "OTEL_SDK_DISABLED": "True"}, {}),
    "no logs": ({**ENDPOINT, "OTEL_LOGS_EXPORTER": "none"}, METRICS),
    "metrics elsewhere": ({**ENDPOINT, "OTEL_METRICS_EXPORTER": "prometheus"}, LOGS),
    "several exporters": ({**ENDPOINT, "OTEL_METRICS_EXPORTER": "prometheus, otlp"}, LOGS | METRICS),
    "the exporter without an endpoint": ({"OTEL_LOGS_EXPORTER": "otlp"}, {"logs": "http://localhost:4318/v1/logs"}),
    "by grpc without an endpoint": (
        {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"metrics": "grpc+http://localhost:4317/v1/metrics"},
    ),
    "an endpoint of one signal, as it is": (
        {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://[::1]:9/in"},
        {"logs": "http://::1:9/in"},
    ),
    "grpc without a scheme": (
        {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "c.test:4317", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "grpc"},
        {"logs": "grpc+https://c.test:4317/"},
    ),
    "grpc without a scheme, insecure": (
        {
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "c.test:4317",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_INSECURE": "true",
        },
        {"logs": "grpc+http://c.test:4317/"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_standard_variables_say_what_is_exported_where(name: str) -> None:
    given, expected = CASES[name]
    assert targets(given) == expected


WRONG = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("collector", "ftp://c.test", "https://", "http://[::1", "https://u:pw@c.test"),
    "OTEL_EXPORTER_OTLP_PROTOCOL": ("http/json", "GRPC"),
    "OTEL_EXPORTER_OTLP_HEADERS": ("api-key", "=v", "a b=v", "host=evil", "a=", "a=x%0ay", "a=x%00"),
    "OTEL_EXPORTER_OTLP_TIMEOUT": ("10s", "-1", "1e3"),
    "OTEL_METRIC_EXPORT_INTERVAL": ("often",),
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": ("sometimes",),
    "OTEL_EXPORTER_OTLP_CERTIFICATE": ("/none.pem",),
    "OTEL_EXPORTER_OTLP_CLIENT_KEY": ("/dev/null",),
}


@pytest.mark.parametrize(("variable", "value"), [(name, value) for name, each in WRONG.items() for value in each])
def test_a_value_that_cannot_be_followed_is_an_error_that_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(MomError) as raised:
        telemetry({**ENDPOINT, variable: value})
    assert variable in raised.value.message
    if variable.endswith("HEADERS"):
        assert value.partition("=")[2] not in raised.value.message.partition(":")[2] or not value.partition("=")[2]


@pytest.mark.parametrize(
    "value", ["c2VjcmV0", "c2VjcmV0=", "c2VjcmV0==", "Bearer c2VjcmV0=", "a=b,c2VjcmV0==", "c2V:jcmV0=="]
)
def test_a_credential_whose_header_was_forgotten_is_not_repeated(value: str) -> None:
    """Up to its `=` it would be the name of a header, which is in Envoy's configuration."""
    with pytest.raises(MomError) as raised:
        telemetry({**ENDPOINT, "OTEL_EXPORTER_OTLP_HEADERS": value})
    assert "jcmV0" not in f"{raised.value} {raised.value.hint}"


def test_headers_of_one_signal_take_the_place_of_those_of_all() -> None:
    given = telemetry(
        {**ENDPOINT, "OTEL_EXPORTER_OTLP_HEADERS": "a=1,b=2", "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "A=x%3Dy%2C"}
    )
    assert given.otlp is not None
    assert given.otlp.logs is not None
    assert given.otlp.metrics is not None
    values = [
        [(name, given.variables[key]) for name, key in each.headers] for each in (given.otlp.logs, given.otlp.metrics)
    ]
    assert values == [[("a", "x=y,")], [("a", "1"), ("b", "2")]]


def test_a_credential_that_others_can_read_on_the_way_is_a_warning() -> None:
    plain = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c.test:4318"}
    assert telemetry(plain).warnings == ("exporting to c.test over plain http: others can read who calls what",)
    assert "headers and" in telemetry({**plain, "OTEL_EXPORTER_OTLP_HEADERS": "a=b"}).warnings[0]
    assert telemetry(ENDPOINT).warnings == telemetry({"OTEL_LOGS_EXPORTER": "otlp"}).warnings == ()


def test_what_has_no_effect_is_a_note() -> None:
    first, second = telemetry({**ENDPOINT, "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}).notes
    assert first == "access log and metrics exported to https://c.test:4318 (OTEL_EXPORTER_OTLP_…)"
    assert second == "OTEL_EXPORTER_OTLP_COMPRESSION has no effect: what is exported is not compressed"
