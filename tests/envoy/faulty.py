"""APIs that fail, each in a way of its own: real servers on loopback."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Self

import h2.config
import h2.connection
import h2.errors
import h2.events

from tests.envoy.client import SECONDS
from tests.envoy.running import free_port

Behaviour = Callable[[socket.socket], None]


class FaultyServer:
    """Calls `behave` with each connection, which it closes afterwards, until the block ends."""

    def __init__(self, behave: Behaviour, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._behave = behave
        self._context = context
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # A port that the system chooses for ::1 may be that of another process's server at 127.0.0.1.
        port = free_port() if family == socket.AF_INET6 else 0
        self._listening = socket.create_server((host, port), backlog=128, family=family)
        self.port: int = self._listening.getsockname()[1]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(20)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            connection.settimeout(SECONDS)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._behave(connection)
        connection.close()


class Blackhole:
    """A port that accepts no connection and refuses none: the queue of its listener is full."""

    def __init__(self) -> None:
        self._sockets = [socket.socket()]
        self._sockets[0].bind(("127.0.0.1", 0))
        self._sockets[0].listen(0)
        self.port: int = self._sockets[0].getsockname()[1]
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", self.port))
            self._sockets.append(waiting)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._sockets:
            one.close()


def answers(data: bytes) -> Behaviour:
    """Return a server that reads a request and answers `data`, whatever that is."""

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(data)
        # Until the client closes: what it has not read must not be lost.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass

    return behave


def closes(connection: socket.socket) -> None:
    """Read a request, and close."""
    read_head(connection)


def closes_in_handshake(connection: socket.socket) -> None:
    """Read the beginning of a TLS handshake, and close."""
    connection.recv(65_536)


def resets_in_handshake(connection: socket.socket) -> None:
    """Read the beginning of a TLS handshake, and reset the connection."""
    connection.recv(65_536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def resets(connection: socket.socket) -> None:
    """Read a request, and reset the connection."""
    read_head(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def speaks_plain_http(connection: socket.socket) -> None:
    """Answer to the first bytes, whatever they are, in plain HTTP."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connection.recv(65_536)


def speaks_tls(connection: socket.socket) -> None:
    """Answer to a request in plain HTTP as OpenSSL does: with a TLS alert, `unexpected_message`."""
    connection.recv(65_536)
    connection.sendall(b"\x15\x03\x01\x00\x02\x02\x0a")


def speaks_http2_only(connection: socket.socket) -> None:
    """Answer an HTTP/1.1 request as an HTTP/2 server without TLS: SETTINGS, then GOAWAY (RFC 9113, 3.4)."""
    connection.recv(65_536)
    connection.sendall(b"\0\0\0\x04\0\0\0\0\0" + b"\0\0\x08\x07\0\0\0\0\0" + b"\0\0\0\0\0\0\0\x01")


def resets_stream(code: h2.errors.ErrorCodes) -> Behaviour:
    """Return a server that answers each HTTP/2 request with RST_STREAM."""

    def behave(connection: socket.socket) -> None:
        http2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        http2.initiate_connection()
        connection.sendall(http2.data_to_send())
        while data := connection.recv(65_536):
            for event in http2.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    http2.reset_stream(event.stream_id, code)
            connection.sendall(http2.data_to_send())

    return behave


def is_silent(connection: socket.socket) -> None:
    """Read, and say nothing."""
    while connection.recv(65_536):
        pass


def read_head(connection: socket.socket) -> bytes:
    """Read until the end of the headers, or of the connection."""
    data = b""
    while b"\r\n\r\n" not in data and (part := connection.recv(65_536)):
        data += part
    return data
