"""A client's connection ends with a response after a time, so that it comes to another replica; no request is lost."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import h2.connection
import h2.events
import pytest

from mom.envoy.options import Listen, Options
from mom.envoy.translate import translate
from tests.envoy.certificates import Authority
from tests.envoy.client import SECONDS, Client, read_response
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.running import free_port, running
from tests.envoy.tokens import es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import mom_run, wait_until

P = "/v1/apis/http/plain"


def over_one_connection(client: Client, token: str, pause: float) -> list[str | None]:
    """Send requests over a connection until a response announces its end; return what each says of it."""
    request = client.request(f"{P}/x", token=token).replace(b"Connection: close\r\n", b"")
    said: list[str | None] = []
    with client.connect() as connection, connection.makefile("rb") as reader:
        deadline = time.monotonic() + SECONDS
        while "close" not in said and time.monotonic() < deadline:
            time.sleep(pause if said else 0)
            connection.sendall(request)
            response = read_response(reader)
            assert response.status == 200
            said.append(response.headers.get("connection"))
        assert reader.read() == b""
    return said


def goes_away(client: Client, token: str) -> bool:
    """Whether an idle connection over HTTP/2 is told to end, after its request was answered."""
    http2 = h2.connection.H2Connection()
    http2.initiate_connection()
    address = f"127.0.0.1:{client.port}"
    pseudo = [(":method", "GET"), (":scheme", "http"), (":authority", address), (":path", f"{P}/x")]
    http2.send_headers(1, [*pseudo, ("atlas-accesstoken", token)], end_stream=True)
    seen: set[type] = set()
    with client.connect() as connection:
        connection.sendall(http2.data_to_send())
        while data := connection.recv(65_536):
            seen |= {type(event) for event in http2.receive_data(data)}
            connection.sendall(http2.data_to_send())
    return {h2.events.StreamEnded, h2.events.ConnectionTerminated} <= seen


def test_a_connection_ends_with_a_response_and_a_stream_goes_on(authority: Authority, tmp_path: Path) -> None:
    key = es256()
    options = Options(
        listen=Listen("127.0.0.1", free_port()),
        ca_file=str(authority.file),
        jwks={"keys": json.dumps(jwks(key))},
        connection_limit=0.5,
    )
    with Upstream() as api:
        given = configuration(http("plain", f"http://127.0.0.1:{api.port}"), providers=(provider("keys"),))
        with (
            running(given, options, tmp_path) as envoy,
            envoy.client.connect() as stream,
            stream.makefile("rb") as reader,
        ):
            stream.sendall(envoy.client.request(f"{P}/events/sse", token=key.token()))
            assert b" 200 " in reader.readline()

            def said(pause: float) -> list[str | None]:
                found = over_one_connection(envoy.client, key.token(), pause)
                assert set(found[:-1]) <= {None}
                return found

            # How many requests there are in half a second, if any, is the machine's.
            wait_until(lambda: len(said(0.02)) > 2, "several requests")
            # Idle at its limit, and longer than Envoy waits for a client that does not obey: it is not closed.
            wait_until(lambda: said(2.0) == [None, "close"], "a request before the limit and one after it")
            assert goes_away(envoy.client, key.token())
            api.release("sse")
            assert b"data: second" in reader.read()


@pytest.mark.proof
def test_a_run_ends_connections_by_their_age_where_it_is_told_to(tmp_path: Path) -> None:
    with Upstream() as api, mom_run(tmp_path) as run:
        run.configure({"plain": (f"http://127.0.0.1:{api.port}", {})})
        run.start("--connection-limit", "1")
        assert over_one_connection(run.client, run.token(), 0.1)[-1] == "close"
        assert run.end() == 0


def test_a_run_ends_no_connection_by_its_age() -> None:
    options = Options(listen=Listen("127.0.0.1", 8082), ca_file="/ca.pem", jwks={"keys": '{"keys": []}'})
    given = configuration(http("one", "http://127.0.0.1:1"), providers=(provider("keys"),))
    limited = dataclasses.replace(options, connection_limit=20.0)

    assert "max_connection_duration" not in str(translate(given, options).listener)
    assert "'max_connection_duration': '20.000s'" in str(translate(given, limited).listener)
