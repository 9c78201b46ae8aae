"""Clients that send exactly the bytes a test wants to send."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

# How long a test waits for what a machine without other work does in milliseconds.
SECONDS = 120.0


@dataclass(frozen=True)
class Response:
    """An answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> str | None:
        """The type of Atlas's own error, None where the API answered."""
        return self.headers.get("atlas-error")

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Talks to the Atlas at `port`."""

    port: int
    host: str = "127.0.0.1"
    context: ssl.SSLContext | None = None

    def connect(self) -> socket.socket:
        """Open a connection."""
        raw = socket.create_connection((self.host, self.port), timeout=SECONDS)
        if self.context is None:
            return raw
        return self.context.wrap_socket(raw, server_hostname="localhost")

    def raw(self, data: bytes) -> bytes:
        """Send `data` and return everything until the server closes the connection; empty after a reset."""
        with self.connect() as connection:
            connection.sendall(data)
            return read_all(connection)

    def send(
        self,
        target: str,
        *headers: str,
        token: str | None = None,
        method: str = "GET",
        body: bytes = b"",
        host: str | None = None,
    ) -> Response:
        """Send one request, nothing in it encoded or normalised, and return the answer."""
        data = self.request(target, *headers, token=token, method=method, body=body, host=host)
        with self.connect() as connection, connection.makefile("rb") as reader:
            connection.sendall(data)
            return read_response(reader, head_only=method == "HEAD")

    def request(
        self,
        target: str,
        *headers: str,
        token: str | None = None,
        method: str = "GET",
        body: bytes = b"",
        host: str | None = None,
    ) -> bytes:
        """Return the bytes of a request after whose answer the connection is closed."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{self.port}'}", "Connection: close"]
        lines += [f"Atlas-Accesstoken: {token}"] if token is not None else []
        lines += [f"Content-Length: {len(body)}"] if body else []
        return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + body


def read_all(connection: socket.socket) -> bytes:
    """Read until the peer closes or resets."""
    data = b""
    try:
        while part := connection.recv(1 << 20):
            data += part
    except ConnectionResetError:
        pass
    return data


def read_response(reader: IO[bytes], *, head_only: bool = False) -> Response:
    """Read one whole HTTP/1.1 answer, without waiting for the end of the connection. Raises OSError without one."""
    first = reader.readline().decode("latin-1")
    if not first:
        raise ConnectionResetError("the connection was closed before a response")
    headers = {}
    while line := reader.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(read_chunks(reader))
    else:
        body = b"" if head_only else reader.read(int(headers.get("content-length", "0")))
    return Response(int(first.split(" ")[1]), headers, body)


def read_chunks(reader: IO[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a body as they come."""
    while size := int(reader.readline(), 16):
        yield reader.read(size)
        reader.readline()
    reader.readline()
