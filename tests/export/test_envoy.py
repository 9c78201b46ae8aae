"""An exported folder, served by a real Envoy without mom: what reaches an API, and what does not."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from mom.envoy.options import Listen
from mom.export import envoy, refusals
from mom.export.model import Layout, Source
from mom.export.source import read
from mom.gateway import CLUSTER_ID_HEADER
from mom.run.kubernetes import SERVICE_ACCOUNT
from mom.yamledit.source import decode
from tests import samples
from tests.envoy.binary import ENVOY
from tests.envoy.certificates import Authority, for_clients
from tests.envoy.client import SECONDS, Client, Response
from tests.envoy.configurations import AUDIENCE, ISSUER
from tests.envoy.conftest import server_context
from tests.envoy.running import free_port
from tests.envoy.token_endpoint import TokenEndpoint
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Request, Upstream
from tests.export.running import Mounted, serving
from tests.golden import MOM
from tests.run.api_server import ApiServer
from tests.run.test_proxies import Proxy

PROVIDER = (
    f"  identityProviders:\n  - idp:\n      issuer: {ISSUER}\n      audience: {AUDIENCE}\n      publicKey: keys.json\n"
)
UNAVAILABLE = (503, "API_CredentialUnavailableError")
VALUES = {"TOKEN": "t0ken", "OTHER": "oth:er%", "CHANGING": "first", "SECRET": "s3cret+/"}
BROKEN = {"NEWLINE": "t0ken\n", "EMPTY": ""}


def eventually(is_so: Callable[[], bool], words: str) -> None:
    """Wait until something is so; Envoy looks at files twice a second, so there is no hurry."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, words
        time.sleep(0.1)


def bearer(name: str, base: str, value: str) -> str:
    """Return an adapter with one header."""
    return samples.http(name, base, {"Authorization": f"Bearer ${{{{ {value} }}}}"})


def extended(name: str, base: str, spec: str) -> str:
    """Return an adapter with more lines of its spec."""
    return samples.http(name, base) + "".join(f"  {line}\n" for line in spec.splitlines())


@dataclass
class Deployed:
    """An Envoy that serves an exported folder, the credentials there, and what is behind it."""

    client: Client
    key: Key
    api: Upstream
    demanding: Upstream
    proxy: Proxy
    credentials: Mounted
    metrics: Client
    mine: dict[str, str]

    def get(self, adapter: str, path: str = "/x", *headers: str) -> Response:
        """Send a request."""
        return self.client.send(f"/v1/apis/http/{adapter}{path}", *headers, token=self.key.token())

    def status(self, adapter: str, path: str = "/x") -> tuple[int, str | None]:
        """Send a request; return the status, and the type of an error of Atlas."""
        response = self.get(adapter, path)
        return response.status, response.headers.get("atlas-error")

    def reached(self, adapter: str, path: str = "/x", *headers: str) -> Request:
        """Send a request and return what the API received."""
        before = len(self.api.requests)
        assert self.get(adapter, path, *headers).status == 200
        (request,) = self.api.requests[before:]
        return request


