"""HTTP/2 on either side: a client that sends what a test wants sent, and an API that records what comes."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tests.envoy.client import SECONDS
from tests.envoy.conftest import Atlas

Pairs = Sequence[tuple[str, str]]


@dataclass
class Http2Response:
    """What a client got: header names as sent, and trailers."""

    headers: dict[str, str] = field(default_factory=dict)
    trailers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __getitem__(self, name: str) -> str:
        return self.headers[name]


def over_http2(
    connection: socket.socket, headers: Pairs, *, trailers: Pairs = (), body: bytes = b""
) -> Http2Response | None:
    """Send one HTTP/2 request, nothing in it checked, and return the response; None if it is reset."""
    config = h2.config.H2Configuration(
        client_side=True,
        header_encoding="latin-1",
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
        validate_inbound_headers=False,
    )
    http2 = h2.connection.H2Connection(config)
    http2.initiate_connection()
    http2.send_headers(1, _raw(headers), end_stream=not (trailers or body))
    if body:
        http2.send_data(1, body, end_stream=not trailers)
    if trailers:
        http2.send_headers(1, _raw(trailers), end_stream=True)
    connection.sendall(http2.data_to_send())
    response = Http2Response()
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(65536):
            for event in http2.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    response.headers = {str(name): str(value) for name, value in event.headers or []}
                if isinstance(event, h2.events.DataReceived):
                    response.body += event.data or b""
                if isinstance(event, h2.events.TrailersReceived):
                    response.trailers = {str(name): str(value) for name, value in event.headers or []}
                if isinstance(event, h2.events.StreamEnded):
                    return response
                if isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                    return response if response.headers else None
            connection.sendall(http2.data_to_send())
    return None


def _raw(pairs: Pairs) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def h2_headers(atlas: Atlas, path: str, method: str = "GET", **extra: str) -> list[tuple[str, str]]:
    """Return the headers of a request with a good token; `_` in a name of `extra` is `-`."""
    authority = f"127.0.0.1:{atlas.client.port}"
    pseudo = [(":method", method), (":scheme", "http"), (":authority", authority), (":path", path)]
    return [*pseudo, ("atlas-accesstoken", atlas.key.token()), *((k.replace("_", "-"), v) for k, v in extra.items())]


@dataclass
class Http2Request:
    """A request as the API got it."""

    headers: list[tuple[str, str]]
    trailers: list[tuple[str, str]] = field(default_factory=list)


class Http2Api:
    """An API that speaks HTTP/2 where it is offered, and says how many requests a connection may carry.

    `trailers`: what ends each response. Without a TLS context it speaks HTTP/2 at once, and nothing else (h2c).
    """

    def __init__(
        self, context: ssl.SSLContext | None, requests_per_connection: int = 1_000, trailers: Pairs = ()
    ) -> None:
        if context is not None:
            context.set_alpn_protocols(["h2", "http/1.1"])
        self._context = context
        self._limit = requests_per_connection
        self._trailers = trailers
        self.protocols: list[str | None] = []
        self.requests: list[Http2Request] = []
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """End all connections and threads."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(20)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self._listening.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(raw,), daemon=True))
                self._threads[-1].start()

    def _serve(self, raw: socket.socket) -> None:
        raw.settimeout(SECONDS)
        if self._context is None:
            with contextlib.suppress(OSError, h2.exceptions.ProtocolError), raw:
                self._http2(raw)
            return
        with (
            contextlib.suppress(OSError, h2.exceptions.ProtocolError),
            self._context.wrap_socket(raw, server_side=True) as connection,
        ):
            self.protocols.append(connection.selected_alpn_protocol())
            if connection.selected_alpn_protocol() == "h2":
                self._http2(connection)
            else:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
                )

    def _http2(self, connection: socket.socket) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="latin-1", validate_inbound_headers=False)
        http2 = h2.connection.H2Connection(config)
        http2.initiate_connection()
        connection.sendall(http2.data_to_send())
        received: dict[int, Http2Request] = {}
        while data := connection.recv(65536):
            for event in http2.receive_data(data):
                if isinstance(event, h2.events.RequestReceived) and event.stream_id is not None:
                    if len(received) >= self._limit:
                        # As nginx does after `keepalive_requests`: this one was not processed.
                        http2.close_connection(last_stream_id=event.stream_id - 2)
                        connection.sendall(http2.data_to_send())
                        while connection.recv(65536):
                            pass
                        return
                    received[event.stream_id] = Http2Request([(str(k), str(v)) for k, v in event.headers or []])
                if isinstance(event, h2.events.TrailersReceived) and event.stream_id is not None:
                    received[event.stream_id].trailers += [(str(k), str(v)) for k, v in event.headers or []]
                if isinstance(event, h2.events.StreamEnded) and event.stream_id is not None:
                    self.requests.append(received[event.stream_id])
                    http2.send_headers(event.stream_id, [(":status", "200")], end_stream=not self._trailers)
                    if self._trailers:
                        http2.send_data(event.stream_id, b"ok")
                        http2.send_headers(event.stream_id, self._trailers, end_stream=True)
            connection.sendall(http2.data_to_send())
