"""A web socket outlives the token that opened it, so it has an end of its own; nothing else is cut."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest

from mom.envoy.options import Listen, Options
from mom.envoy.translate import translate
from tests.envoy.certificates import Authority
from tests.envoy.client import SECONDS, Client, read_all
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.running import free_port, running
from tests.envoy.tokens import es256, jwks
from tests.envoy.upstream import Upstream

P = "/v1/apis/http"
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")


def seconds_of_a_socket(client: Client, target: str, token: str) -> float:
    """Open a web socket, see that it works, and return after how long it was ended. 0 where it ended before that."""
    request = client.request(target, *UPGRADE, token=token).replace(b"Connection: close\r\n", b"")
    with client.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(request)
        began = time.monotonic()
        assert b" 101 " in reader.readline()
        while reader.readline().strip():
            pass
        try:
            connection.sendall(b"hello")
            echoed = reader.read(5)
        except ConnectionError:
            return 0
        if not echoed:
            return 0
        assert echoed == b"hello"
        read_all(connection)
        return time.monotonic() - began


def test_a_web_socket_ends_at_the_limit_and_an_event_stream_goes_on(
    secure_apis: dict[str, Upstream], authority: Authority, tmp_path: Path
) -> None:
    key = es256()
    options = Options(
        listen=Listen("127.0.0.1", free_port()),
        ca_file=str(authority.file),
        jwks={"keys": json.dumps(jwks(key))},
        stream_limit=1.0,
    )
    with Upstream() as api:
        secure = f"https://localhost:{secure_apis['good'].port}"
        adapters = http("plain", f"http://127.0.0.1:{api.port}"), http("tls", secure)
        given = configuration(*adapters, providers=(provider("keys"),))
        with (
            running(given, options, tmp_path) as envoy,
            envoy.client.connect() as stream,
            stream.makefile("rb") as reader,
        ):
            stream.sendall(envoy.client.request(f"{P}/plain/events/sse", token=key.token()))
            assert b" 200 " in reader.readline()
            for adapter in ("plain", "tls"):
                # A busy machine may not come to it within the second.
                tries = (seconds_of_a_socket(envoy.client, f"{P}/{adapter}/socket", key.token()) for _ in range(20))
                assert 0.9 <= next(filter(None, tries)) < SECONDS
            api.release("sse")
            assert b"data: second" in reader.read()


@pytest.mark.parametrize(("limit", "expected"), [(3600, "3600.000s"), (0, None)])
def test_the_limit_is_an_hour_unless_it_is_none(limit: float, expected: str | None) -> None:
    options = Options(listen=Listen("127.0.0.1", 8082), ca_file="/ca.pem", jwks={"keys": '{"keys": []}'})
    assert options.stream_limit == 3600
    given = configuration(
        http("one", "http://127.0.0.1:1"), http("two", "https://b.test"), providers=(provider("keys"),)
    )
    found = translate(given, dataclasses.replace(options, stream_limit=limit), directory="/x")
    limits = {
        cluster["name"]: next(iter(cluster["typed_extension_protocol_options"].values()))[
            "common_http_protocol_options"
        ].get("max_stream_duration")
        for cluster in found.clusters
    }
    sockets = {"http://127.0.0.1:1#websocket", "https#websocket"}
    assert {name for name in limits if name.endswith("#websocket")} == sockets
    assert limits == {name: expected if name in sockets else None for name in limits}
    assert "max_stream_duration" not in str(found.routes)
