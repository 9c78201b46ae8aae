"""Basic authentication and parameters of the query: what an API receives, byte for byte, and what no client sees."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator
from urllib.parse import quote, unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.adapters.http_credentials import BasicAuth, Parameter
from mom.envoy.options import Listen, Options
from mom.envoy.translate import problems
from tests.envoy.certificates import Authority
from tests.envoy.configurations import HERE, configuration, http, provider
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Request, Upstream

USER, PASSWORD, KEY = "me%41", "p:ä%REQ(:path)%${{ USER }}", "a/b+c &=%?é"
TWICE = Parameter("k", "1", HERE)
ENCODED = quote(KEY, safe="-._~")


def with_query(adapter: HttpAdapter, **parameters: str) -> HttpAdapter:
    """Return the adapter with parameters of the query."""
    query = tuple(Parameter(name, value, HERE) for name, value in parameters.items())
    return adapter._replace(query=query)


def with_basic(adapter: HttpAdapter, username: str, password: str = "") -> HttpAdapter:
    """Return the adapter with Basic authentication."""
    return adapter._replace(basic_auth=BasicAuth(username, password, HERE))


@dataclasses.dataclass
class Gateway:
    """A running Envoy with such adapters, and the API behind all of them."""

    envoy: Running
    api: Upstream
    key: Key

    def reached(self, path: str, *headers: str) -> Request:
        """Send a request and return what the API received."""
        before = len(self.api.requests)
        response = self.envoy.client.send(path, *headers, token=self.key.token())
        assert response.status == 200, response
        (request,) = self.api.requests[before:]
        return request


@pytest.fixture(scope="module")
def gateway(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Return the gateway."""
    key = es256()
    with Upstream() as api:
        base = f"http://127.0.0.1:{api.port}/base"
        adapters = (
            with_basic(http("basic", base, {"X-Other": "1"}), "${{ USER }}", "${{ PASSWORD }}"),
            with_basic(http("token", base), "x${{ USER }}"),
            with_query(http("query", base), key="${{ KEY }}"),
            with_query(http("two", base), key="${{ KEY }}", format="json"),
            with_query(with_basic(http("unset", base), "${{ UNSET }}"), key="${{ KEY }}"),
            with_query(http("unset-query", base), key="${{ UNSET }}"),
            http("plain", base),
        )
        listen = Listen("127.0.0.1", free_port())
        given_options = Options(
            listen=listen, ca_file=str(authority.file), jwks={"keys.json": json.dumps(jwks(key))}, access_log="-"
        )
        environ = {"USER": USER, "PASSWORD": PASSWORD, "KEY": KEY}
        given_configuration = configuration(*adapters, providers=(provider("keys.json"),))
        assert problems(given_configuration, given_options) == []
        with running(given_configuration, given_options, tmp_path_factory.mktemp("credentials"), environ) as envoy:
            yield Gateway(envoy, api, key)


