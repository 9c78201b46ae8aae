"""Which web pages may call: preflights without a token for configured origins, and nothing for all others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mom.envoy import cors, listener
from mom.envoy.options import Listen, Options, loopback_hosts
from mom.envoy.routes import route_configuration
from tests.envoy.certificates import Authority
from tests.envoy.client import Response
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream

PAGE = "https://canvas.example.com"
LOCAL = "http://localhost:3000"
OTHERS = ("https://evil.test", "null", f"{PAGE}.evil.test", f"{PAGE}:8443", "http://canvas.example.com", PAGE.upper())
PATH = "/v1/apis/http/api/x"


@dataclass(frozen=True)
class Gateway:
    envoy: Running
    key: Key

    def preflight(self, origin: str, *headers: str, path: str = PATH, method: str = "POST") -> Response:
        """Send what a browser asks before a request."""
        asked = (f"Origin: {origin}", f"Access-Control-Request-Method: {method}", *headers)
        return self.envoy.client.send(path, *asked, method="OPTIONS")


@pytest.fixture(scope="module")
def gateway(api: Upstream, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    key = es256()
    listen = Listen("127.0.0.1", free_port())
    options = Options(
        listen=listen,
        ca_file=str(authority.file),
        jwks={"keys": json.dumps(jwks(key))},
        hosts=loopback_hosts(listen),
    )
    base = f"http://127.0.0.1:{api.port}"
    given = configuration(
        http("api", base, {"X-Api-Key": "${{ X }}"}), http("open", base), providers=(provider("keys"),)
    )
    given = given._replace(cors=(PAGE, LOCAL))
    with running(given, options, tmp_path_factory.mktemp("cors"), {"X": "s3cret"}) as envoy:
        yield Gateway(envoy, key)


def of_cors(response: Response) -> dict[str, str]:
    """Return what a response says to a browser about other origins."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


def test_a_preflight_of_a_listed_origin_is_answered_without_a_token(gateway: Gateway, api: Upstream) -> None:
    before = len(api.requests)
    for path in (PATH, "/v1/apis/http/open/y?q", "/v1/apis/http/api"):
        answer = gateway.preflight(PAGE, "Access-Control-Request-Headers: atlas-accesstoken", path=path)
        assert (answer.status, answer.body) == (200, b""), path
        assert of_cors(answer) == {
            "access-control-allow-origin": PAGE,
            "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
            "access-control-allow-headers": "atlas-accesstoken, authorization, content-type, x-api-key",
            "access-control-expose-headers": "atlas-error",
            "access-control-max-age": "600",
        }
    private = gateway.preflight(LOCAL, "Access-Control-Request-Private-Network: true")
    assert of_cors(private)["access-control-allow-private-network"] == "true"
    assert of_cors(private)["access-control-allow-origin"] == LOCAL
    assert len(api.requests) == before


def test_a_preflight_of_any_other_origin_gets_what_every_request_without_a_token_gets(gateway: Gateway) -> None:
    for origin in OTHERS:
        answer = gateway.preflight(origin, "Access-Control-Request-Private-Network: true")
        assert (answer.status, answer.error) == (401, "API_MissingAccessTokenError"), origin
        assert of_cors(answer) == {}, origin
    # Not a preflight: a request like any other.
    for sent in ((f"Origin: {PAGE}",), ("Access-Control-Request-Method: GET",)):
        assert gateway.envoy.client.send(PATH, *sent, method="OPTIONS").status == 401


def test_a_page_may_read_the_response_and_the_type_of_an_error(gateway: Gateway, api: Upstream) -> None:
    allowed = {"access-control-allow-origin": PAGE, "access-control-expose-headers": "atlas-error"}
    answer = gateway.envoy.client.send(f"{PATH}/hostile", f"Origin: {PAGE}", token=gateway.key.token())
    assert (answer.status, of_cors(answer)) == (200, allowed)
    assert "Origin" in answer.headers["vary"]
    # The API learns nothing of the page.
    assert "origin" not in api.seen("/hostile")[-1].names
    for token in (None, "bad"):
        answer = gateway.envoy.client.send(PATH, f"Origin: {PAGE}", token=token)
        assert (answer.status, of_cors(answer)) == (401, allowed)
        assert answer.error is not None


def test_a_page_can_read_nothing_but_adapters(gateway: Gateway) -> None:
    for path in ("/v1alpha1/apis", "/v1/apis/http/none/x", "/healthz"):
        answer = gateway.envoy.client.send(path, f"Origin: {PAGE}", token=gateway.key.token())
        assert of_cors(answer) == {}, path
        assert of_cors(gateway.preflight(PAGE, path=path)) == {}, path


def test_a_page_of_another_origin_may_read_nothing(gateway: Gateway) -> None:
    for origin in OTHERS:
        answer = gateway.envoy.client.send(f"{PATH}/hostile", f"Origin: {origin}", token=gateway.key.token())
        assert of_cors(answer) == {}, origin


def test_another_host_name_has_no_page(gateway: Gateway) -> None:
    """DNS rebinding: the page names its own host."""
    asked = (f"Origin: {PAGE}", "Access-Control-Request-Method: GET")
    answer = gateway.envoy.client.send(PATH, *asked, method="OPTIONS", host="evil.test")
    assert of_cors(answer) == {}


def test_without_origins_there_is_no_filter_and_no_policy() -> None:
    options = Options(listen=Listen("127.0.0.1", 1), ca_file="", jwks={"keys": json.dumps(jwks(es256()))})
    given = configuration(http("api", "http://127.0.0.1:1"), providers=(provider("keys"),))
    for origins, there in (((), False), ((PAGE,), True)):
        served = given._replace(cors=origins)
        for part in (listener.listener(served, options, None), route_configuration(served, options)):
            assert (cors.FILTER in json.dumps(part)) is there
