"""The APIs of the tests of this folder: one loopback server that records requests and responds as each SDK expects."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

MODEL = {"id": "model-1", "object": "model", "created": 1, "owned_by": "octo"}
LIST = {"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None}
# By the end of a path.
RESPONSES: dict[str, Any] = {
    "/openai/v1/models": {"object": "list", "data": [MODEL]},
    "/anthropic/v1/models": LIST,
    "/stripe/v1/charges": {**LIST, "url": "/v1/charges"},
    "/github/user": {"login": "octo"},
    "/slack/auth.test": {"ok": True, "user": "octo"},
    "/gemini/v1/models": {"models": []},
    "/jira/rest/api/2/serverInfo": {"baseUrl": "https://jira.test", "versionNumbers": [9, 0, 0], "version": "9.0.0"},
    "/jira/rest/api/2/myself": {"name": "octo", "displayName": "Octo"},
    "/plain/x": {"plain": True},
}


@dataclass
class StandIn:
    """Serves until the block ends. `files`: what is below `/git/`."""

    files: Path
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __enter__(self) -> Self:
        stand_in = self

        class Handler(SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                self.respond()

            def do_POST(self) -> None:
                self.respond()

            def respond(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                self.rfile.read(length)
                path = self.path.partition("?")[0]
                stand_in.requests.append((path, {name.lower(): value for name, value in self.headers.items()}))
                if path.startswith("/git/"):
                    self.path = path.removeprefix("/git")
                    super().do_GET()
                    return
                body = json.dumps(RESPONSES.get(path, {"unknown": path})).encode()
                self.send_response(200 if path in RESPONSES else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def handler(*arguments: Any) -> Handler:
            return Handler(*arguments, directory=str(stand_in.files))

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)
