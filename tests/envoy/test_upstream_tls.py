"""TLS to an API by files of the adapter: its authorities, and the certificate that Atlas shows."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.adapters.http_tls import Tls
from mom.envoy.options import Listen, Options, PemFile
from mom.envoy.translate import problems
from tests.envoy.certificates import Authority, Files, for_clients
from tests.envoy.client import Response
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.conftest import server_context
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream


def with_tls(adapter: HttpAdapter, *, ca_file: str = "", cert_file: str = "", key_file: str = "") -> HttpAdapter:
    """Return the adapter with TLS settings."""
    return adapter._replace(tls=Tls(ca_file, cert_file, key_file))


@dataclass
class Gateway:
    """A running Envoy, and two APIs of another authority: one demands a certificate of clients."""

    envoy: Running
    open_api: Upstream
    closed_api: Upstream
    key: Key

    def get(self, adapter: str) -> Response:
        """Send a request."""
        return self.envoy.client.send(f"/v1/apis/http/{adapter}/x", token=self.key.token())


@pytest.fixture(scope="module")
def gateway(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return the gateway."""
    folder = tmp_path_factory.mktemp("upstream-tls")
    corporate = Authority(folder, "corporate")
    context = server_context(corporate.issue("localhost"), folder / "server")
    demanding = server_context(corporate.issue("localhost"), folder / "demanding")
    demanding.verify_mode = ssl.CERT_REQUIRED
    demanding.load_verify_locations(corporate.file)
    mine: Files = for_clients(corporate, "atlas").write(folder, "client")
    theirs: Files = for_clients(authority, "atlas").write(folder, "stranger")
    pem_files = {
        "ca.pem": PemFile(str(corporate.file), corporate.file.read_text()),
        "client.pem": PemFile(str(mine.chain), mine.chain.read_text()),
        "client.key": PemFile(str(mine.key), ""),
        "stranger.pem": PemFile(str(theirs.chain), theirs.chain.read_text()),
        "stranger.key": PemFile(str(theirs.key), ""),
    }
    with Upstream(context) as open_api, Upstream(demanding) as closed_api:
        first, second = f"https://localhost:{open_api.port}", f"https://localhost:{closed_api.port}"
        adapters = (
            http("plain", first),
            with_tls(http("corporate", first), ca_file="ca.pem"),
            with_tls(http("by-address", first.replace("localhost", "127.0.0.1")), ca_file="ca.pem"),
            with_tls(http("without", second), ca_file="ca.pem"),
            with_tls(http("client", second), ca_file="ca.pem", cert_file="client.pem", key_file="client.key"),
            with_tls(http("stranger", second), ca_file="ca.pem", cert_file="stranger.pem", key_file="stranger.key"),
        )
        key = es256()
        options = Options(
            listen=Listen("127.0.0.1", free_port()),
            ca_file=str(authority.file),
            jwks={"keys.json": json.dumps(jwks(key))},
            pem_files=pem_files,
        )
        given = configuration(*adapters, providers=(provider("keys.json"),))
        with running(given, options, folder / "run") as envoy:
            yield Gateway(envoy, open_api, closed_api, key)


def test_an_authority_of_its_own_is_instead_of_the_systems(gateway: Gateway) -> None:
    assert gateway.get("corporate").status == 200
    refused = gateway.get("plain")
    assert (refused.status, refused.headers["atlas-error"]) == (502, "API_UpstreamCertificateError")


def test_the_name_in_the_certificate_still_counts(gateway: Gateway) -> None:
    refused = gateway.get("by-address")
    assert (refused.status, refused.headers["atlas-error"]) == (502, "API_UpstreamCertificateError")


def test_a_certificate_is_shown_to_the_api(gateway: Gateway) -> None:
    before = len(gateway.closed_api.requests)
    assert gateway.get("client").status == 200
    assert len(gateway.closed_api.requests) == before + 1


@pytest.mark.parametrize("adapter", ["without", "stranger"])
def test_an_api_that_demands_one_takes_no_other(gateway: Gateway, adapter: str) -> None:
    before = len(gateway.closed_api.requests)
    assert gateway.get(adapter).status == 502
    assert len(gateway.closed_api.requests) == before


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("http://127.0.0.1:1", {"ca_file": "ca.pem"}),
        ("https://a.test", {"cert_file": "client.pem"}),
        ("https://a.test", {"key_file": "client.key"}),
    ],
)
def test_what_would_connect_in_another_way_is_a_problem(url: str, names: dict[str, str]) -> None:
    options = Options(listen=Listen("127.0.0.1", 8082), ca_file="ca.pem", jwks={"keys.json": '{"keys": []}'})
    adapter = with_tls(http("a", url), **names)
    found = problems(configuration(adapter, providers=(provider("keys.json"),)), options)
    assert [problem.rule for problem in found] == ["tls-files"]
