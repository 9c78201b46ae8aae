"""A stand-in for an API: responds to every GET with what it received, so the demo needs no internet and no account.

Listens on a free port of 127.0.0.1, prints it, and serves until it is stopped.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Api(BaseHTTPRequestHandler):
    """`GET /v1/models` with the right token is a list of models; anything else is 401."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Respond with what was received, a key a line."""
        authorized = self.headers.get("Authorization") == "Bearer demo-secret"
        received = {
            "data": [{"id": "gpt-demo"}],
            "path": self.path,
            "authorized": authorized,
            "headers": sorted(name.lower() for name in self.headers),
        }
        response = received if authorized else {"error": "no valid credential"}
        lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in response.items()]
        body = ("{\n" + ",\n".join(lines) + "\n}\n").encode()
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
