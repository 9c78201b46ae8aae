"""Clusters that many origins share: the host, SNI and the certificate's name are the configuration's, and only its."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509

from mom.atlas.adapters.http import HttpAdapter
from mom.envoy.bootstrap import discovery
from mom.envoy.listener import ROUTES_FILE
from mom.envoy.messages import Json
from mom.envoy.options import Listen, Options
from mom.envoy.translate import Resources, resources
from tests.envoy.certificates import Authority, Issued
from tests.envoy.client import Response
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.conftest import server_context
from tests.envoy.faulty import FaultyServer, speaks_plain_http
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream

P = "/v1/apis/http"
CERTIFICATE = (502, "API_UpstreamCertificateError")
OPTIONS = Options(listen=Listen("127.0.0.1", 8082), ca_file="/ca.pem", jwks={"keys.json": '{"keys": []}'})


@dataclass
class Server:
    """A TLS server that has a certificate for each name, and knows which names it was asked for."""

    context: ssl.SSLContext
    upstream: Upstream
    names: list[str | None] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.upstream.port

    @property
    def hosts(self) -> list[str]:
        """The `Host` of each request that it got."""
        return [host for request in self.upstream.requests for host in request.get("host")]


def server(folder: Path, default: Issued, others: dict[str, Issued] | None = None) -> Server:
    """Return a server. `others`: what it shows for these names."""
    context = server_context(default, folder)
    contexts = {name: server_context(issued, folder / name) for name, issued in (others or {}).items()}
    made = Server(context, Upstream(context))

    def chosen(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        made.names.append(name)
        if name in contexts:
            connection.context = contexts[name]

    context.sni_callback = chosen
    return made


@dataclass
class Gateway:
    """A running Envoy, a server of two names, and one of a name that no adapter has."""

    envoy: Running
    key: Key
    good: Server
    other: Server

    def get(self, adapter: str, *headers: str, host: str | None = None, path: str = "/x") -> Response:
        """Send a request."""
        target = f"{P}/{adapter}{path}"
        return self.envoy.client.send(target, *headers, token=self.key.token(), host=host)


def atlas_options(authority: Authority, key: Key) -> Options:
    """Return the options of an Atlas that trusts `authority` and `key`."""
    keys = {"keys.json": json.dumps(jwks(key))}
    return Options(listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file), jwks=keys)


@pytest.fixture(scope="module")
def gateway(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return the gateway. Every name below `localhost` is an address of this machine (RFC 6761, 6.3)."""
    folder = tmp_path_factory.mktemp("shared")
    names = {name: authority.issue(name) for name in ("a.localhost", "b.localhost", "other.localhost")}
    names |= {
        "uri.localhost": authority.issue(x509.UniformResourceIdentifier("uri.localhost")),
        "mail.localhost": authority.issue(x509.RFC822Name("mail.localhost")),
    }
    good, other = server(folder / "good", names["a.localhost"], names), server(folder / "other", names["a.localhost"])
    plain = FaultyServer(speaks_plain_http)
    adapters = (
        http("a", f"https://a.localhost:{good.port}"),
        http("b", f"https://b.localhost:{good.port}"),
        http("uri", f"https://uri.localhost:{good.port}"),
        http("mail", f"https://mail.localhost:{good.port}"),
        # Whose certificate is that of `a`.
        http("impostor", f"https://b.localhost:{other.port}"),
        http("plain", f"http://a.localhost:{plain.port}"),
        http("plain-by-tls", f"https://a.localhost:{plain.port}"),
        http("tenant", f"https://a.localhost:{good.port}", {"Host": "other.localhost"}),
    )
    key = es256()
    given = configuration(*adapters, providers=(provider("keys.json"),))
    with plain, running(given, atlas_options(authority, key), folder / "run") as envoy:
        yield Gateway(envoy, key, good, other)
    good.upstream.close()
    other.upstream.close()


@pytest.mark.parametrize("adapter", ["a", "b"])
def test_sni_and_host_are_those_of_the_base_url(gateway: Gateway, adapter: str) -> None:
    before = len(gateway.good.names)
    assert gateway.get(adapter).status == 200
    assert gateway.good.hosts[-1] == f"{adapter}.localhost:{gateway.good.port}"
    assert set(gateway.good.names[before:]) <= {f"{adapter}.localhost"}
    assert f"{adapter}.localhost" in gateway.good.names


def test_what_a_client_sends_never_chooses_the_host(gateway: Gateway) -> None:
    """Neither the host that is connected to, nor what it is asked for, nor a name that is looked up."""
    wanted = f"other.localhost:{gateway.other.port}"
    names = ["X-Forwarded-Host", "X-Host", "X-Original-Host", "Forwarded", "X-Envoy-Original-Dst-Host"]
    names += ["X-Envoy-Original-Host", "X-Rewrite-Url", "X-Original-Url"]
    before, got, looked_up = len(gateway.good.hosts), len(gateway.other.hosts), len(gateway.other.names)
    for host in (wanted, f"b.localhost:{gateway.good.port}", None):
        assert gateway.get("a", *(f"{name}: {wanted}" for name in names), host=host).status == 200
    # The absolute form of a target wins over `Host` (RFC 9112, 3.2.2).
    absolute = f"http://{wanted}{P}/a/x"
    assert gateway.envoy.client.send(absolute, token=gateway.key.token(), host=wanted).status == 200
    assert set(gateway.good.hosts[before:]) == {f"a.localhost:{gateway.good.port}"}
    assert len(gateway.good.hosts) == before + 4
    assert (len(gateway.other.hosts), len(gateway.other.names)) == (got, looked_up)