@pytest.fixture(scope="module")
def deployed(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Export with the installed command, on a machine that has no credential, and serve."""
    here, port, metrics, key = tmp_path_factory.mktemp("export"), free_port(), free_port(), es256()
    corporate = Authority(here, "corporate")
    context = server_context(corporate.issue("localhost"), here / "demanding")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(corporate.file)
    pairs = [for_clients(each, "atlas").write(here, f"c{at}") for at, each in enumerate((authority, corporate))]
    stranger, mine = ({"client.pem": pair.chain.read_text(), "client.key": pair.key.read_text()} for pair in pairs)
    credentials = Mounted(here / "credentials", {**VALUES, **BROKEN, **stranger})
    (here / "keys.json").write_text(json.dumps(jwks(key)))
    (here / "ca.pem").write_text(corporate.file.read_text())
    with Upstream() as api, Upstream(context) as demanding, TokenEndpoint() as endpoint, Proxy({}) as proxy:
        proxy.targets = {"api.nowhere.test": api.port}
        base, secure = f"http://127.0.0.1:{api.port}", f"https://localhost:{demanding.port}"
        adapters = {
            "one": bearer("one", base, "TOKEN"),
            "changing": bearer("changing", base, "CHANGING"),
            "newline": bearer("newline", base, "NEWLINE"),
            "empty": bearer("empty", base, "EMPTY"),
            "missing": bearer("missing", base, "MISSING"),
            "pair": samples.http("pair", base, {"X-Pair": '"${{ TOKEN }}|${{ OTHER }}"'}),
            "half": samples.http("half", base, {"X-Pair": '"${{ TOKEN }}|${{ EMPTY }}"'}),
            "basic": extended("basic", base, "basicAuth: {username: me, password: '${{ OTHER }}'}"),
            "no-basic": extended("no-basic", base, "basicAuth: {username: me, password: '${{ NEWLINE }}'}"),
            "query": extended("query", base, "query:\n- name: key\n  value: ${{ OTHER }}"),
            "no-query": extended("no-query", base, "query:\n- name: key\n  value: ${{ MISSING }}"),
            "oauth2": extended(
                "oauth2",
                base,
                f"oauth2: {{tokenUrl: '{endpoint.url}', clientId: me, clientSecret: '${{{{ SECRET }}}}'}}",
            ),
            "no-oauth2": extended(
                "no-oauth2",
                base,
                f"oauth2: {{tokenUrl: '{endpoint.url}', clientId: me, clientSecret: '${{{{ NEWLINE }}}}'}}",
            ),
            "demanding": extended(
                "demanding", secure, "tls: {caFile: ca.pem, certFile: client.pem, keyFile: certs/client.key}"
            ),
            "proxied": extended("proxied", "http://api.nowhere.test", f"proxy: http://127.0.0.1:{proxy.port}"),
            "direct": extended("direct", base, "proxy: none"),
            "limited": extended("limited", base, "limits: {requestsPerMinute: 1, per: subject}"),
            "reads": extended("reads", base, "allow:\n- methods: [GET]\n  claims: {groups: platform}"),
        }
        (here / "atlas.yml").write_text(samples.atlas(*adapters, after=PROVIDER) + "".join(adapters.values()))
        words = ["atlas", "export", "envoy", "-o", "out", "--config-dir", str(here / "out")]
        words += ["--credentials-dir", str(here / "credentials"), "--ca-file", str(authority.file)]
        words += ["--listen", f"127.0.0.1:{port}", "--metrics", f"127.0.0.1:{metrics}"]
        words += ["--admin-socket", str(here / "admin")]
        subprocess.run([MOM, *words], cwd=here, check=True, capture_output=True)
        with serving(here / "out", port) as client:
            yield Deployed(client, key, api, demanding, proxy, credentials, Client(metrics), mine)


def test_a_request_gets_the_credential_of_a_mounted_file(deployed: Deployed) -> None:
    request = deployed.reached("one", "/x", "Authorization: Bearer theirs")
    assert request.get("authorization") == ["Bearer t0ken"]
    assert not [name for name in request.names if name.startswith(("mom-", "atlas-", "x-envoy"))]


def test_several_values_basic_authentication_and_the_query_are_set(deployed: Deployed) -> None:
    assert deployed.reached("pair").get("x-pair") == ["t0ken|oth:er%"]
    assert deployed.reached("basic").get("authorization") == [f"Basic {base64.b64encode(b'me:oth:er%').decode()}"]
    assert deployed.reached("query", "/x?a=%2B&key=theirs&k%65y=x&b").target == "/x?a=%2B&b&key=oth%3Aer%25"


@pytest.mark.parametrize("adapter", ["newline", "empty", "missing", "half", "no-basic", "no-query", "no-oauth2"])
def test_a_file_without_a_value_that_can_be_sent_opens_nothing(deployed: Deployed, adapter: str) -> None:
    before = len(deployed.api.requests)
    assert deployed.status(adapter) == UNAVAILABLE
    assert len(deployed.api.requests) == before


def test_tokens_for_an_api_are_fetched_with_a_secret_of_a_file(deployed: Deployed) -> None:
    eventually(lambda: deployed.status("oauth2") == (200, None), "there is a token")
    assert deployed.api.requests[-1].get("authorization")[0].startswith("Bearer token-")


def test_a_mounted_value_that_changes_is_used_and_an_empty_one_opens_nothing(deployed: Deployed) -> None:
    def sent() -> list[str]:
        return deployed.reached("changing").get("authorization")

    assert sent() == ["Bearer first"]
    deployed.credentials.update({"CHANGING": "second"})
    eventually(lambda: sent() == ["Bearer second"], "the new value is used")
    deployed.credentials.update({"CHANGING": ""})
    eventually(lambda: deployed.status("changing") == UNAVAILABLE, "there is no value")
    deployed.credentials.update({"CHANGING": "third"})
    eventually(lambda: deployed.status("changing") == (200, None), "there is one again")
    assert sent() == ["Bearer third"]


def test_a_value_that_comes_later_is_used(deployed: Deployed) -> None:
    deployed.credentials.update({"MISSING": "late"})
    eventually(lambda: deployed.status("missing") == (200, None), "the value is used")
    assert deployed.reached("missing").get("authorization") == ["Bearer late"]
    deployed.credentials.update({"MISSING": ""})
    eventually(lambda: deployed.status("missing") == UNAVAILABLE, "there is no value")


def test_a_file_that_is_removed_keeps_its_value_in_use_until_it_is_there_and_empty(deployed: Deployed) -> None:
    deployed.credentials.update({"CHANGING": "revoked"})

    def sent() -> list[str]:
        return deployed.reached("changing").get("authorization") if deployed.status("changing")[0] == 200 else []

    eventually(lambda: sent() == ["Bearer revoked"], "there is a value")
    deployed.credentials.update({"TOKEN": "changed"}, "CHANGING")
    eventually(lambda: deployed.reached("one").get("authorization") == ["Bearer changed"], "Envoy has looked again")
    assert sent() == ["Bearer revoked"]
    deployed.credentials.update({"CHANGING": "", "TOKEN": VALUES["TOKEN"]})
    eventually(lambda: deployed.status("changing") == UNAVAILABLE, "there is no value")
    eventually(lambda: deployed.reached("one").get("authorization") == ["Bearer t0ken"], "the value of before is back")


def test_a_client_certificate_of_mounted_files_is_shown_and_followed(deployed: Deployed) -> None:
    assert deployed.status("demanding")[0] == 502
    deployed.credentials.update(deployed.mine)
    eventually(lambda: deployed.status("demanding") == (200, None), "the new certificate is shown")


def test_a_proxy_with_an_address_is_used(deployed: Deployed) -> None:
    # As a proxy passes it on.
    assert deployed.reached("proxied").target == "http://api.nowhere.test/x"
    assert deployed.proxy.asked[-1].startswith("GET http://api.nowhere.test/x ")
    before = len(deployed.proxy.asked)
    assert deployed.status("direct") == (200, None)
    assert len(deployed.proxy.asked) == before


def test_lists_and_limits_hold(deployed: Deployed) -> None:
    assert deployed.status("reads") == (403, "API_NotAllowedError")
    response = deployed.client.send("/v1/apis/http/reads/x", token=deployed.key.token(groups=["platform"]))
    assert response.status == 200
    assert [deployed.status("limited")[0] for _ in range(2)] == [200, 429]


def test_health_needs_no_token_and_everything_else_does(deployed: Deployed) -> None:
    assert [deployed.client.send(path).status for path in ("/healthz", "/healthcheck", "/x")] == [200, 200, 401]
    assert deployed.client.send("/v1/apis/http/one/x", token=es256().token()).status == 401


def test_metrics_are_served_and_nothing_else_of_the_admin_interface(deployed: Deployed) -> None:
    assert deployed.status("one") == (200, None)

    def is_counted() -> bool:
        response = deployed.metrics.send("/metrics")
        assert response.status == 200
        return b'atlas_requests{adapter="one"' in response.body

    eventually(is_counted, "the request is counted")
    for path in ("/config_dump", "/quitquitquit", "/stats"):
        assert deployed.metrics.send(path, method="POST").status == 404
        assert deployed.metrics.send(path).status == 404


def source_of(here: Path, text: str) -> Source:
    """Return what is exported of a configuration."""
    (here / "atlas.yml").write_text(text)
    return read(decode(text.encode(), str(here / "atlas.yml")))[0]


def write(folder: Path, source: Source, layout: Layout, replaced: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write Envoy's files, with some texts in them replaced: what is not to be had on this machine."""
    for file in envoy.files(source, layout):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = file.text
        for old, new in replaced.items():
            text = text.replace(old, new)
        path.write_text(text)


def test_the_files_beside_the_configuration_name_files_and_have_no_values(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"keys": []}')
    (tmp_path / "ca.pem").write_text(authority.file.read_text())
    tls = "tls: {caFile: ca.pem, certFile: a/client.pem, keyFile: /home/me/client.key}"
    adapters = bearer("one", "https://one.test", "TOKEN") + extended("two", "https://two.test", tls)
    source = source_of(tmp_path, samples.atlas("one", "two", after=PROVIDER) + adapters)
    found = {file.path: file.text for file in envoy.files(source, Layout(credentials="/mounted"))}
    secret = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    del found["envoy.json"]
    (certificate,) = {name for name in found if name.startswith("certificates/")}
    pair = {
        "certificate_chain": {"filename": "/mounted/client.pem"},
        "private_key": {"filename": "/mounted/client.key"},
    }
    name = certificate.removeprefix("certificates/").removesuffix(".json")
    assert json.loads(found.pop(certificate)) == {
        "version_info": "1",
        "resources": [{"@type": secret, "name": name, "tls_certificate": pair}],
    }
    assert found == {
        "keys/keys.json": '{"keys":[]}\n',
        "secrets/TOKEN.json": f'{{"version_info":"1","resources":[{{"@type":"{secret}","name":"TOKEN",'
        '"generic_secret":{"secret":{"filename":"/mounted/TOKEN"}}}]}\n',
    }


def test_without_a_folder_of_credentials_values_come_from_the_environment(
    api: Upstream, authority: Authority, tmp_path: Path
) -> None:
    base, key, port = f"http://127.0.0.1:{api.port}", es256(), free_port()
    (tmp_path / "keys.json").write_text(json.dumps(jwks(key)))
    adapters = [
        bearer("one", base, "TOKEN"),
        bearer("newline", base, "NEWLINE"),
        extended("basic", base, "basicAuth: {username: me, password: '${{ OTHER }}'}"),
        extended("no-query", base, "query:\n- name: key\n  value: ${{ NEWLINE }}"),
        extended("demanding", "https://localhost:1", "tls: {certFile: certs/client.pem, keyFile: certs/client.key}"),
    ]
    names = ("one", "newline", "basic", "no-query", "demanding")
    source = source_of(tmp_path, samples.atlas(*names, after=PROVIDER) + "".join(adapters))
    out = tmp_path / "out"
    own = authority.issue("localhost").write(tmp_path, "own")
    layout = Layout(
        listen=Listen("127.0.0.1", port),
        configuration=str(out),
        credentials=None,
        ca_file=str(authority.file),
        tls=(str(own.chain), str(own.key)),
    )
    write(out, source, layout)
    assert sorted(path.name for path in out.iterdir()) == ["envoy.json", "keys"]
    pair = for_clients(authority, "atlas").write(tmp_path)
    environ = {**VALUES, **BROKEN, "PATH": os.environ["PATH"]}
    environ |= {"ATLAS_CLIENT_PEM": pair.chain.read_text(), "ATLAS_CLIENT_KEY": pair.key.read_text()}
    with serving(out, port, environ):
        # TLS ends in Envoy here.
        client = Client(port, context=ssl.create_default_context(cafile=str(authority.file)))

        def status(name: str) -> int:
            return client.send(f"/v1/apis/http/{name}/x", token=key.token()).status

        assert [status(name) for name in ("one", "basic", "newline", "no-query")] == [200, 200, 503, 503]
        sent = [request.get("authorization")[0] for request in api.requests[-2:]]
        assert sent == ["Bearer t0ken", f"Basic {base64.b64encode(b'me:oth:er%').decode()}"]
    # As mom atlas run: it does not start without a value.
    for lacking in ({"TOKEN": ""}, {"ATLAS_CLIENT_KEY": ""}):
        left = {name: value for name, value in {**environ, **lacking}.items() if value or name == "EMPTY"}
        command = [ENVOY, "--mode", "validate", "-c", str(out / "envoy.json")]
        assert subprocess.run(command, env=left, capture_output=True, check=False).returncode == 1
    command = [ENVOY, "--mode", "validate", "-c", str(out / "envoy.json")]
    assert subprocess.run(command, env=environ, capture_output=True, check=False).returncode == 0


def test_in_a_pod_the_service_account_logs_in_at_the_api_server(authority: Authority, tmp_path: Path) -> None:
    key, port = es256(), free_port()
    (tmp_path / "keys.json").write_text(json.dumps(jwks(key)))
    corporate = Authority(tmp_path, "cluster")
    account = Mounted(tmp_path / "serviceaccount", {"token": "first", "ca.crt": corporate.file.read_text()})
    text = samples.HEAD + PROVIDER + "  apiAdapters:\n" + samples.reference("cluster", "Kubernetes")
    text += f"---\napiVersion: {samples.ADAPTERS_VERSION}\nkind: Kubernetes\nmetadata:\n  name: cluster\n"
    out = tmp_path / "out"
    layout = Layout(
        listen=Listen("127.0.0.1", port),
        configuration=str(out),
        credentials=str(tmp_path / "none"),
        ca_file=str(authority.file),
        in_pod=True,
    )
    with ApiServer(corporate, tmp_path, "first", name="localhost") as server:
        names = {str(SERVICE_ACCOUNT): str(account.folder), "kubernetes.default.svc": f"localhost:{server.port}"}
        source = source_of(tmp_path, text)
        assert refusals.refusals(source, layout) == []
        write(out, source, layout, names)
        with serving(out, port) as client:

            def status(*headers: str) -> int:
                return client.send("/v1/apis/kubernetes/api", *headers, token=key.token()).status

            eventually(lambda: status() == 200, "it logs in")
            assert status(f"{CLUSTER_ID_HEADER}: another") == 404
            # The kubelet renews the token.
            server.tokens = {"second"}
            account.update({"token": "second"})
            eventually(lambda: status() == 200, "it logs in with the new token")
