"""Values that change while Envoy runs, in its files: what reaches an API, and that nothing does without a value."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mom.envoy import secrets
from mom.envoy.bootstrap import dumps
from mom.envoy.options import Listen, Options
from tests.envoy.certificates import Authority
from tests.envoy.client import Response, read_response
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.running import Running, admin, free_port, running
from tests.envoy.test_credentials import with_basic, with_query
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Request, Upstream
from tests.run.mom_run import replace, wait_until

KEY, OTHER, IN_ENVIRONMENT = "k%REQ(:path)% ✓", "other:value", "from-environment"
NAMES = frozenset({"KEY", "OTHER", "EMPTY", "NONE", "CHANGING"})


@dataclass
class Gateway:
    """A running Envoy with files of secrets, and the API behind all of its adapters."""

    envoy: Running
    api: Upstream
    key: Key
    folder: Path

    def status(self, adapter: str, *headers: str, path: str = "/x") -> tuple[int, str | None]:
        """Send a request; return the status, and the type of an error of Atlas."""
        response = self.envoy.client.send(f"/v1/apis/http/{adapter}{path}", *headers, token=self.key.token())
        return response.status, response.headers.get("atlas-error")

    def reached(self, adapter: str, *headers: str, path: str = "/x") -> Request:
        """Send a request and return what the API received."""
        before = len(self.api.requests)
        assert self.status(adapter, *headers, path=path) == (200, None)
        (request,) = self.api.requests[before:]
        return request

    def write(self, name: str, content: dict[str, Any], version: str) -> None:
        """Write the file of a secret."""
        replace(self.folder / secrets.file_name(name), dumps(secrets.discovery(name, content, version)))


@pytest.fixture(scope="module")
def gateway(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return the gateway."""
    key, folder = es256(), tmp_path_factory.mktemp("secrets")
    with Upstream() as api:
        base = f"http://127.0.0.1:{api.port}"
        adapters = (
            http("one", base, {"Authorization": "Bearer ${{ KEY }}", "X-Fixed": "100% ${{ ENV }}"}),
            http("twice", base, {"X-Pair": "${{ KEY }}|${{ OTHER }}|${{ ENV }}", "X-Key": "${{KEY}}"}),
            http("cookie", base, {"Cookie": "a=${{ OTHER }}", "Referer": "${{ OTHER }}"}),
            http("changing", base, {"X-Key": "${{ CHANGING }}"}),
            with_basic(http("basic", base), "${{ ENV }}", "${{ OTHER }}"),
            with_query(http("query", base), key="${{ OTHER }}"),
            http("empty", base, {"Authorization": "Bearer ${{ EMPTY }}"}),
            http("none", base, {"Authorization": "Bearer ${{ NONE }}"}),
            # Text on both sides of what is empty, which a pattern for the whole would take for its value.
            http("empty-pair", base, {"X-Pair": "${{ EMPTY }}:${{ OTHER }}"}),
            http("one-of-two", base, {"X-Key": "${{ KEY }}", "X-Other": "${{ NONE }}"}),
            with_basic(http("empty-basic", base), "${{ ENV }}", "${{ EMPTY }}"),
            with_query(http("empty-query", base), key="${{ NONE }}"),
            http("plain", base, {"X-Fixed": "${{ ENV }}"}),
        )
        given = Gateway(None, api, key, folder)  # type: ignore[arg-type]
        for number, (name, text) in enumerate({"KEY": KEY, "OTHER": OTHER, "EMPTY": "", "CHANGING": "first"}.items()):
            given.write(name, {"inline_string": text}, str(number))
        (folder / "NONE.json").write_text('{"version_info": "none", "resources": []}')
        options = Options(
            listen=Listen("127.0.0.1", free_port()),
            ca_file=str(authority.file),
            jwks={"keys.json": json.dumps(jwks(key))},
            secrets=NAMES,
            secret_folder=str(folder),
            access_log="-",
        )
        served = configuration(*adapters, providers=(provider("keys.json"),))
        with running(served, options, tmp_path_factory.mktemp("atlas"), {"ENV": IN_ENVIRONMENT}) as envoy:
            given.envoy = envoy
            wait_until(lambda: 'sds.CHANGING.version_text: "3"' in versions(envoy), "secrets are read")
            yield given


def versions(envoy: Running) -> str:
    """Return which versions of secrets are used."""
    return admin(envoy, "/stats?filter=version_text&type=TextReadouts")


def latin(text: str) -> str:
    """Return the bytes of `text` as the API shows them."""
    return text.encode().decode("latin-1")


def test_a_value_replaces_the_clients_byte_for_byte(gateway: Gateway) -> None:
    request = gateway.reached("one", "Authorization: Bearer theirs", "authorization: theirs", "X-Fixed: theirs")
    assert request.get("authorization") == [latin(f"Bearer {KEY}")]
    assert request.get("x-fixed") == [f"100% {IN_ENVIRONMENT}"]


