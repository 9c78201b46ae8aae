"""`make bench`, second part: what `mom curl` takes more than curl, as whole processes, against a server on loopback."""

from __future__ import annotations

import argparse
import compileall
import os
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from measure import Contender, measure

import mom

MOM = str(Path(sys.executable).parent / "mom")


class Answer(BaseHTTPRequestHandler):
    """Answers every GET with two bytes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=41, help="counted runs of each command")
    options = parser.parse_args()
    # An installed package is compiled; a working copy may not be, where PYTHONDONTWRITEBYTECODE is set.
    compileall.compile_dir(str(Path(mom.__file__).parent), quiet=2)
    with tempfile.TemporaryDirectory() as name, ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        os.environ["MOM_HOME"] = str(Path(name) / "home")
        url = f"http://127.0.0.1:{server.server_port}"
        token = Path(name) / "token"
        token.write_text("eyJ.a.token")
        taken = measure(
            [
                Contender("curl", ["curl", "-s", f"{url}/x"]),
                Contender(
                    "mom curl, given token",
                    [MOM, "curl", "-s", "--mom-token-file", str(token), "--base-url", url, "/x"],
                ),
                Contender("mom curl, signed token", [MOM, "curl", "-s", "--base-url", url, "/x"]),
            ],
            options.rounds,
        )
        server.shutdown()
    bare = taken["curl"].seconds
    print("\n### `mom curl` beside curl\n\n| command | median | more than curl |\n|---|---:|---:|")
    for label, figure in taken.items():
        print(f"| {label} | {figure.seconds * 1000:.0f} ms | {(figure.seconds - bare) * 1000:.0f} ms |")


if __name__ == "__main__":
    main()
