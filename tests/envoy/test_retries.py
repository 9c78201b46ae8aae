"""A request is sent again when the API cannot have begun to process it, whatever its method, by a real Envoy."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest
from h2.errors import ErrorCodes

from mom.envoy.options import Listen, Options
from tests.envoy.faulty import FaultyServer
from tests.envoy.rules import configured
from tests.envoy.running import free_port, running
from tests.envoy.tokens import es256, jwks


class Refusals:
    """An API that resets the first streams with a code and answers the next one; `seen` are all of them."""

    def __init__(self, code: ErrorCodes, times: int) -> None:
        self._code, self._times = code, times
        self._lock = threading.Lock()
        self.seen: list[bytes] = []

    def behave(self, connection: socket.socket) -> None:
        http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        http2.initiate_connection()
        connection.sendall(http2.data_to_send())
        while data := connection.recv(65_536):
            for event in http2.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self._answer(http2, event)
            connection.sendall(http2.data_to_send())

    def _answer(self, http2: h2.connection.H2Connection, event: h2.events.RequestReceived) -> None:
        with self._lock:
            self.seen.append(dict(event.headers)[b":method"])
            refused = len(self.seen) <= self._times
        if refused:
            http2.reset_stream(event.stream_id, self._code)
        else:
            http2.send_headers(event.stream_id, [(":status", "200"), ("content-length", "0")], end_stream=True)


@pytest.mark.parametrize("tree_above", [10, 0])
@pytest.mark.parametrize(
    ("api", "status", "seen"),
    [
        ((ErrorCodes.REFUSED_STREAM, 4), 200, 5),
        ((ErrorCodes.REFUSED_STREAM, 99), 503, 5),
        # The API may have processed it.
        ((ErrorCodes.INTERNAL_ERROR, 99), 502, 1),
    ],
)
def test_a_request_is_sent_again_where_the_api_has_refused_it(
    tmp_path: Path, tree_above: int, api: tuple[ErrorCodes, int], status: int, seen: int
) -> None:
    key, refusals = es256(), Refusals(*api)
    with FaultyServer(refusals.behave) as server:
        given = configured({"api": {"http2": "prior-knowledge"}}, f"http://127.0.0.1:{server.port}")
        options = Options(
            listen=Listen("127.0.0.1", free_port()),
            ca_file="/etc/ssl/certs/ca-certificates.crt",
            jwks={"keys.json": json.dumps(jwks(key))},
            tree_above=tree_above,
        )
        with running(given, options, tmp_path) as envoy:
            answer = envoy.client.send("/v1/apis/http/api/x", token=key.token(), method="POST")
    assert (answer.status, refusals.seen) == (status, [b"POST"] * seen)
