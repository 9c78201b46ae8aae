"""What the tests of the run share: one authority, two APIs, and one Envoy that serves them in many ways."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mom.envoy.options import Listen, LocalKey, Options, loopback_hosts
from tests.envoy.certificates import Authority, Issued, self_signed
from tests.envoy.client import Client, Response
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, eddsa, es256, jwks, rs256
from tests.envoy.upstream import Request, Upstream

SECRET = "s3cret-%REQ(:path)%-naïve"
LOCAL_AUDIENCE = "http://127.0.0.1:8082"


@dataclass(frozen=True)
class Atlas:
    """A running Atlas with all that a test may want to look at."""

    envoy: Running
    client: Client
    api: Upstream
    secure: Upstream
    key: Key
    rsa: Key
    ed: Key
    local: Key

    def get(
        self, path: str, *headers: str, token: str | None = None, method: str = "GET", body: bytes = b""
    ) -> Response:
        """Send a request with a good token, or with another one."""
        return self.client.send(path, *headers, token=token or self.key.token(), method=method, body=body)

    def reached(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> Request:
        """Send a request with a good token, and return what the API got of it."""
        before = len(self.api.requests)
        answer = self.get(path, *headers, method=method, body=body)
        assert answer.status == 200, answer
        (request,) = self.api.requests[before:]
        return request


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the authority whose certificates the Envoys of this test run trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


def server_context(issued: Issued, folder: Path) -> ssl.SSLContext:
    """Return a server's TLS context."""
    folder.mkdir(parents=True, exist_ok=True)
    files = issued.write(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    return context


@pytest.fixture(scope="session")
def api() -> Iterator[Upstream]:
    """Return the API."""
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def secure_apis(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Upstream]]:
    """Return APIs over TLS, one for each kind of certificate."""
    folder = tmp_path_factory.mktemp("certificates")
    issued = {
        "good": authority.issue("localhost"),
        "address": authority.issue("127.0.0.1"),
        "wildcard": authority.issue("*.apis.localhost"),
        "wrong-name": authority.issue("evil.test"),
        "expired": authority.issue("localhost", expired=True),
        "self-signed": self_signed("localhost"),
    }
    upstreams = {name: Upstream(server_context(one, folder / name)) for name, one in issued.items()}
    yield upstreams
    for upstream in upstreams.values():
        upstream.close()


@pytest.fixture(scope="session")
def atlas(
    api: Upstream,
    secure_apis: dict[str, Upstream],
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Atlas]:
    """Return the running Atlas that most tests share. It has nothing that a test could change."""
    base = f"http://127.0.0.1:{api.port}"
    secrets = {"Authorization": "Bearer ${{ SECRET }}", "DD-API-KEY": "${{ SECRET }}"}
    adapters = [
        http("plain", base, secrets),
        http("base", f"{base}/base/v4/", secrets),
        http("openai", f"{base}/openai"),
        http("open.ai", f"{base}/dot"),
        http("name", f"http://localhost:{api.port}"),
        http("literal", base, {"X-Percent": "100% %REQ(authorization)% ${{ TWO_PART }}|${{ TWO }}", "X-Empty": ""}),
        http("browser", base, {"Cookie": "a=b", "Referer": "https://here.test/", "Origin": "https://here.test"}),
        http("tenant", base, {"Host": "tenant.test:99"}),
        *(http(name, f"https://localhost:{one.port}", secrets) for name, one in secure_apis.items()),
        http("by-address", f"https://127.0.0.1:{secure_apis['address'].port}"),
        http("wrong-address", f"https://127.0.0.1:{secure_apis['good'].port}"),
        http("renamed", f"https://localhost:{secure_apis['good'].port}", {"Host": "evil.test"}),
    ]
    key, rsa, ed, local = es256(), rs256(), eddsa(), es256("local")
    port = free_port()
    options = Options(
        listen=Listen("127.0.0.1", port),
        ca_file=str(authority.file),
        jwks={"keys.json": json.dumps(jwks(key, rsa, ed))},
        hosts=loopback_hosts(Listen("127.0.0.1", port)),
        local_key=LocalKey("urn:mom:local", (LOCAL_AUDIENCE,), jwks(local)),
        access_log="-",
    )
    environ = {"SECRET": SECRET, "TWO": "2", "TWO_PART": "two"}
    given = configuration(*adapters, providers=(provider("keys.json"),))
    with running(given, options, tmp_path_factory.mktemp("atlas"), environ) as envoy:
        yield Atlas(envoy, envoy.client, api, secure_apis["good"], key, rsa, ed, local)
