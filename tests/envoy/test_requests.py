"""What an API gets to see: the configured headers, what the client sent, and nothing else."""

from __future__ import annotations

import contextlib

import h2.connection
import pytest

from tests.envoy.client import read_all
from tests.envoy.conftest import SECRET, Atlas
from tests.envoy.http2 import h2_headers, over_http2
from tests.envoy.running import admin
from tests.run.mom_run import wait_until

PLAIN = "/v1/apis/http/plain"
BEARER = f"Bearer {SECRET}".encode().decode("latin-1")


def test_the_api_sees_the_credentials_and_what_the_client_sent(atlas: Atlas) -> None:
    request = atlas.reached(f"{PLAIN}/v1/models", "Accept: text/html", "X-Request-Id: mine")
    assert request.line == b"GET /v1/models HTTP/1.1"
    assert sorted(request.names) == ["accept", "authorization", "dd-api-key", "host", "x-request-id"]
    assert request.get("host") == [f"127.0.0.1:{atlas.api.port}"]
    assert request.get("authorization") == [BEARER]
    assert request.get("x-request-id") == ["mine"]


def test_a_body_is_passed_on(atlas: Atlas) -> None:
    body = bytes(range(256)) * 100
    assert atlas.reached(f"{PLAIN}/body", method="POST", body=body).body == body


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(["Authorization: Bearer client"], id="the same name"),
        pytest.param(["aUTHORIZATION: client", "Authorization: Bearer 2"], id="another case, and repeated"),
        pytest.param(["DD-Api-Key: client", "DD-API-KEY:"], id="an API key"),
        pytest.param(["Connection: Authorization, DD-API-KEY"], id="nominated as hop-by-hop"),
        pytest.param(["Connection: close, x", "Authorization: client"], id="with a Connection header"),
    ],
)
def test_a_client_cannot_replace_a_configured_header(atlas: Atlas, headers: list[str]) -> None:
    request = atlas.reached(f"{PLAIN}/override", *headers)
    assert request.get("authorization") == [BEARER]
    assert request.get("dd-api-key") == [SECRET.encode().decode("latin-1")]


def test_an_empty_configured_value_does_not_let_the_clients_through(atlas: Atlas) -> None:
    assert atlas.reached("/v1/apis/http/literal/empty", "X-Empty: client").get("x-empty") == [""]


def test_percent_signs_are_literal_and_references_with_a_common_start_are_told_apart(atlas: Atlas) -> None:
    request = atlas.reached("/v1/apis/http/literal/percent", "Authorization: x")
    assert request.get("x-percent") == ["100% %REQ(authorization)% two|2"]


def test_an_adapter_may_set_what_is_taken_from_clients(atlas: Atlas) -> None:
    request = atlas.reached("/v1/apis/http/browser/x", "Cookie: theirs=1", "Referer: http://theirs")
    assert request.get("cookie") == ["a=b"]
    assert request.get("referer") == ["https://here.test/"]
    assert request.get("origin") == ["https://here.test"]


def test_a_host_header_replaces_the_host_of_the_base_url(atlas: Atlas) -> None:
    assert atlas.reached("/v1/apis/http/tenant/x").get("host") == ["tenant.test:99"]


def test_what_belongs_to_the_client_or_the_gateway_is_taken_off(atlas: Atlas) -> None:
    theirs = [
        "Cookie: session=1",
        "Origin: http://evil.test",
        "Referer: http://evil.test/x",
        "Proxy-Authorization: Basic eDp5",
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Host: evil.test",
        "X-Forwarded-Port: 99",
        "X-Forwarded-Proto: gopher",
        "X-Forwarded-Prefix: /other",
        "X-Forwarded-Scheme: gopher",
        "X-Forwarded-Server: evil.test",
        "X-Original-URL: /admin",
        "X-Rewrite-URL: /admin",
        "Forwarded: for=1.2.3.4",
        "X-Real-Ip: 1.2.3.4",
        "X-Envoy-External-Address: 1.2.3.4",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
        "Keep-Alive: timeout=1",
        "Proxy-Connection: keep-alive",
        "TE: deflate",
        "X-Envoy-Upstream-Rq-Timeout-Ms: 1",
        "X-Envoy-Retry-On: 5xx",
        "X-Envoy-Original-Path: /other",
        "X-Envoy-Original-Dst-Host: 127.0.0.1:1",
        "X-Envoy-Anything: x",
        "X-Forwarded-Client-Cert: By=x",
    ]
    assert sorted(atlas.reached(f"{PLAIN}/strip", *theirs).names) == ["authorization", "dd-api-key", "host"]