def test_several_values_in_one_header_and_what_carries_them(gateway: Gateway) -> None:
    request = gateway.reached("twice", f"{secrets.CARRIER}1: theirs", "X-Pair: theirs")
    assert request.get("x-pair") == [latin(f"{KEY}|{OTHER}|{IN_ENVIRONMENT}")]
    assert request.get("x-key") == [latin(KEY)]
    assert not [name for name in request.names if name.startswith("mom-")]


def test_a_header_that_clients_may_not_send_can_be_set(gateway: Gateway) -> None:
    """The router removes these; what the filter in front of it sets must stay."""
    request = gateway.reached("cookie", "Cookie: theirs", "Referer: theirs", "Origin: theirs")
    assert (request.get("cookie"), request.get("referer"), request.get("origin")) == ([f"a={OTHER}"], [OTHER], [])
    assert gateway.reached("plain", "Cookie: theirs").get("cookie") == []


def test_what_a_script_encodes(gateway: Gateway) -> None:
    request = gateway.reached("basic")
    expected = base64.b64encode(f"{IN_ENVIRONMENT}:{OTHER}".encode()).decode()
    assert request.get("authorization") == [f"Basic {expected}"]
    assert not [name for name in request.names if name.startswith("mom-")]
    request = gateway.reached("query", path="/x?a=%2f&key=theirs")
    assert request.target == "/x?a=%2f&key=other%3Avalue"
    assert not [name for name in request.names if name.startswith("mom-")]


def test_what_an_api_repeats_of_a_parameter_is_masked(gateway: Gateway) -> None:
    path = f"/v1/apis/http/query/say?200&X-Url=http://x/?q={OTHER}"
    response = gateway.envoy.client.send(path, token=gateway.key.token())
    assert (response.status, response.headers["x-url"]) == (200, "http://x/?q=***")


def test_a_credential_that_an_api_repeats_in_its_header_is_masked(gateway: Gateway) -> None:
    for adapter, header in (("one", "Authorization"), ("twice", "X-Pair"), ("basic", "authorization")):
        path = f"/v1/apis/http/{adapter}/say?200&{header}=echo-1&X-Kept=yes"
        response = gateway.envoy.client.send(path, token=gateway.key.token())
        assert (response.status, response.headers[header.lower()], response.headers["x-kept"]) == (200, "***", "yes")
    response = gateway.envoy.client.send("/v1/apis/http/plain/x", token=gateway.key.token())
    assert "authorization" not in response.headers


@pytest.mark.parametrize("adapter", ["empty", "none", "empty-pair", "one-of-two", "empty-basic", "empty-query"])
def test_without_a_value_nothing_is_sent(gateway: Gateway, adapter: str) -> None:
    """The filter that sets headers would send `Bearer ` (the guard), and the token is not what is wrong (the reply)."""
    before = len(gateway.api.requests)
    theirs = ("Authorization: Bearer theirs", "X-Key: theirs", "X-Other: theirs", "X-Pair: a:b")
    carriers = tuple(f"{secrets.CARRIER}{number}: theirs" for number in range(1, 4))
    for headers in ((), theirs, carriers):
        assert gateway.status(adapter, *headers) == (503, "API_CredentialUnavailableError")
    assert len(gateway.api.requests) == before


def test_a_changed_value_is_used_on_connections_that_are_open(gateway: Gateway) -> None:
    client = gateway.envoy.client
    data = client.request("/v1/apis/http/changing/x", token=gateway.key.token()).replace(b"Connection: close\r\n", b"")
    with client.connect() as connection, connection.makefile("rb") as reader:

        def send() -> Response:
            connection.sendall(data)
            return read_response(reader)

        def key() -> list[str]:
            assert send().status == 200
            return gateway.api.requests[-1].get("x-key")

        assert key() == ["first"]
        gateway.write("CHANGING", {"inline_string": "second"}, "second")
        wait_until(lambda: 'sds.CHANGING.version_text: "second"' in versions(gateway.envoy), "the value is read")
        assert key() == ["second"]
        # A file that is no secret changes nothing; one that is removed neither, so an empty one has to be written.
        replace(gateway.folder / "CHANGING.json", "{")
        gateway.write("CHANGING", {"inline_string": ""}, "third")
        wait_until(lambda: 'sds.CHANGING.version_text: "third"' in versions(gateway.envoy), "the value is read")
        assert send().status == 503


def test_no_value_is_in_what_envoy_shows(gateway: Gateway) -> None:
    gateway.reached("one")
    for path in ("/config_dump", "/stats"):
        shown = admin(gateway.envoy, path)
        assert "k%REQ" not in shown
        assert OTHER not in shown
    assert OTHER not in gateway.envoy.log
    bootstrap = (gateway.envoy.folder / "bootstrap.json").read_text()
    assert OTHER not in bootstrap
    assert "%SECRET(KEY)%" in bootstrap
    assert "%ENVIRONMENT(ENV)%" in bootstrap
