"""Limits against clients that take connections and do nothing with them."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mom.envoy.limits import FEWEST_FILES, MOST, limits
from mom.envoy.options import Certificate, Listen, Options
from tests.envoy.certificates import Authority
from tests.envoy.client import Client, read_all
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import wait_until

P = "/v1/apis/http"


@pytest.mark.parametrize("upstreams", [0, 1, 2, 8, 9, 100, 5_000])
@pytest.mark.parametrize("files", [FEWEST_FILES, 256, 1_024, 4_096, 10_240, 65_536, 1_048_576])
def test_clients_and_the_apis_in_use_never_need_more_files_than_there_are(files: int, upstreams: int) -> None:
    found = limits(files, upstreams)
    assert 1 <= found.clients <= MOST
    assert 1 <= found.upstream <= MOST
    assert found.clients == limits(files).clients
    if upstreams <= 8:
        assert found.clients + found.upstream * upstreams + upstreams < files


# A second for three minutes and for ten seconds.
TIMES = {"idle_timeout": ("180s", "1s"), "transport_socket_connect_timeout": ("10s", "1s")}


@pytest.fixture(scope="module")
def key() -> Key:
    return es256()


@pytest.fixture(scope="module", params=["http", "https"])
def impatient(
    request: pytest.FixtureRequest, api: Upstream, authority: Authority, key: Key, tmp_path_factory: Any
) -> Iterator[Running]:
    """Return an Envoy that waits a second where others wait for minutes."""
    folder: Path = tmp_path_factory.mktemp("impatient")
    files = authority.issue("localhost").write(folder)
    tls = Certificate(str(files.chain), str(files.key)) if request.param == "https" else None
    listen = Listen("127.0.0.1", free_port())
    options = Options(listen=listen, ca_file=str(authority.file), jwks={"k": json.dumps(jwks(key))}, tls=tls)
    given = configuration(http("api", f"http://127.0.0.1:{api.port}"), providers=(provider("k"),))
    with running(given, options, folder, times=TIMES) as envoy:
        yield envoy


def test_a_silent_connection_is_closed(impatient: Running) -> None:
    """Before the TLS handshake and before the first request: whatever it is that is waited for."""
    with Client(impatient.client.port).connect() as silent:
        assert read_all(silent) == b""


def test_a_connection_that_is_idle_after_a_response_is_closed(impatient: Running, authority: Authority) -> None:
    assert is_served_and_closed(impatient, authority)


def is_served_and_closed(impatient: Running, authority: Authority) -> bool:
    """Whether a connection that stays open after its request is closed. Tries again where this process is too slow."""
    request = impatient.client.request("/healthz").replace(b"Connection: close\r\n", b"")
    received = b""

    def is_answered() -> bool:
        nonlocal received
        with contextlib.suppress(OSError), client(impatient, authority).connect() as connection:
            connection.sendall(request)
            received = read_all(connection)
        return received != b""

    wait_until(is_answered, "no response within the second that a connection may be silent")
    return received.startswith(b"HTTP/1.1 200")


def test_a_connection_with_a_stream_is_not_closed(
    impatient: Running, api: Upstream, authority: Authority, key: Key
) -> None:
    """An event stream that is silent for longer than a silent connection may be."""
    name = f"silent-{impatient.client.port}"
    request = impatient.client.request(f"{P}/api/events/{name}", token=key.token())
    streams: list[socket.socket] = []
    with contextlib.ExitStack() as stack:

        def has_begun() -> bool:
            with contextlib.suppress(OSError):
                streams.append(stack.enter_context(client(impatient, authority).connect()))
                streams[-1].sendall(request)
                return streams[-1].recv(1) == b"H"
            return False

        wait_until(has_begun, "no response within the second that a connection may be silent")
        # Its end says that the time is over.
        assert is_served_and_closed(impatient, authority)
        api.release(name)
        assert b"data: second" in read_all(streams[-1])


def client(envoy: Running, authority: Authority) -> Client:
    """Return a client for it that speaks TLS if it does."""
    if '"transport_socket"' not in (envoy.folder / "bootstrap.json").read_text():
        return envoy.client
    context = ssl.create_default_context(cafile=str(authority.file))
    context.set_alpn_protocols(["http/1.1"])
    return Client(envoy.client.port, context=context)


def test_a_client_beyond_the_limit_is_refused_at_once_and_served_when_others_have_gone(
    api: Upstream, authority: Authority, key: Key, tmp_path: Path
) -> None:
    """Clients of the gateway and readers of its metrics, who need no token, do not get in each other's way."""
    options = Options(
        listen=Listen("127.0.0.1", free_port()),
        ca_file=str(authority.file),
        jwks={"k": json.dumps(jwks(key))},
        open_files=FEWEST_FILES,
        metrics=Listen("127.0.0.1", free_port()),
        admin_socket=str(tmp_path / "admin.sock"),
    )
    given = configuration(http("api", f"http://127.0.0.1:{api.port}"), providers=(provider("k"),))
    with running(given, options, tmp_path) as envoy:
        assert options.metrics is not None
        at_metrics = Client(options.metrics.port)
        for full, path, other, others_path in (
            (envoy.client, "/healthz", at_metrics, "/metrics"),
            (at_metrics, "/metrics", envoy.client, "/healthz"),
        ):
            held = [full.connect() for _ in range(limits(FEWEST_FILES).clients + 5)]
            try:
                assert not is_served(full, path)
                assert is_served(other, others_path)
            finally:
                for connection in held:
                    connection.close()
            wait_until(lambda: is_served(full, path), "nobody is served after the silent clients have gone")  # noqa: B023


def test_no_api_takes_all_connections_and_those_that_wait_are_served(
    api: Upstream, authority: Authority, key: Key, tmp_path: Path
) -> None:
    options = Options(
        listen=Listen("127.0.0.1", free_port()),
        ca_file=str(authority.file),
        jwks={"k": json.dumps(jwks(key))},
        open_files=FEWEST_FILES,
    )
    names = [f"api{number}" for number in range(3)]
    origins = {names[0]: f"http://127.0.0.1:{api.port}", names[1]: "http://127.0.0.2:9", names[2]: "http://127.0.0.3:9"}
    given = configuration(*(http(*one) for one in origins.items()), providers=(provider("k"),))
    found = limits(FEWEST_FILES, len(origins))
    assert found.upstream < found.clients - 2
    with running(given, options, tmp_path) as envoy, contextlib.ExitStack() as stack:
        # Two fewer than there may be: the connection by which the start was noticed may not be gone yet.
        clients = [stack.enter_context(envoy.client.connect()) for _ in range(found.clients - 2)]
        for connection in clients:
            connection.sendall(envoy.client.request(f"{P}/{names[0]}/hold/full", token=key.token()))
        api.wait("/hold/full", count=found.upstream)
        files = sum(1 for _ in Path(f"/proc/{envoy.process.pid}/fd").iterdir())
        assert files < FEWEST_FILES
        assert len(api.seen("/hold/full")) == found.upstream
        api.release("full")
        assert {read_all(connection)[:15] for connection in clients} == {b"HTTP/1.1 200 OK"}


def is_served(client: Client, path: str = "/healthz") -> bool:
    """Whether a request is answered."""
    try:
        return client.raw(client.request(path)).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
