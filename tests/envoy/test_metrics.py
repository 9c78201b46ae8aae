"""Metrics: what Prometheus reads, by its own parser, and that nothing else of the admin interface can be read there."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from mom.envoy import metrics
from mom.envoy.access_log import access_log
from mom.envoy.options import Certificate, Listen, Options, loopback_hosts
from tests.envoy.certificates import Authority
from tests.envoy.client import Client
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.running import free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import wait_until

DOCS = Path(__file__).parents[2] / "docs"
P = "/v1/apis/http"


@dataclass(frozen=True)
class Measured:
    """A gateway over TLS whose metrics are served."""

    client: Client
    metrics: Client
    key: Key
    log: Path

    def families(self) -> dict[str, Metric]:
        """Return all metrics by their names, as Prometheus has parsed them."""
        response = self.metrics.send("/metrics")
        assert response.status == 200
        assert response.headers["content-type"].startswith("text/plain")
        return {family.name: family for family in text_string_to_metric_families(response.body.decode())}

    def requests(self) -> dict[tuple[str, ...], float]:
        """Return the number of requests by the values of all labels."""
        samples = self.families().get("envoy_atlas_requests")
        return {tuple(sample.labels.values()): sample.value for sample in samples.samples} if samples else {}


@pytest.fixture(scope="module")
def measured(api: Upstream, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    folder = tmp_path_factory.mktemp("measured")
    files = authority.issue("localhost").write(folder)
    key = es256("key-1")
    listen, at = Listen("127.0.0.1", free_port()), Listen("127.0.0.1", free_port())
    options = Options(
        listen=listen,
        ca_file=str(authority.file),
        jwks={"keys": json.dumps(jwks(key))},
        hosts=loopback_hosts(listen),
        tls=Certificate(str(files.chain), str(files.key)),
        access_log=str(folder / "access.jsonl"),
        metrics=at,
        admin_socket=str(folder / "admin.sock"),
    )
    base = f"http://127.0.0.1:{api.port}"
    given = configuration(http("api", base), http("open.ai-x", base), providers=(provider("keys"),))
    context = ssl.create_default_context(cafile=str(authority.file))
    with running(given, options, folder):
        yield Measured(Client(listen.port, context=context), Client(at.port), key, folder / "access.jsonl")


def test_requests_are_counted_by_adapter_status_and_error(measured: Measured) -> None:
    token = measured.key.token(sub="who@test", jti="which")
    before = measured.requests()
    measured.client.send(f"{P}/api/x?key=hunter2", token=token, method="POST", body=b"12345")
    measured.client.send(f"{P}/open.ai-x/status/503", token=token)
    measured.client.send(f"{P}/open.ai-x/hostile", token=token)
    measured.client.send(f"{P}/api/x")
    measured.client.send("/nowhere", token=token)
    measured.client.send("/healthz")

    expected = {
        ("api", "200", ""): 1,
        ("open.ai-x", "503", ""): 1,
        ("open.ai-x", "200", ""): 1,
        ("api", "401", "API_MissingAccessTokenError"): 1,
        ("", "404", "API_NoMatchingInstanceError"): 1,
    }

    def counted() -> dict[tuple[str, ...], float]:
        after = measured.requests()
        return {labels: after[labels] - before.get(labels, 0) for labels in after}

    wait_until(lambda: sum(counted().values()) == 5, "five requests are counted")
    assert {labels: count for labels, count in counted().items() if count} == expected
    families = measured.families()
    duration = families["envoy_atlas_request_duration_milliseconds"]
    assert duration.type == "histogram"
    assert {sample.labels["adapter"] for sample in duration.samples} == {"api", "open.ai-x", ""}
    received = {sample.labels["adapter"]: sample.value for sample in families["envoy_atlas_received_bytes"].samples}
    assert received["api"] == 5
    text = measured.metrics.send("/metrics").body
    assert not re.search(rb"hunter2|who@test|which|eyJ|nowhere", text)


def documented() -> dict[str, tuple[str, set[str]]]:
    """Return the type and the labels of each metric that docs/metrics.md has."""
    rows = re.findall(r"^\| `(envoy_\w+)` \| (\w+) \|([^|]*)\|", (DOCS / "metrics.md").read_text(), re.MULTILINE)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def test_what_is_served_is_what_is_documented(measured: Measured) -> None:
    served_one = ("api", "200", "")
    before = measured.requests().get(served_one, 0)
    measured.client.send(f"{P}/api/x", token=measured.key.token())
    wait_until(lambda: measured.requests().get(served_one, 0) == before + 1, "it is counted")
    served = measured.families()
    # The parser takes this suffix of a counter from its name.
    named = {name.removesuffix("_total"): each for name, each in documented().items()}

    assert {name: family.type for name, family in served.items()} == {name: kind for name, (kind, _) in named.items()}
    for name, (_, labels) in named.items():
        own = {"le", "envoy_http_conn_manager_prefix", "envoy_listener_address"}
        assert {label for sample in served[name].samples for label in sample.labels} - own == labels, name


@pytest.mark.parametrize(
    ("target", "method"),
    [
        *((target, "GET") for target in ("/", "/stats", "/config_dump", "/certs", "/metrics/", "/metrics/../stats")),
        *((f"/metrics{rest}", "GET") for rest in ("?format=json", "?usedonly", "%2f..%2fconfig_dump", "/..;/stats")),
        *((target, "POST") for target in ("/metrics", "/quitquitquit", "/drain_listeners", "/logging?level=trace")),
        *(("/metrics", method) for method in ("PUT", "DELETE", "OPTIONS")),
        ("http://127.0.0.1/stats", "GET"),
    ],
)
def test_nothing_else_of_the_admin_interface_can_be_reached(measured: Measured, target: str, method: str) -> None:
    response = measured.metrics.send(target, method=method)
    assert (response.status, response.body) == (404, b"")


def test_a_page_that_has_its_name_resolve_to_this_machine_reads_nothing(measured: Measured) -> None:
    assert measured.metrics.send("/metrics", host="evil.test").status == 404
    assert measured.metrics.send("/metrics", host=f"localhost:{measured.metrics.port}").status == 200


def test_a_connection_that_is_no_request_is_counted(measured: Measured) -> None:
    def count(name: str) -> float:
        return sum(sample.value for sample in measured.families()[name].samples)

    tls, protocol = count("envoy_listener_ssl_connection_error"), count("envoy_http_downstream_cx_protocol_error")
    Client(measured.client.port).raw(b"GET / HTTP/1.1\r\n\r\n")
    measured.client.raw(b"hunter2 / HTTP/1.1\r\n\r\n")
    wait_until(lambda: count("envoy_listener_ssl_connection_error") == tls + 1, "a failed handshake is counted")
    wait_until(lambda: b"HTTP_REQUEST" in measured.log.read_bytes().rpartition(b"\n")[0], "it is logged")
    (line,) = [line for line in measured.log.read_text().split("\n") if "HTTP_REQUEST" in line]
    known = {key: value for key, value in json.loads(line).items() if value is not None}
    assert set(known) == {"@timestamp", "client", "status", "flags", "details", "duration_ms", "received", "sent"}
    assert (known["client"], known["status"], known["received"]) == ("127.0.0.1", 0, 0)
    others = [json.loads(each) for each in measured.log.read_text().split("\n")[:-1] if each != line]
    assert [each for each in others if each["method"] is None and each["status"] == 0] == []
    wait_until(lambda: count("envoy_http_downstream_cx_protocol_error") == protocol + 1, "invalid HTTP is counted")


def test_above_a_thousand_adapters_there_are_totals_only() -> None:
    options = Options(listen=Listen("127.0.0.1", 1), ca_file="", metrics=Listen("127.0.0.1", 2))
    (few,), (many,) = (access_log(options, count) for count in (metrics.MOST_ADAPTERS, metrics.MOST_ADAPTERS + 1))
    assert '"adapter"' in json.dumps(few)
    assert "adapter" not in json.dumps(many["typed_config"])
    assert '"status"' in json.dumps(many)


def test_without_metrics_nothing_is_counted_and_nothing_listens() -> None:
    options = Options(listen=Listen("127.0.0.1", 1), ca_file="")
    assert (access_log(options, 1), metrics.listener(options), metrics.cluster(options)) == ([], None, None)


def test_every_query_of_the_dashboard_is_about_metrics_and_labels_that_are_documented() -> None:
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [each["query"]["query"] for each in dashboard["templating"]["list"] if each["type"] == "query"]
    assert len(queries) > 15
    known = documented()
    suffixes = {"histogram": ("_bucket", "_sum", "_count")}
    names = {name + end for name, (kind, _) in known.items() for end in suffixes.get(kind, ("",))}
    labels = {label for _, each in known.values() for label in each} | {"instance", "le"}
    for query in queries:
        used = re.findall(r"envoy_\w+", query)
        assert used, query
        assert set(used) <= names, query
        grouped = [label.strip() for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(",")]
        assert {*grouped, *re.findall(r"(\w+)(?:=~|!=|=)\"", query)} <= labels, query
    everywhere = " ".join(queries)
    assert [name for name, (kind, _) in known.items() if name not in everywhere and kind == "counter"] == [
        "envoy_http_downstream_rq_total",
        "envoy_http_downstream_cx_total",
    ]


@pytest.fixture
def promtool() -> str:
    """Return Prometheus's own checker, of Debian's package `prometheus`."""
    found = shutil.which("promtool") or shutil.which("promtool", path=str(Path(sys.prefix) / "proof"))
    if found is None:
        pytest.skip("promtool is not installed")
    return found


@pytest.mark.proof
def test_promtool_has_no_objection(measured: Measured, promtool: str) -> None:
    """Envoy's names lack the suffixes and the help texts that its linter recommends."""
    text = measured.metrics.send("/metrics").body
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    objections = checked.stderr.decode().splitlines()
    known = "no help text|counter metrics should have|use base unit|should not contain"
    assert checked.returncode in {0, 3}, objections
    assert [line for line in objections if not re.search(known, line)] == []


@pytest.mark.proof
def test_promtool_parses_every_query_of_the_dashboard(promtool: str, tmp_path: Path) -> None:
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    values = {"$__rate_interval": "1m", "$instance": ".*", "$adapter": ".*"}
    plain = [re.sub(r"\$\w+", lambda match: values[match[0]], query) for query in queries]
    rules = [{"record": f"a:{number}", "expr": query} for number, query in enumerate(plain)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "a", "rules": rules}]}))
    command = [promtool, "check", "rules", str(tmp_path / "rules.yml")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, f"{len(rules)} rules found" in checked.stdout) == (0, True), checked.stderr