def basic(username: str, password: str = "") -> str:
    """Return the value of the header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def test_user_name_and_password_are_encoded_by_atlas(gateway: Gateway) -> None:
    request = gateway.reached("/v1/apis/http/basic/x", "Authorization: Bearer theirs", "authorization: Basic theirs")
    assert request.get("authorization") == [basic(USER, PASSWORD)]
    assert request.get("x-other") == ["1"]
    assert request.target == "/base/x"


def test_a_password_that_is_left_out_is_empty(gateway: Gateway) -> None:
    assert gateway.reached("/v1/apis/http/token/x").get("authorization") == [basic(f"x{USER}")]


def test_no_other_spelling_of_the_header_reaches_the_api(gateway: Gateway) -> None:
    request = gateway.reached("/v1/apis/http/basic/x", "author.ization: x", "Authorization-: x")
    assert request.get("authorization") == [basic(USER, PASSWORD)]


def test_other_adapters_pass_what_the_client_sends(gateway: Gateway) -> None:
    request = gateway.reached("/v1/apis/http/plain/x?key=mine&b=%2f", "Authorization: mine")
    assert (request.get("authorization"), request.target) == (["mine"], "/base/x?key=mine&b=%2f")


@pytest.mark.parametrize("adapter", ["unset", "unset-query"])
def test_a_credential_without_a_value_is_no_request(gateway: Gateway, adapter: str) -> None:
    before = len(gateway.api.requests)
    response = gateway.envoy.client.send(f"/v1/apis/http/{adapter}/x?key=theirs", token=gateway.key.token())
    assert response.status == 503
    assert json.loads(response.body)["error"]["type"] == "API_CredentialUnavailableError"
    assert response.headers["atlas-error"] == "API_CredentialUnavailableError"
    assert len(gateway.api.requests) == before


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        ("", f"?key={ENCODED}"),
        ("?", f"?key={ENCODED}"),
        ("?a=1&b=%2f%2F+%20", f"?a=1&b=%2f%2F+%20&key={ENCODED}"),
        ("?z=1&a=1&a=2", f"?z=1&a=1&a=2&key={ENCODED}"),
        ("?key=theirs", f"?key={ENCODED}"),
        ("?key", f"?key={ENCODED}"),
        ("?a=1&key=theirs&b=2&key=again", f"?a=1&b=2&key={ENCODED}"),
        ("?%6bey=theirs&k%65%79=theirs&%6B%65y", f"?key={ENCODED}"),
        ("?a=1;key=theirs;b=2", f"?a=1;b=2&key={ENCODED}"),
        ("?key=theirs;b=2", f"?b=2&key={ENCODED}"),
        ("?+key=theirs&%20key%00=theirs&key+=x", f"?key={ENCODED}"),
        ("?Key=1&keys=1&akey=1&%256bey=1", f"?Key=1&keys=1&akey=1&%256bey=1&key={ENCODED}"),
        ("?&&a&", f"?&&a&&key={ENCODED}"),
        ("?a=b?c=/d", f"?a=b?c=/d&key={ENCODED}"),
        ("?%zz=%&%k", f"?%zz=%&%k&key={ENCODED}"),
    ],
)
def test_the_parameter_replaces_the_clients_and_every_other_byte_stays(
    gateway: Gateway, sent: str, received: str
) -> None:
    assert gateway.reached(f"/v1/apis/http/query/x%2Fy//{sent}").target == f"/base/x%2Fy//{received}"


def test_several_parameters_are_set_in_their_order(gateway: Gateway) -> None:
    request = gateway.reached("/v1/apis/http/two/x?format=xml&a=1&key=theirs")
    assert request.target == f"/base/x?a=1&key={ENCODED}&format=json"


PIECES = st.text(st.sampled_from("key=&;%64B5e+ab/?.~!'()*,:@"), max_size=12)


def queries_keep_their_bytes(gateway: Gateway, examples: int) -> None:
    @settings(deadline=None, max_examples=examples)
    @given(st.lists(PIECES, max_size=6).map("&".join))
    def holds(query: str) -> None:
        target = gateway.reached(f"/v1/apis/http/query/x?{query}").target
        kept, _, mine = target.removeprefix("/base/x?").rpartition("key=")
        assert mine == ENCODED
        parts = [part for part in query.replace(";", "&").split("&") if name_of(part) != "key"]
        assert kept.removesuffix("&").replace(";", "&") == "&".join(parts) or (kept == "" and parts in ([], [""]))

    holds()


def test_queries_keep_their_bytes_whatever_they_are(gateway: Gateway) -> None:
    queries_keep_their_bytes(gateway, 200)


@pytest.mark.proof
def test_ten_thousand_queries_keep_their_bytes(gateway: Gateway) -> None:
    queries_keep_their_bytes(gateway, 10_000)


def name_of(part: str) -> str:
    """Return the name of a parameter as servers read it."""
    return unquote_plus(part.partition("=")[0], errors="replace").strip(" \t\r\n\v\f\0")


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (f"Location: /base/next?a=1&key={ENCODED}", "/v1/apis/http/query/next?a=1"),
        (f"Location: /base/next?%6bey={ENCODED}#part", "/v1/apis/http/query/next#part"),
        (f"Location: https://other.test/?k={ENCODED}", "https://other.test/?k=***"),
        (f"Location: https://other.test/?k={ENCODED.lower()}", "https://other.test/?k=***"),
        (f"X-Request-Url: http://x/?q={KEY}".replace("é", ""), None),
    ],
)
def test_no_response_header_repeats_the_value(gateway: Gateway, header: str, shown: str | None) -> None:
    name, _, value = header.partition(": ")
    path = f"/v1/apis/http/query/say?302&{name}={quote(value, safe='')}"
    response = gateway.envoy.client.send(path, token=gateway.key.token())
    assert response.status == 302, response
    if shown is not None:
        assert response.headers[name.lower()] == shown
    assert not any(secret in str(response.headers) for secret in (KEY, ENCODED, ENCODED.lower()))


def test_what_is_no_secret_stays_in_the_headers_of_a_response(gateway: Gateway) -> None:
    """`format=json` of the configuration is none, and no length of a body is changed."""
    response = gateway.envoy.client.send(
        "/v1/apis/http/two/say?200&Content-Type=application/json&X-A=jsonjson", token=gateway.key.token()
    )
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-a"] == "jsonjson"
    assert response.headers["content-length"] == "2"


@pytest.mark.parametrize(
    ("adapter", "said", "shown"),
    [
        ("basic", base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(), "a ***"),
        ("basic", PASSWORD, "a ***"),
        ("basic", quote(PASSWORD, safe="-._~"), "a ***"),
        ("basic", "me", "a me"),
        ("token", base64.b64encode(f"x{USER}:".encode()).decode(), "a ***"),
        ("token", f"x{USER}", "a ***"),
    ],
)
def test_no_response_header_repeats_a_password(gateway: Gateway, adapter: str, said: str, shown: str) -> None:
    """Under whatever name: the script that has encoded it knows all of its spellings."""
    path = f"/v1/apis/http/{adapter}/say?200&X-Echo=a%20{quote(said, safe='')}"
    response = gateway.envoy.client.send(path, token=gateway.key.token())
    assert (response.status, response.headers["x-echo"]) == (200, shown)


def test_no_log_has_a_value(gateway: Gateway) -> None:
    gateway.reached("/v1/apis/http/query/x?a=1")
    gateway.reached("/v1/apis/http/basic/x")
    for secret in (KEY, ENCODED, PASSWORD, basic(USER, PASSWORD).partition(" ")[2]):
        assert secret not in gateway.envoy.log
        assert secret not in (gateway.envoy.folder / "bootstrap.json").read_text()


@pytest.mark.parametrize(
    ("adapter", "rule"),
    [
        (with_basic(http("a", "https://a.test", {"AUTHORIZATION": "x"}), "u"), "several-credentials"),
        (with_basic(http("a", "https://a.test"), "u:v"), "credential-value"),
        (with_basic(http("a", "https://a.test"), "u", "a\nb"), "credential-value"),
        (with_query(http("a", "https://a.test"), key="a\rb"), "credential-value"),
        (with_query(http("a", "https://a.test"), key="${{ }}"), "credential-value"),
        (
            http("a", "https://a.test")._replace(query=(Parameter("k", "1", HERE), Parameter("k", "2", HERE))),
            "repeated-parameter",
        ),
    ],
)
def test_what_cannot_be_sent_is_a_problem(adapter: HttpAdapter, rule: str) -> None:
    given_options = Options(listen=Listen("127.0.0.1", 8082), ca_file="ca.pem", jwks={"keys.json": '{"keys": []}'})
    found = problems(configuration(adapter, providers=(provider("keys.json"),)), given_options)
    assert [problem.rule for problem in found] == [rule]
