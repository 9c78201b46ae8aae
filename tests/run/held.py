"""Connections that a client keeps open through changes, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Protocol

import h2.connection
import h2.events

from tests.envoy.client import Client, read_response


class Held(Protocol):
    """One open connection."""

    def status(self, path: str, token: str) -> int:
        """Send a request on it and return the status of the response."""


class Http1:
    """HTTP/1.1 with keep-alive. `closing`: whether the last response announced the end of the connection."""

    def __init__(self, client: Client, connection: socket.socket) -> None:
        self._client = client
        self._connection = connection
        self._reader = connection.makefile("rb")
        self.closing = False

    def status(self, path: str, token: str) -> int:
        """Send a request on it and return the status of the response."""
        request = self._client.request(path, token=token).replace(b"Connection: close\r\n", b"")
        self._connection.sendall(request)
        response = read_response(self._reader)
        self.closing = response.headers.get("connection") == "close"
        return response.status


class Http2:
    """HTTP/2 with prior knowledge, one request after the other. `closing`: whether a GOAWAY has come."""

    def __init__(self, client: Client, connection: socket.socket) -> None:
        self._authority = f"127.0.0.1:{client.port}"
        self._connection = connection
        self._http2 = h2.connection.H2Connection()
        # RFC 9113, 6.8: streams that are open go on after a GOAWAY, which this library does not allow.
        state = h2.connection.ConnectionState.CLIENT_OPEN
        machine = self._http2.state_machine
        going = {(state, h2.connection.ConnectionInputs.RECV_GOAWAY): (None, state)}
        machine._transitions = {**machine._transitions, **going}
        self._http2.initiate_connection()
        self.closing = False

    def status(self, path: str, token: str) -> int:
        """Send a request on it and return the status of the response."""
        stream = self._http2.get_next_available_stream_id()
        pseudo = [(":method", "GET"), (":scheme", "http"), (":authority", self._authority), (":path", path)]
        self._http2.send_headers(stream, [*pseudo, ("atlas-accesstoken", token)], end_stream=True)
        status = 0
        while True:
            self._connection.sendall(self._http2.data_to_send())
            data = self._connection.recv(65_536)
            assert data, "the connection was closed"
            for event in self._http2.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = int({bytes(name): value for name, value in event.headers or []}[b":status"])
                if isinstance(event, h2.events.ConnectionTerminated):
                    self.closing = True
                if isinstance(event, h2.events.StreamEnded):
                    return status


class Each:
    """Several connections. The status of a request is 0 where they do not agree on it."""

    def __init__(self, *connections: Http1 | Http2) -> None:
        self._connections = connections

    def status(self, path: str, token: str) -> int:
        """Send a request on each and return the status of the responses."""
        statuses = {connection.status(path, token) for connection in self._connections}
        return statuses.pop() if len(statuses) == 1 else 0


@contextlib.contextmanager
def held_both(client: Client) -> Iterator[Each]:
    """Open a connection over HTTP/1.1 and one over HTTP/2, and close them with the block."""
    with held(Http1, client) as one, held(Http2, client) as two:
        yield Each(one, two)


@contextlib.contextmanager
def held(kind: type[Http1 | Http2], client: Client) -> Iterator[Http1 | Http2]:
    """Open a connection and close it with the block."""
    with client.connect() as connection:
        yield kind(client, connection)
