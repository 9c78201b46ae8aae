"""Ten adapters, each of which fails for another reason: what `mom atlas check` says about each.

The APIs are stand-ins on loopback; nothing leaves this machine. `make picture` runs the check on a terminal of its own
and writes docs/demo/check.svg.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import picture

HERE = Path(__file__).parent
PICTURE = HERE / "check.svg"
# What Atlas's environment has. None is a credential of anything.
VARIABLES = {
    "GITHUB_TOKEN": "pasted-by-mistake",
    "ASANA_TOKEN": "demo",
    "JIRA_TOKEN": "demo",
    "ZENDESK_TOKEN": "demo",
}


class Api(BaseHTTPRequestHandler):
    """Responds with the status that the path names, never, or by closing the connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Respond as the path says."""
        word = self.path.rpartition("/")[2]
        if word == "silence":
            time.sleep(60)
        if word == "close":
            self.close_connection = True
            return
        self.send_response(int(word) if word.isdigit() else 200)
        if word == "429":
            self.send_header("retry-after", "30")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Keep the picture to what the command prints."""


@contextlib.contextmanager
def stand_ins(folder: Path) -> Iterator[None]:
    """Write `folder`/atlas.yml, whose APIs are served until the block ends."""
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(_server(None))
        secure = stack.enter_context(_server(_self_signed(folder)))
        # Bound, so that no other program gets it, and without a listener.
        closed = stack.enter_context(socket.socket())
        closed.bind(("127.0.0.1", 0))
        local = f"http://127.0.0.1:{plain}"
        adapters = [
            ("openai", "https://api.openai.com", "OPENAI_API_TOKEN", None),
            ("github", "https://api.github.com", "GITHUB_TOKEN", None),
            ("weather", "https://weather.invalid", None, "/today"),
            ("billing", f"http://127.0.0.1:{closed.getsockname()[1]}", None, "/health"),
            ("intranet", f"https://127.0.0.1:{secure}", None, "/users"),
            ("reports", local, None, "/silence"),
            ("asana", local, "ASANA_TOKEN", "/users/401"),
            ("jira", local, "JIRA_TOKEN", "/projects/403"),
            ("zendesk", local, "ZENDESK_TOKEN", "/tickets/429"),
            ("legacy", local, None, "/close"),
        ]
        (folder / "atlas.yml").write_text(_configuration(adapters))
        yield


def _configuration(adapters: list[tuple[str, str, str | None, str | None]]) -> str:
    version = "moment.dev/adapters/v1alpha1"
    lines = ["apiVersion: moment.dev/atlas/v1alpha1", "kind: Atlas", "metadata:", "  name: demo", "spec:"]
    lines += ["  apiAdapters:"]
    for name, _, _, _ in adapters:
        lines += ["  - adapterRef:", f"      apiVersion: {version}", "      kind: HTTP", f"      name: {name}"]
    for name, base_url, variable, path in adapters:
        lines += ["---", f"apiVersion: {version}", "kind: HTTP", "metadata:", f"  name: {name}", "spec:"]
        lines += [f"  baseUrl: {base_url}"]
        if variable:
            lines += ["  headers:", "  - name: Authorization", f"    value: Bearer ${{{{ {variable} }}}}"]
        if path:
            lines += ["  smoke:", f"    path: {path}"]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def _server(context: ssl.SSLContext | None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    server.block_on_close = False
    # A client that ends a connection in the middle is expected.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if context is not None:
        # The handshake is done by the thread of a connection, not by the one that accepts.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _self_signed(folder: Path) -> ssl.SSLContext:
    """Return the TLS settings of a server whose certificate no authority has signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "intranet")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "intranet.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(pem) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the check: what this process needs to run, the variables, a key of its own."""
    return {"PATH": os.environ["PATH"], "MOM_HOME": str(folder / "home"), **VARIABLES}


def command(*options: str) -> list[str]:
    """Return the command that checks, with the installed mom of this Python."""
    main = "import sys; from mom.cli import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", main, "atlas", "check", *options]


def settled(output: str) -> str:
    """Return what is on a terminal in the end: a live table is drawn anew over the one before."""
    lines = [""]
    for part in re.split(r"(\x1b\[1A|\x1b\[2K|\r|\n)", re.sub(r"\x1b\[\?25[lh]", "", output)):
        if part == "\x1b[1A":
            lines.pop()
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif part == "\n":
            lines.append("")
        elif part != "\r":
            lines[-1] += part
    return "\n".join(lines)


def draw() -> str:
    """Return the picture of a run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        with stand_ins(folder):
            output, _ = picture.recorded(command("--timeout", "2"), folder, environment(folder))
    shown = "$ mom atlas check --timeout 2\n" + settled(output)
    return picture.svg(picture.steady(shown, folder), "mom atlas check")


if __name__ == "__main__":
    PICTURE.write_text(draw())
