"""A server on loopback that records every request and answers as the path says.

| the path starts with | what happens |
|---|---|
| `/redirect?to=URL` | 302 to URL, as it is written |
| `/token/NAME` | a token of OAuth2, `token-of-NAME` |
| `/status/N` | that status, with a body |
| `/hold` | the headers and a byte of the body; the rest after `release()` |
| anything else | 200, with a body that repeats method, path and the request's body |
"""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request: `headers` in the order and the case in which they came."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Return every value of the header `name`."""
        return [value for header, value in self.headers if header.lower() == name.lower()]

    @property
    def tokens(self) -> list[str]:
        """Every Atlas-Accesstoken that came with it."""
        return self.all("Atlas-Accesstoken")


class Recorder:
    """The server, running in threads of its own until `close`."""

    def __init__(
        self, *, host: str = "127.0.0.1", certificate: tuple[Path, Path] | None = None, family: int = socket.AF_INET
    ) -> None:
        """Listen on a free port of `host`, with TLS where there is a certificate (chain, key)."""
        recorder = self

        class Handler(_Handler):
            owner = recorder

        class Server(http.server.ThreadingHTTPServer):
            address_family = family
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A client that goes away, or does not like the certificate, is part of the tests."""

        self.requests: list[Request] = []
        self.connections = 0
        self.held = threading.Event()
        self._released = threading.Event()
        self._server = Server((host, 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.scheme = "https" if certificate else "http"
        self.port: int = self._server.server_address[1]
        self.host = f"[{host}]" if ":" in host else host
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        """`scheme://host:port`."""
        return f"{self.scheme}://{self.host}:{self.port}"

    def release(self) -> None:
        """Let the held answers end."""
        self._released.set()

    def released(self) -> None:
        """Wait for `release`."""
        self._released.wait(600)

    def take(self) -> list[Request]:
        """Return what was recorded since the last call."""
        taken, self.requests = self.requests, []
        return taken

    def close(self) -> None:
        """Stop listening."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    # An answer is two writes, and the second would wait for the first one's acknowledgement.
    disable_nagle_algorithm = True
    owner: Recorder

    def setup(self) -> None:
        self.owner.connections += 1
        super().setup()

    def __getattr__(self, name: str) -> Any:
        """Answer every method alike."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self) -> None:
        body = self._body()
        self.owner.requests.append(Request(self.command, self.path, tuple(self.headers.items()), body))
        if self.path.startswith("/redirect?to="):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/redirect?to="))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status = int(self.path.split("/")[2]) if self.path.startswith("/status/") else 200
        answer = f"{self.command} {self.path}\n".encode() + body + b"\n"
        if self.path.startswith("/token/"):
            # Of OAuth2 (RFC 6749, 5.1).
            name = self.path.removeprefix("/token/")
            answer = json.dumps({"access_token": f"token-of-{name}", "expires_in": 3600}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Echo", "yes")
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.path.startswith("/hold"):
            self.wfile.write(answer[:1])
            self.wfile.flush()
            self.owner.held.set()
            self.owner.released()
            self.wfile.write(answer[1:])
            return
        self.wfile.write(answer)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Always the same date: answers are compared."""
        return super().date_time_string(0 if timestamp is None else timestamp)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
