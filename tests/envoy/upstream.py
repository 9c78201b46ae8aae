"""The third-party API: a server on loopback that records the bytes it gets and behaves as the path says.

| the path ends in | what happens |
|---|---|
| `/status/N` | that status |
| `/hold/KEY` | no answer until `release(KEY)`, then 200 |
| `/events/KEY` | one event at once, one more after `release(KEY)`, then the end; headers of the query |
| `/reset` | the connection is reset after the request |
| `/garbage` | an answer that is not HTTP |
| `/huge/N` | a body of N bytes |
| `/hostile` | headers that must not reach a client |
| `/headers/N` | N headers `X-0`, `X-1`, … |
| `/trailers` | a chunked body with the trailers `X-Checksum`, `Set-Cookie` and `Atlas-Error` |
| `/hints` | 103 before 200 |
| `/say` | the status, and each header, of the query: `?302&Location=/x` |
| anything else, with `Upgrade: websocket` | 101, then bytes are echoed |
| anything else | 200 and `body`, which is `ok` unless told |
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import IO, Self
from urllib.parse import unquote

from tests.envoy.client import SECONDS

_IDLE_SECONDS = 3_600.0
HOSTILE = b"""Set-Cookie: session=1
Set-Cookie2: session=1
Alt-Svc: h2=":443"
Atlas-Error: forged
Atlas-Stand-In: forged
Access-Control-Allow-Origin: *
Access-Control-Allow-Credentials: true
Access-Control-Allow-Headers: *
Access-Control-Allow-Methods: *
Access-Control-Allow-Private-Network: true
Access-Control-Expose-Headers: *
Access-Control-Max-Age: 86400
Timing-Allow-Origin: *
Strict-Transport-Security: max-age=31536000; includeSubDomains
Clear-Site-Data: "*"
NEL: {"report_to": "x", "max_age": 1}
Report-To: {"group": "x", "max_age": 1}
Reporting-Endpoints: x="https://api.test/reports"
Expect-CT: max-age=1
Public-Key-Pins: max-age=1
Public-Key-Pins-Report-Only: max-age=1
Origin-Agent-Cluster: ?1
Service-Worker-Allowed: /
Accept-CH: Sec-CH-UA-Model
Critical-CH: Sec-CH-UA-Model
Set-Login: logged-in
Sec-Session-Registration: (ES256);path="/x"
Use-As-Dictionary: match="/*"
Refresh: 0; url=https://api.test/
Proxy-Authenticate: Basic
Proxy-Authentication-Info: x
X-Envoy-Overloaded: true
X-Envoy-Immediate-Health-Check-Fail: true
X-Envoy-Decorator-Operation: x
X-Envoy-Anything: x
X-Kept: yes
Vary: Accept
""".replace(b"\n", b"\r\n")
TRAILERS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n2\r\nok\r\n0\r\n"
    b"X-Checksum: abc\r\nSet-Cookie: session=1\r\nAtlas-Error: forged\r\nX-Envoy-Anything: x\r\n\r\n"
)


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    line: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    trailers: tuple[tuple[bytes, bytes], ...] = ()

    @property
    def target(self) -> str:
        """The request target."""
        return self.line.split(b" ")[1].decode("latin-1")

    @property
    def method(self) -> str:
        """The method."""
        return self.line.split(b" ")[0].decode()

    def get(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value.decode("latin-1") for key, value in self.headers if key.lower() == name.lower().encode()]

    @property
    def names(self) -> list[str]:
        """The names of all headers, in lower case."""
        return [key.decode().lower() for key, _ in self.headers]


class Upstream:
    """Serves until `close`, a thread for each connection."""

    def __init__(self, context: ssl.SSLContext | None = None, body: bytes = b"ok") -> None:
        self._context = context
        self.body = body
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listening.getsockname()[1]
        self.requests: list[Request] = []
        self._released: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._changed = threading.Condition()
        self._closed = False
        self._connections: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections and threads."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        # Before the rest: what begins meanwhile looks at it.
        self._closed = True
        for event in list(self._released.values()):
            event.set()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def release(self, key: str) -> None:
        """Let the requests to `/hold/KEY` and `/events/KEY` go on."""
        self._released[key].set()

    def hold(self, key: str) -> None:
        """Have the next requests to `/hold/KEY` and `/events/KEY` wait again."""
        self._released.pop(key, None)

    def seen(self, ending: str) -> list[Request]:
        """Return the recorded requests whose path, without query, ends so."""
        return [one for one in self.requests if one.target.partition("?")[0].endswith(ending)]

    def wait(self, ending: str, count: int = 1, seconds: float = SECONDS) -> list[Request]:
        """Wait until `count` requests whose path ends so have come, and return them."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen(ending)) >= count, seconds), f"no request to {ending}"
        return self.seen(ending)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        self._connections.add(connection)
        try:
            if self._context:
                connection.settimeout(SECONDS)
                connection = self._context.wrap_socket(connection, server_side=True)
                self._connections.add(connection)
            # Long: the end of a connection that has been idle may come when a request does.
            connection.settimeout(_IDLE_SECONDS)
            with connection.makefile("rb") as reader:
                while not self._closed and (request := read_request(reader)):
                    with self._changed:
                        self.requests.append(request)
                        self._changed.notify_all()
                    if not self._answer(connection, request):
                        break
        except (OSError, ValueError):
            pass
        finally:
            self._connections.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        path = request.target.partition("?")[0]
        *_, word, argument = ["", *path.split("/")]
        if request.get("upgrade") == ["websocket"] and word != "status":
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            while data := connection.recv(65536):
                connection.sendall(data)
            return False
        if argument == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if argument == "garbage":
            connection.sendall(b"\x00\x01 this is not HTTP\r\n\r\n")
            return False
        if word == "hold":
            self._wait_for_release(argument)
        if word == "events":
            return self._events(connection, argument, fields(request.target.partition("?")[2]))
        status = int(argument) if word == "status" else 200
        body = b"x" * int(argument) if word == "huge" else self.body
        extra = HOSTILE if argument == "hostile" else b""
        if word == "headers":
            extra = b"".join(b"X-%d: a\r\n" % number for number in range(int(argument)))
        if argument == "trailers":
            connection.sendall(TRAILERS)
            return True
        if argument == "hints":
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
        if argument == "say":
            said, _, rest = request.target.partition("?")[2].partition("&")
            status, extra = int(said), fields(rest)
        head = b"HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n%s\r\n" % (status, len(body), extra)
        connection.sendall(head + (b"" if request.method == "HEAD" else body))
        return True

    def _wait_for_release(self, key: str) -> None:
        event = self._released[key]
        if not self._closed:
            event.wait(_IDLE_SECONDS)

    def _events(self, connection: socket.socket, key: str, extra: bytes) -> bool:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
            + extra
            + b"\r\nd\r\ndata: first\n\n\r\n"
        )
        self._wait_for_release(key)
        connection.sendall(b"e\r\ndata: second\n\n\r\n0\r\n\r\n")
        return True