def test_a_host_of_its_own_changes_neither_the_server_nor_the_name_in_its_certificate(gateway: Gateway) -> None:
    before = len(gateway.good.names)
    assert gateway.get("tenant").status == 200
    assert gateway.good.hosts[-1] == "other.localhost"
    assert set(gateway.good.names[before:]) == {"a.localhost"}


def test_the_certificate_of_another_adapters_host_is_refused(gateway: Gateway) -> None:
    """The first request opens a session at that server, which the second must not resume."""
    assert gateway.get("a").status == 200
    for _ in range(2):
        refused = gateway.get("impostor")
        assert (refused.status, refused.error) == CERTIFICATE
    assert gateway.other.hosts == []


@pytest.mark.parametrize("adapter", ["uri", "mail"])
def test_only_a_dns_name_of_a_certificate_counts(gateway: Gateway, adapter: str) -> None:
    refused = gateway.get(adapter)
    assert (refused.status, refused.error) == CERTIFICATE


def test_https_is_never_plain_http_at_the_same_host_and_port(gateway: Gateway) -> None:
    assert gateway.get("plain").error is None
    refused = gateway.get("plain-by-tls")
    assert (refused.status, refused.error) == (502, "API_UpstreamTlsError")


def test_no_api_is_sent_the_session_of_another(authority: Authority, tmp_path: Path) -> None:
    """One server for both names, which would resume any session that it has begun."""
    made = server(tmp_path / "server", authority.issue("a.localhost", "b.localhost"))
    key = es256()
    adapters = [http(name, f"https://{name}.localhost:{made.port}") for name in ("a", "b")]
    given = configuration(*adapters, providers=(provider("keys.json"),))
    with made.upstream, running(given, atlas_options(authority, key), tmp_path / "run") as envoy:
        for name in ("a", "a", "b", "a"):
            # The API closes each connection, so that the next request opens one.
            answer = envoy.client.send(f"{P}/{name}/say?200&Connection=close", token=key.token())
            assert answer.status == 200
    assert len(made.names) == 4
    assert made.context.session_stats()["hits"] == 0


# -- what it costs


def hosts(count: int) -> list[HttpAdapter]:
    """Return adapters for that many hosts."""
    return [http(f"api{number}", f"https://api-{number}.test") for number in range(count)]


def translated(*adapters: HttpAdapter, options: Options = OPTIONS) -> Resources:
    """Return the resources for adapters."""
    given = configuration(*adapters, providers=(provider("keys.json"),))
    return resources(given, options, directory="/run/atlas")


def test_the_clusters_of_any_number_of_hosts_are_the_same() -> None:
    few, many = translated(*hosts(1)), translated(*hosts(5_000))
    assert [cluster["name"] for cluster in many.clusters] == ["https", "https#websocket"]
    assert few.clusters == many.clusters


@pytest.mark.parametrize("files", [256, 4_096, 1_048_576])
def test_one_adapter_more_changes_the_routes_alone(files: int) -> None:
    """A cluster that is another one closes its connections, and a listener those of clients."""
    options = Options(listen=OPTIONS.listen, ca_file="/ca.pem", jwks=OPTIONS.jwks, open_files=files)
    before = discovery(translated(*hosts(9), http("address", "http://192.0.2.1"), options=options))
    more = [http("address", "http://192.0.2.1"), http("header", "https://new.test", {"X-New": "1"})]
    after = discovery(translated(*hosts(9), *more, options=options))
    assert [name for name in after if after[name] != before[name]] == [ROUTES_FILE]


def test_each_route_over_tls_leads_to_a_cluster_that_verifies_the_name() -> None:
    made = translated(*hosts(3), http("plain", "http://plain.test"), http("address", "https://192.0.2.1"))
    clusters = {cluster["name"]: cluster for cluster in made.clusters}
    assert made.routes is not None
    targets = {
        plugin["extension"]["name"]: re.findall(r'"cluster": "([^"]*)"', json.dumps(plugin))
        for plugin in made.routes["cluster_specifier_plugins"]
    }
    routes: list[Json] = [route for route in made.routes["virtual_hosts"][0]["routes"] if "route" in route]
    assert len(routes) == 5
    for route in routes:
        leads_to = targets[route["route"]["cluster_specifier_plugin"]]
        assert len(leads_to) == 2
        for cluster in (clusters[name] for name in leads_to):
            if route["name"] == "plain":
                assert "transport_socket" not in cluster
                continue
            context = cluster["transport_socket"]["typed_config"]
            validation = context["common_tls_context"]["validation_context"]
            assert validation["trusted_ca"] == {"filename": "/ca.pem"}
            (protocol,) = cluster["typed_extension_protocol_options"].values()
            by_sni = context.get("auto_sni_san_validation") and protocol["upstream_http_protocol_options"]["auto_sni"]
            assert by_sni or validation["match_typed_subject_alt_names"]
