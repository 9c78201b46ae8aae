"""A stand-in of a Kubernetes API server: TLS, a login that it checks, a watch stream, and upgrades that echo."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import yaml

from tests.envoy.certificates import Authority, Files, for_clients
from tests.envoy.conftest import server_context
from tests.envoy.upstream import Request, Upstream

UID = "5f2b0c1e-0000-4000-8000-00000000cafe"
NAMES = ("default", "kube-system")


class ApiServer(Upstream):
    """Serves those who show one of `tokens`, or a certificate of its authority."""

    def __init__(self, authority: Authority, folder: Path, *tokens: str, name: str = "127.0.0.1") -> None:
        context = server_context(authority.issue(name), folder / "tls")
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(authority.file)
        self.tokens = set(tokens)
        self.stopped = threading.Event()
        self._certified: set[int] = set()
        super().__init__(context)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://127.0.0.1:{self.port}"

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        token = "".join(request.get("authorization")).removeprefix("Bearer ")
        if token not in self.tokens and not _is_certified(connection):
            return _json(connection, 401, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 401})
        path, _, query = request.target.partition("?")
        if "v5.channel.k8s.io" in "".join(request.get("sec-websocket-protocol")):
            _exec(connection, request)
            return False
        if upgrade := request.get("upgrade"):
            head = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: {upgrade[0]}\r\nConnection: Upgrade\r\n\r\n"
            connection.sendall(head.encode())
            while data := connection.recv(65_536):
                connection.sendall(data)
            return False
        if "watch=" in query:
            start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            event = json.dumps({"type": "ADDED", "object": _namespace(NAMES[0])}).encode() + b"\n"
            connection.sendall(start + b"%x\r\n%s\r\n" % (len(event), event))
            self.stopped.wait(120)
            connection.sendall(b"0\r\n\r\n")
            return True
        return _json(connection, *_ANSWERS.get(path, (404, {"kind": "Status", "apiVersion": "v1", "code": 404})))

    def close(self) -> None:
        """End it."""
        self.stopped.set()
        super().close()


def _is_certified(connection: socket.socket) -> bool:
    """Whether the client has shown a certificate."""
    try:
        return isinstance(connection, ssl.SSLSocket) and bool(connection.getpeercert())
    except AttributeError:
        # What ssl raises for a connection that the end of the test has closed meanwhile.
        return False


def _exec(connection: socket.socket, request: Request) -> None:
    """Run `cat`, or a command that fails with 7, as the API server does it for kubectl since 1.31.

    Each message begins with the number of a channel: 0 input, 1 output, 3 the status, 255 the end of a channel.
    """
    key = request.get("sec-websocket-key")[0].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key, usedforsecurity=False).digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Accept: {accept}", "Sec-WebSocket-Protocol: v5.channel.k8s.io", "", ""]
    connection.sendall("\r\n".join(lines).encode())
    succeeds = "command=cat" in request.target
    with connection.makefile("rb") as reader:
        while succeeds and (message := _message(reader)) not in {None, b"\xff\x00"}:
            if message and message[0] == 0:
                _send(connection, b"\x01" + message[1:])
        details = {"causes": [{"reason": "ExitCode", "message": "7"}]}
        failed = {"status": "Failure", "reason": "NonZeroExitCode", "details": details}
        _send(connection, b"\x03" + json.dumps({"status": "Success"} if succeeds else failed).encode())
        _send(connection, struct.pack(">H", 1000), opcode=8)
        while _message(reader) is not None:
            pass


def _message(reader: IO[bytes]) -> bytes | None:
    """Read a message of a client (RFC 6455, 5.2); None at the end, or where it closes."""
    whole = b""
    while len(head := reader.read(2)) == 2:
        length = head[1] & 0x7F
        if length >= 126:
            length = int.from_bytes(reader.read(2 if length == 126 else 8), "big")
        mask, data = reader.read(4), reader.read(length)
        if head[0] & 0x0F == 8:
            return None
        if head[0] & 0x0F in {0, 1, 2}:
            whole += bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
            if head[0] & 0x80:
                return whole
    return None


def _send(connection: socket.socket, data: bytes, opcode: int = 2) -> None:
    """Send a message (RFC 6455, 5.2)."""
    size = len(data)
    length = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)
    connection.sendall(bytes([0x80 | opcode]) + (length if size < 65_536 else b"\x7f" + struct.pack(">Q", size)) + data)


def _namespace(name: str) -> dict[str, Any]:
    return {
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": {"name": name, "uid": UID, "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "1"},
        "status": {"phase": "Active"},
    }


_RESOURCE = {"name": "namespaces", "singularName": "namespace", "namespaced": False, "kind": "Namespace"}
_ANSWERS: dict[str, tuple[int, dict[str, Any]]] = {
    "/version": (200, {"major": "1", "minor": "37", "gitVersion": "v1.37.0"}),
    "/api": (200, {"kind": "APIVersions", "versions": ["v1"]}),
    "/apis": (200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}),
    "/api/v1": (
        200,
        {
            "kind": "APIResourceList",
            "groupVersion": "v1",
            "resources": [
                {**_RESOURCE, "verbs": ["get", "list", "watch"], "shortNames": ["ns"]},
                {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]},
            ],
        },
    ),
    "/api/v1/namespaces": (
        200,
        {"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": [_namespace(name) for name in NAMES]},
    ),
    "/api/v1/namespaces/default/pods/pod": (
        200,
        {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {"name": "pod", "namespace": "default"},
            "spec": {"containers": [{"name": "main", "image": "any"}]},
            "status": {"phase": "Running"},
        },
    ),
    **{f"/api/v1/namespaces/{name}": (200, _namespace(name)) for name in NAMES},
}


def _json(connection: socket.socket, status: int, body: Mapping[str, Any]) -> bool:
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    connection.sendall(head.encode() + text)
    return True


def kubeconfig(server: str, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> str:
    """Return the text of a kubeconfig with one context."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
            "users": [{"name": "u", "user": dict(user)}],
        }
    )


def client_files(authority: Authority, folder: Path) -> Files:
    """Return a client certificate of the server's authority."""
    return for_clients(authority, "atlas").write(folder, "client")