def test_control_headers_of_envoy_have_no_effect(atlas: Atlas) -> None:
    """With `x-envoy-retry-on` in force a 500 would come back three times."""
    before = len(atlas.api.requests)
    headers = ["X-Envoy-Retry-On: 5xx", "X-Envoy-Max-Retries: 2", "X-Envoy-Upstream-Rq-Timeout-Ms: 1"]
    answer = atlas.get(f"{PLAIN}/status/500", *headers)
    assert (answer.status, answer.error, answer.body) == (500, None, b"ok")
    assert len(atlas.api.requests) == before + 1


@pytest.mark.parametrize("method", ["TRACE", "trace", "TRACK", "Trace", "DEBUG"])
def test_methods_that_make_an_api_echo_the_credentials_are_refused(atlas: Atlas, method: str) -> None:
    answer = atlas.get(f"{PLAIN}/echo", method=method)
    assert answer.status in {400, 405}
    assert not atlas.api.seen("/echo")


@pytest.mark.parametrize(
    ("target", "status", "error"),
    [("127.0.0.1:80", 405, "API_MethodNotAllowedError"), (f"{PLAIN}/connect", 400, "API_RequestError")],
)
def test_connect_is_refused(atlas: Atlas, target: str, status: int, error: str) -> None:
    answer = atlas.get(target, method="CONNECT")
    assert (answer.status, answer.error) == (status, error)
    assert "token" not in answer.json()["error"]["message"]
    assert not atlas.api.seen("/connect")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"])
def test_other_methods_are_passed_on(atlas: Atlas, method: str) -> None:
    assert atlas.reached(f"{PLAIN}/method", method=method).method == method


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        pytest.param("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\nGET /smuggled", id="both framings"),
        pytest.param("Content-Length: 4\r\nContent-Length: 5", "12345", id="two lengths"),
        pytest.param("Content-Length: +2", "12", id="a sign"),
        pytest.param("Content-Length: 0x2", "12", id="hexadecimal"),
        pytest.param("Transfer-Encoding : chunked", "0\r\n\r\n", id="a blank before the colon"),
        pytest.param("Transfer-Encoding: xchunked", "0\r\n\r\n", id="an unknown coding"),
        pytest.param("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n", id="two codings"),
        pytest.param("X-Nul: a\0b", "", id="a NUL"),
        pytest.param(
            "Transfer-Encoding: chunked", "0;\n\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n", id="a bare LF in a chunk"
        ),
    ],
)
def test_a_request_cannot_hide_in_another(atlas: Atlas, framing: str, body: str) -> None:
    head = atlas.client.request(f"{PLAIN}/carrier", token=atlas.key.token(), method="POST")
    data = head.removesuffix(b"\r\n") + framing.encode() + b"\r\n\r\n" + body.encode()
    answers = _talk(atlas, data)
    assert answers.count(b"HTTP/1.1 ") == 1
    assert answers.split(b" ")[1] in {b"400", b"501"}
    assert not atlas.api.seen("/carrier")
    assert not atlas.api.seen("/smuggled")


