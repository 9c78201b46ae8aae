"""One request for a key set: every bound it has, against real servers."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from mom.atlas.jwks import Jwks
from mom.run import fetch as module
from mom.run.fetch import NotFetched, fetch
from tests.envoy.certificates import Authority
from tests.envoy.conftest import server_context
from tests.envoy.running import free_port
from tests.envoy.tokens import es256, jwks
from tests.envoy.upstream import Upstream

KEYS = json.dumps(jwks(es256())).encode()


@contextlib.contextmanager
def server(*parts: bytes, pause: float = 0.0) -> Iterator[tuple[str, list[bytes]]]:
    """Serve one connection: send `parts` with pauses between them. Gives the URL, and the requests that came."""
    requests: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                requests.append(connection.recv(65_536))
                for part in parts:
                    connection.sendall(part)
                    time.sleep(pause)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/keys?x=1", requests
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(30)


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_a_key_set_is_fetched_and_judged() -> None:
    with server(response("200 OK", KEYS)) as (url, requests):
        found = fetch(url, "/none")
    assert isinstance(found, Jwks)
    assert (found.count, found.refused) == (1, ())
    assert requests[0].startswith(b"GET /keys?x=1 HTTP/1.1\r\n")


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_a_set_that_is_gone(status: str) -> None:
    with server(response(status)) as (url, _):
        found = fetch(url, "/none")
    assert isinstance(found, NotFetched)
    assert found.gone


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([response("500 Oops")], "HTTP 500"),
        ([response("401 Unauthorized")], "HTTP 401"),
        ([response("204 No Content")], "HTTP 204"),
        (
            [response("302 Found", b"", "Location: https://127.0.0.1:1/")],
            "HTTP 302: redirects are not followed",
        ),
        ([response("304 Not Modified")], "HTTP 304: redirects"),
        ([response("200 OK", b"<html>")], "is not JSON"),
        ([response("200 OK", b'{"a": 1}')], "is not a JWK Set"),
        ([response("200 OK", b"[" * 200_000)], "nested too deeply"),
        ([response("200 OK", b" " * (1 << 20) + b"{}")], "larger than 1,048,576 bytes"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"], "IncompleteRead|is not JSON"),
        ([b"garbage\r\n\r\n"], "garbage"),
        ([b""], "."),
        ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n"], "more than 100 headers"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000], "header line"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_every_other_failure_is_not_about_keys(parts: list[bytes], said: str) -> None:
    with server(*parts) as (url, _):
        found = fetch(url, "/none")
    assert isinstance(found, NotFetched)
    assert not found.gone
    assert re.search(said, found.reason), found.reason


def test_a_redirect_is_not_followed() -> None:
    with Upstream(body=KEYS) as other:
        location = f"Location: http://127.0.0.1:{other.port}/keys"
        with server(response("302 Found", b"", location)) as (url, _):
            assert isinstance(fetch(url, "/none"), NotFetched)
        assert other.requests == []


def test_no_server_there() -> None:
    found = fetch(f"http://127.0.0.1:{free_port()}/keys", "/none")
    assert found == NotFetched("Connection refused")


def test_a_server_that_sends_a_byte_now_and_then_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ALL_SECONDS", 0.5)
    began = time.monotonic()
    with server(*[b"H"] * 1_000, pause=0.1) as (url, _):
        assert isinstance(fetch(url, "/none"), NotFetched)
        assert time.monotonic() - began < 60


@pytest.mark.parametrize("name", ["self-signed", "wrong-name", "expired"])
def test_a_certificate_that_is_not_valid(name: str, secure_apis: dict[str, Upstream], authority: Authority) -> None:
    found = fetch(f"https://localhost:{secure_apis[name].port}/fetched", str(authority.file))
    assert isinstance(found, NotFetched)
    assert "certificate is not valid" in found.reason
    assert not secure_apis[name].seen("/fetched")


def test_a_certificate_that_is_valid(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> None:
    context = server_context(authority.issue("localhost"), tmp_path_factory.mktemp("idp"))
    with Upstream(context, body=KEYS) as idp:
        assert isinstance(fetch(f"https://localhost:{idp.port}/keys", str(authority.file)), Jwks)
        # Another authority's is not enough.
        assert isinstance(fetch(f"https://localhost:{idp.port}/keys", "/etc/ssl/certs/ca-certificates.crt"), NotFetched)
