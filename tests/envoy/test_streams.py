"""What goes on for long: event streams, web sockets, bodies of any size, and HTTP/2 on either side."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator

import pytest

from tests.envoy.certificates import Authority
from tests.envoy.client import SECONDS, read_chunks
from tests.envoy.conftest import Atlas
from tests.envoy.http2 import Http2Api, h2_headers, over_http2

P = "/v1/apis/http"


def test_events_come_as_they_are_sent(atlas: Atlas) -> None:
    """The second event is sent only after the first one has arrived."""
    with atlas.client.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(atlas.client.request(f"{P}/plain/events/sse", token=atlas.key.token()))
        while reader.readline().strip():
            pass
        chunks = read_chunks(reader)
        assert next(chunks) == b"data: first\n\n"
        atlas.api.release("sse")
        assert list(chunks) == [b"data: second\n\n"]


@pytest.mark.parametrize("adapter", ["plain", "good"])
def test_a_web_socket(atlas: Atlas, adapter: str) -> None:
    target = f"{P}/{adapter}/socket"
    upgrade = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    request = atlas.client.request(target, *upgrade, token=atlas.key.token()).replace(b"Connection: close\r\n", b"")
    with atlas.client.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(request)
        assert b" 101 " in reader.readline()
        while reader.readline().strip():
            pass
        for frame in (b"\x81\x05hello", bytes(range(256))):
            connection.sendall(frame)
            assert reader.read(len(frame)) == frame
    seen = (atlas.api if adapter == "plain" else atlas.secure).seen("/socket")[-1]
    assert "atlas-accesstoken" not in seen.names
    assert len(seen.get("authorization")) == 1
    assert atlas.client.send(target, *upgrade[1:]).status == 401


def test_a_large_upload_in_chunks(atlas: Atlas) -> None:
    digest = hashlib.sha256()
    head = atlas.client.request(
        f"{P}/plain/upload", "Transfer-Encoding: chunked", token=atlas.key.token(), method="POST"
    )
    with atlas.client.connect() as connection:
        connection.sendall(head)
        for number in range(64):
            part = bytes([number]) * 500_000
            digest.update(part)
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        connection.sendall(b"0\r\n\r\n")
        assert b" 200 " in connection.recv(1000)
    assert hashlib.sha256(atlas.api.seen("/upload")[0].body).digest() == digest.digest()


def test_expect_continue(atlas: Atlas) -> None:
    head = atlas.client.request(f"{P}/plain/continue", "Expect: 100-continue", "Content-Length: 4", method="PUT")
    head = head.replace(b"Connection: close", b"Atlas-Accesstoken: " + atlas.key.token().encode())
    with atlas.client.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(head)
        assert b" 100 " in reader.readline()
        connection.sendall(b"body")
        assert reader.readline() == b"\r\n"
        assert b" 200 " in reader.readline()
    assert atlas.api.seen("/continue")[0].body == b"body"


def test_http2_from_the_client(atlas: Atlas) -> None:
    with atlas.client.connect() as connection:
        answer = over_http2(connection, h2_headers(atlas, f"{P}/plain/h2-client", authorization="client"))
    assert answer is not None
    assert answer[":status"] == "200"
    (request,) = atlas.api.seen("/h2-client")
    assert len(request.get("authorization")) == 1
    assert "client" not in request.get("authorization")[0]


@pytest.mark.parametrize(
    ("path", "method", "extra"),
    [
        pytest.param(f"{P}/plain/h2-refused", "trace", {}, id="trace in small letters"),
        pytest.param(f"{P}/plain/h2-refused", "TRACE", {}, id="TRACE"),
        pytest.param(f"{P}/plain/../h2-refused", "GET", {}, id="a dot segment"),
        pytest.param(f"{P}/plain/h2-refused\r\nX: y", "GET", {}, id="a raw line end in the path"),
        pytest.param(f"{P}/plain/h2-refused", "GET", {"x": "a\r\nauthorization: b"}, id="a raw line end in a header"),
        pytest.param(f"{P}/plain/h2-refused", "GET", {"transfer_encoding": "chunked"}, id="a framing header"),
        pytest.param(f"{P}/plain/h2-refused", "GET", {"connection": "authorization"}, id="a connection header"),
        pytest.param(f"{P}/plain/h2-refused", "GET", {"content_length": "5"}, id="a length that is not so"),
        pytest.param("plain/h2-refused", "GET", {}, id="a relative path"),
    ],
)
def test_what_is_refused_over_http2(atlas: Atlas, path: str, method: str, extra: dict[str, str]) -> None:
    with atlas.client.connect() as connection:
        answer = over_http2(connection, h2_headers(atlas, path, method, **extra))
    assert answer is None or answer[":status"] in {"400", "404", "405"}
    assert not atlas.api.seen("/h2-refused")


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param([("X-Upper", "a")], id="an upper-case name"),
        pytest.param([("connection", "close")], id="connection"),
        pytest.param([("keep-alive", "timeout=1")], id="another hop-by-hop header"),
        pytest.param([("transfer-encoding", "chunked")], id="transfer-encoding"),
        pytest.param([("x", "a\nb")], id="a line ending in a value"),
        pytest.param([("content-length", "5")], id="a length that is not so"),
        pytest.param([(":path", "/")], id="a pseudo-header after others"),
        pytest.param([("x y", "a")], id="a blank in a name"),
    ],
)
def test_what_http2_itself_refuses_is_a_reset(atlas: Atlas, extra: list[tuple[str, str]]) -> None:
    """docs/clients.md says so: no response could tell the cause (RFC 9113, 8.1.1)."""
    with atlas.client.connect() as connection:
        assert over_http2(connection, [*h2_headers(atlas, f"{P}/plain/h2-reset"), *extra]) is None
    assert not atlas.api.seen("/h2-reset")


@pytest.fixture
def http2_api(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http2Api]:
    from tests.envoy.conftest import server_context

    api = Http2Api(server_context(authority.issue("localhost"), tmp_path_factory.mktemp("h2")), 20)
    yield api
    api.close()


def test_http2_to_the_api_with_goaways_and_a_web_socket_beside_it(
    http2_api: Http2Api, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A server that ends its connections after a few requests loses none of them."""
    import json

    from mom.envoy.options import Listen, Options
    from tests.envoy.configurations import configuration, http, provider
    from tests.envoy.running import free_port, running
    from tests.envoy.tokens import es256, jwks

    key = es256()
    given = configuration(http("two", f"https://localhost:{http2_api.port}"), providers=(provider("keys"),))
    options = Options(
        listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file), jwks={"keys": json.dumps(jwks(key))}
    )
    statuses: list[int] = []
    with running(given, options, tmp_path_factory.mktemp("two")) as envoy:

        def send() -> None:
            statuses.extend(envoy.client.send(f"{P}/two/x", token=key.token()).status for _ in range(10))

        clients = [threading.Thread(target=send) for _ in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(SECONDS)
        assert statuses == [200] * 80
        assert set(http2_api.protocols) == {"h2"}
        upgrade = envoy.client.send(f"{P}/two/x", "Connection: Upgrade", "Upgrade: websocket", token=key.token())
        assert upgrade.status == 101
        assert http2_api.protocols[-1] != "h2"