@pytest.mark.parametrize(
    ("path", "header", "body"),
    [
        ("/h2-field", ("x-a", "a\r\nX-Evil: b"), b""),
        ("/h2-field", ("x-a\r\nx-evil", "b"), b""),
        ("/h2-field HTTP/1.1\r\n\r\nGET /smuggled", ("x-a", "a"), b""),
        ("/h2-field", ("transfer-encoding", "chunked"), b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
        ("/h2-field", ("content-length", "1"), b"1GET /smuggled HTTP/1.1\r\n\r\n"),
        ("/h2-field", ("connection", "x-a"), b""),
        ("/h2-field", (":path", "/healthz"), b""),
    ],
)
def test_nor_in_a_field_of_http2_that_http1_would_read_otherwise(
    atlas: Atlas, path: str, header: tuple[str, str], body: bytes
) -> None:
    with atlas.client.connect() as connection:
        headers = [*h2_headers(atlas, f"{PLAIN}{path}", "POST"), header]
        assert over_http2(connection, headers, body=body) is None
    assert not atlas.api.seen("/h2-field")
    assert not atlas.api.seen("/smuggled")


def test_a_client_that_only_resets_its_streams_is_cut_off(atlas: Atlas) -> None:
    """Each would cost the verification of a token and a request to the API (CVE-2023-44487)."""
    http2 = h2.connection.H2Connection()
    http2.initiate_connection()
    # To an API that no other test counts the requests of: what is on its way may arrive long after this test.
    headers = h2_headers(atlas, "/v1/apis/http/good/rapid")
    before = _cut_off(atlas)
    with atlas.client.connect() as connection, contextlib.suppress(ConnectionError):
        for number in range(1, 20_000, 2):
            http2.send_headers(number, headers, end_stream=True)
            http2.reset_stream(number)
            if number % 100 == 1:
                connection.sendall(http2.data_to_send())
    wait_until(lambda: _cut_off(atlas) == before + 1, "the connection is cut off")
    assert atlas.get(f"{PLAIN}/after").status == 200


def _cut_off(atlas: Atlas) -> int:
    statistics = admin(atlas.envoy, "/stats?filter=downstream_rq_too_many_premature_resets")
    return int(statistics.rpartition(":")[2])


@pytest.mark.parametrize("framing", ["", "Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nor_behind_an_upgrade_that_the_api_declines(atlas: Atlas, method: str, framing: str) -> None:
    """What follows is a web socket's, which there is not: to an API it would be a request that no rule has seen."""
    hidden = "GET /smuggled HTTP/1.1\r\nHost: api\r\nX-Body: x\r\n\r\n"
    upgrade = f"Upgrade: websocket\r\n{framing}"
    head = atlas.client.request(f"{PLAIN}/declined/status/404", token=atlas.key.token(), method=method)
    head = head.removesuffix(b"\r\n").replace(b"Connection: close", b"Connection: Upgrade")
    before = len(atlas.api.requests)
    answers = _talk(atlas, head + f"{upgrade}\r\n{hidden}".encode())
    assert answers.startswith(b"HTTP/1.1 404 ")
    assert answers.count(b"HTTP/1.1 ") == 1
    assert [request.target for request in atlas.api.requests[before:]] == ["/declined/status/404"]


def _talk(atlas: Atlas, data: bytes) -> bytes:
    with atlas.client.connect() as connection:
        connection.sendall(data)
        return read_all(connection)


def test_a_second_request_on_a_connection_is_judged_on_its_own(atlas: Atlas) -> None:
    first = atlas.client.request(f"{PLAIN}/first", token=atlas.key.token()).replace(b"Connection: close\r\n", b"")
    second = atlas.client.request(f"{PLAIN}/second")
    answers = _talk(atlas, first + second)
    assert [line.split(b" ")[0] for line in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"401"]
    assert not atlas.api.seen("/second")


def test_limits_of_headers(atlas: Atlas) -> None:
    assert atlas.get(f"{PLAIN}/large", "X-Large: " + "a" * 50_000).status == 200
    too_large = atlas.get(f"{PLAIN}/too-large", "X-Large: " + "a" * 70_000)
    assert (too_large.status, too_large.error) == (431, "API_RequestHeadersTooLargeError")
    too_long = atlas.get(f"{PLAIN}/" + "a" * 70_000)
    assert (too_long.status, too_long.error) == (431, "API_RequestHeadersTooLargeError")
    too_many = atlas.get(f"{PLAIN}/too-many", *(f"X-{n}: a" for n in range(120)))
    assert (too_many.status, too_many.error) == (431, "API_RequestHeadersTooLargeError")


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_an_error_of_the_api_is_passed_on_untouched(atlas: Atlas, status: int) -> None:
    answer = atlas.get(f"{PLAIN}/status/{status}")
    assert (answer.status, answer.body, answer.error) == (status, b"ok", None)
