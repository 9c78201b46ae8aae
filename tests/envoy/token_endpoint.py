"""A token endpoint on loopback (RFC 6749, 4.4): records what it is asked, and may be held up or broken by a test."""

from __future__ import annotations

import http.server
import json
import threading
from typing import Self
from urllib.parse import parse_qsl


class TokenEndpoint:
    """Serves from `with` to its end. Each token has a number. `lifetime`: seconds until it expires.

    works: whether it gives tokens. refused: the id of a client that gets none. gate: set while requests are answered.
    """

    def __init__(self, lifetime: int = 3_600) -> None:
        self.lifetime = lifetime
        self.works = True
        self.refused = ""
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[dict[str, str]] = []
        self._lock = threading.Lock()
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
                asked = dict(parse_qsl(body, strict_parsing=True, keep_blank_values=True))
                with endpoint._lock:
                    endpoint.asked.append(asked)
                    number = len(endpoint.asked)
                endpoint.gate.wait(600)
                token = {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": endpoint.lifetime}
                works = endpoint.works and asked["client_id"] != endpoint.refused
                content = json.dumps(token if works else {"error": "invalid_client"}).encode()
                self.send_response(200 if works else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        """Where tokens are."""
        return f"http://127.0.0.1:{self.port}/oauth/token?tenant=a%2Fb"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