def fields(query: str) -> bytes:
    """Return the header fields that a query names: `Location=/x&Link=...`."""
    pairs = (field.partition("=") for field in query.split("&") if field)
    return "".join(f"{name}: {unquote(value, 'latin-1')}\r\n" for name, _, value in pairs).encode("latin-1")


def read_request(reader: IO[bytes]) -> Request | None:
    """Read one HTTP/1.1 request, None at the end of the connection.

    What breaks off is no request: of one that Envoy refuses for its body it may have sent the head.
    """
    line = reader.readline().rstrip(b"\r\n")
    if not line:
        return None
    headers = read_fields(reader)
    found = {name.lower(): value for name, value in headers}
    body = b""
    trailers: tuple[tuple[bytes, bytes], ...] = ()
    if b"chunked" in found.get(b"transfer-encoding", b""):
        while size := int(reader.readline().split(b";")[0], 16):
            body += reader.read(size)
            reader.readline()
        trailers = read_fields(reader)
    elif length := int(found.get(b"content-length", b"0")):
        body = reader.read(length)
        if len(body) < length:
            return None
    return Request(line, headers, body, trailers)


def read_fields(reader: IO[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    """Read header fields or trailer fields, and the empty line after them."""
    found = []
    while field := reader.readline().rstrip(b"\r\n"):
        name, _, value = field.partition(b":")
        found.append((name, value.strip()))
    return tuple(found)
