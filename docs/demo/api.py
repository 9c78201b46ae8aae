"""A stand-in for an API: answers every GET with what it received, so that the demo needs no internet and no account.

Listens on a free port of 127.0.0.1, prints it, and serves until it is ended.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Api(BaseHTTPRequestHandler):
    """`GET /v1/models` with the right token is a list of models; anything else is 401."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer, and say in the answer what was received."""
        authorized = self.headers.get("Authorization") == "Bearer demo-secret"
        received = {
            "path": self.path,
            "authorized": authorized,
            "headers": sorted(name.lower() for name in self.headers),
        }
        answer = (
            {"data": [{"id": "gpt-demo"}], "received": received} if authorized else {"error": "no valid credential"}
        )
        body = json.dumps(answer, indent=2).encode() + b"\n"
        self.send_response(200 if authorized else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Keep the demo's output to what the commands print."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
