"""How far one Envoy goes, and several: the figures of docs/scale.md, measured here.

    python benchmarks/replicas.py

One `mom atlas run` by worker threads and adapters: start, memory, requests a second, CPU time for a request; the first
adapter of a file and the last one; https to an API beside http. Then 1, 2 and 4 of them behind a TCP balancer (an Envoy
that only copies bytes): what adds up, and what does not. The model, requests a second = cores / CPU time for a request,
is held against each of these. All on loopback, each load bounded in time, all in turn; about four minutes. Needs nginx
and wrk on the PATH.

wrk, nginx, the balancer and the replicas share the cores here. So the model counts the CPU time of all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from proxy import (
    KEYS,
    child,
    configuration_for,
    envoy_memory,
    free_port,
    load,
    require_programs,
    running,
    token_for,
    wait,
)
from request import address, cpu_seconds, envoy

from mom.cli.run_report import LocalKey

CORES = os.cpu_count() or 1
PREFIX = "/v1/apis/http/adapter-"
# What a machine should have in reserve.
LOAD = 0.7
MILLION = 1_000_000
AUDIENCE = "https://atlas.example.com"


@dataclass
class Replica:
    """A run of `mom atlas run`: its process, its Envoy's, where it listens, and the seconds until it served."""

    process: subprocess.Popen[bytes]
    host: str
    port: int
    seconds: float
    envoy: int = 0

    def __post_init__(self) -> None:
        """Find its Envoy."""
        self.envoy = child(self.process.pid)

    @property
    def origin(self) -> str:
        """The URL of it."""
        return f"http://{self.host}:{self.port}"


@dataclass
class Rates:
    """What several loads showed: requests a second, CPU microseconds for a request by process, cores that were free."""

    rates: list[float] = field(default_factory=list)
    cpu: list[dict[str, float]] = field(default_factory=list)
    free: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median."""
        return statistics.median(self.rates)

    def of(self, name: str) -> float:
        """Return the median CPU time of the processes of that name."""
        return statistics.median(each[name] for each in self.cpu)

    @property
    def total(self) -> float:
        """The median CPU time of all processes together."""
        return statistics.median(sum(each.values()) for each in self.cpu)

    def predicted(self, threads: int) -> float:
        """Return what the model says: whichever ends first, Envoy's worker threads or the cores for all processes."""
        return min(threads / self.of("envoy"), statistics.median(self.free) / self.total) * 1e6


class Target(NamedTuple):
    """What wrk sends to: a URL, the token, the processes that take part by their names, and another `Host`."""

    url: str
    token: str
    pids: dict[str, list[int]]
    host: str = ""


@contextlib.contextmanager
def run(folder: Path, file: Path, host: str, port: int, workers: int, **environ: str) -> Iterator[Replica]:
    """Run a `mom atlas run`; `environ` is what its environment has."""
    with running(folder, file, f"{host}:{port}", "--concurrency", str(workers), **environ) as (process, seconds):
        yield Replica(process, host, port, seconds)


def write_file(folder: Path, adapters: int, api: str) -> Path:
    """Write a configuration whose adapters lead to `api`."""
    file = folder / f"{adapters}-{api.partition(':')[0]}.yml"
    file.write_text(configuration_for(adapters, api))
    return file


@contextlib.contextmanager
def api(folder: Path, port: int, tls_port: int) -> Iterator[int]:
    """Run an nginx that is an API at two ports, with http and https; yield the process id of its worker."""
    certificate(folder)
    body = f"default_type application/json; return 200 '{'x' * 127}';"
    (folder / "api.conf").write_text(f"""
        daemon off; master_process off; pid {folder}/api.pid; error_log {folder}/api.log;
        events {{ worker_connections 4096; }}
        http {{
          access_log off; keepalive_requests 1000000;
          client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
          uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
          server {{ listen 127.0.0.1:{port}; location / {{ {body} }} }}
          server {{ listen 127.0.0.1:{tls_port} ssl; location / {{ {body} }}
            ssl_certificate {folder}/api.pem; ssl_certificate_key {folder}/api.key; }}
        }}
    """)
    command = ["nginx", "-c", str(folder / "api.conf"), "-p", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait(f"http://127.0.0.1:{port}/", process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=10)


def certificate(folder: Path) -> None:
    """Write a certificate of `localhost` that is its own authority."""
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(folder / "api.key")]
    command = ["openssl", "req", "-x509", *key, *subject, "-out", str(folder / "api.pem")]
    subprocess.run(command, check=True, capture_output=True)


@contextlib.contextmanager
def balancer(folder: Path, port: int, replicas: Sequence[Replica]) -> Iterator[int]:
    """Run a TCP balancer, an Envoy that gives each connection to the next replica; yield its process id."""
    endpoints = [
        {"endpoint": {"address": {"socket_address": {"address": each.host, "port_value": each.port}}}}
        for each in replicas
    ]
    proxy = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "balancer",
        "cluster": "replicas",
    }
    cluster = {
        "name": "replicas",
        "load_assignment": {"cluster_name": "replicas", "endpoints": [{"lb_endpoints": endpoints}]},
    }
    chain = {"filters": [{"name": "tcp", "typed_config": proxy}]}
    listener = {"name": "balancer", "address": address(port), "filter_chains": [chain]}
    bootstrap = {"static_resources": {"listeners": [listener], "clusters": [cluster]}}
    with envoy(folder / "balancer.json", bootstrap, 1) as process:
        for _ in range(3_000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
                break
            time.sleep(0.02)
        yield process.pid


def busy() -> tuple[float, float]:
    """Return the seconds of CPU time that this machine has used, and that it had."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK"), sum(ticks) / os.sysconf("SC_CLK_TCK")


def sample(rates: Rates, target: Target, seconds: int) -> None:
    """Let wrk send requests over 32 connections, and note what they cost each kind of process."""
    url, access, pids, host = target
    before = {name: sum(map(cpu_seconds, each)) for name, each in pids.items()}
    used, children = busy()[0], os.times().children_user + os.times().children_system
    begin = time.perf_counter()
    seen = load(url, access, 32, seconds, host=host)
    elapsed = time.perf_counter() - begin
    own = {name: sum(map(cpu_seconds, each)) - before[name] for name, each in pids.items()}
    own["wrk"] = os.times().children_user + os.times().children_system - children
    others = max(0.0, busy()[0] - used - sum(own.values()))
    rates.rates.append(seen.rate)
    rates.cpu.append({name: value / seen.requests * 1e6 for name, value in own.items()})
    rates.free.append(max(0.1, CORES - others / elapsed))


def in_turn(targets: dict[str, Target], options: argparse.Namespace) -> dict[str, Rates]:
    """Send requests to each target in turn, several rounds after one that does not count."""
    seen = {name: Rates() for name in targets}
    for number in range(options.rounds + 1):
        for name, target in targets.items():
            sample(seen[name] if number else Rates(), target, options.seconds)
    return seen


def one_envoy(folder: Path, port: int, worker: int, options: argparse.Namespace) -> float:
    """Print how one Envoy goes by worker threads and adapters; return the CPU time of one worker and ten adapters."""
    with contextlib.ExitStack() as stack:
        replicas = {}
        for workers in (1, 2):
            for adapters in options.adapters:
                file = write_file(folder, adapters, f"http://127.0.0.1:{port}")
                started = run(folder, file, "127.0.0.1", free_port(), workers)
                replicas[workers, adapters] = stack.enter_context(started)
        targets = {}
        for (workers, adapters), replica in replicas.items():
            access = token_for(folder, replica.origin)
            for number in sorted({0, adapters - 1}):
                url = f"{replica.origin}{PREFIX}{number:05}/v1/models"
                pids = {"envoy": [replica.envoy], "api": [worker]}
                targets[f"{workers} {adapters} {number}"] = Target(url, access, pids)
        seen = in_turn(targets, options)
        print("\n### One Envoy\n")
        head = "worker threads | adapters | serves after | memory | requests/s | CPU, first adapter | CPU, last one"
        print(f"| {head} | the model says |\n|---:|---:|---:|---:|---:|---:|---:|---:|")
        for (workers, adapters), replica in replicas.items():
            first, last = seen[f"{workers} {adapters} 0"], seen[f"{workers} {adapters} {adapters - 1}"]
            size = f"{replica.seconds:.2f} s | {envoy_memory(replica.process.pid):.0f} MB | {first.rate:,.0f}"
            cost = f"{first.of('envoy'):.1f} µs | {last.of('envoy'):.1f} µs | {first.predicted(workers):,.0f}"
            print(f"| {workers} | {adapters:,} | {size} | {cost} |")
        return seen[f"1 {options.adapters[0]} 0"].of("envoy")


def tls(folder: Path, port: int, tls_port: int, worker: int, options: argparse.Namespace) -> None:
    """Print what https to an API costs beside http, over connections that are kept."""
    with contextlib.ExitStack() as stack:
        targets = {}
        for scheme, at in (("http", port), ("https", tls_port)):
            file = write_file(folder, 2, f"{scheme}://localhost:{at}")
            own = {"SSL_CERT_FILE": str(folder / "api.pem")}
            replica = stack.enter_context(run(folder, file, "127.0.0.1", free_port(), 1, **own))
            pids = {"envoy": [replica.envoy], "api": [worker]}
            targets[scheme] = Target(
                f"{replica.origin}{PREFIX}00000/v1/models", token_for(folder, replica.origin), pids
            )
        seen = in_turn(targets, options)
    print("\n### https to an API\n\n| | requests/s | CPU of Envoy for a request | of the API |\n|---|---:|---:|---:|")
    for name, each in seen.items():
        print(f"| {name} | {each.rate:,.0f} | {each.of('envoy'):.1f} µs | {each.of('api'):.1f} µs |")


class Keys(BaseHTTPRequestHandler):
    """An identity provider: it counts how often its keys are fetched."""

    fetched = 0
    lock = threading.Lock()
    text = b""

    def do_GET(self) -> None:
        """Send the keys."""
        with Keys.lock:
            Keys.fetched += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(Keys.text)))
        self.end_headers()
        self.wfile.write(Keys.text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""


def several(folder: Path, port: int, worker: int, options: argparse.Namespace) -> None:
    """Print what 1, 2 and 4 replicas do behind a balancer."""
    access = token_for(folder, AUDIENCE)
    # The keys of an identity provider, since each replica takes tokens of a user's own key for itself alone.
    issuer, keys = LocalKey({**os.environ, "MOM_HOME": str(folder / "home")})()
    Keys.text = json.dumps(dict(keys)).encode()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = write_file(folder, 10, f"http://127.0.0.1:{port}")
    text = file.read_text().replace(f"publicKey: {KEYS.name}", f"publicKey: http://127.0.0.1:{server.server_port}/jwks")
    text = text.replace("audience: https://api.example.com", f"audience: {AUDIENCE}")
    text = text.replace("issuer: https://example.com/", f"issuer: {issuer}")
    limited = text.rindex("  headers:")
    file = folder / "replicas.yml"
    file.write_text(f"{text[:limited]}  limits: {{requestsPerMinute: 50, per: adapter}}\n{text[limited:]}")
    # Replicas have one port, as those behind one name have, and addresses of their own.
    at = free_port()
    rows = []
    with contextlib.ExitStack() as stack:
        targets, fronts, fetches = {}, {}, {}
        for count in (1, 2, 4):
            before = Keys.fetched
            group = [
                stack.enter_context(run(folder, file, f"127.0.{count}.{number}", at, 1))
                for number in range(2, count + 2)
            ]
            fetches[count] = Keys.fetched - before
            front = free_port()
            pids = {"envoy": [each.envoy for each in group], "api": [worker]}
            pids["balancer"] = [stack.enter_context(balancer(folder, front, group))]
            fronts[count] = (front, group)
            targets[str(count)] = Target(
                f"http://127.0.0.1:{front}{PREFIX}00000/v1/models", access, pids, f"127.0.0.1:{at}"
            )
        seen = in_turn(targets, options)
        for count, (front, _) in fronts.items():
            each = seen[str(count)]
            passed = limit_of(front, at, access, 400)
            rows.append((count, each, passed, fetches[count]))
    server.shutdown()
    print("\n### Replicas behind a TCP balancer\n")
    head = "replicas | requests/s | the model says | CPU of the Envoys | of the balancer | of the API | of wrk"
    print(f"| {head} | of 400 at a limit of 50 a minute pass | fetches of keys |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for count, each, passed, fetched in rows:
        parts = " | ".join(f"{each.of(name):.1f} µs" for name in ("envoy", "balancer", "api", "wrk"))
        print(f"| {count} | {each.rate:,.0f} | {each.predicted(count):,.0f} | {parts} | {passed} | {fetched} |")


def limit_of(front: int, at: int, access: str, requests: int) -> int:
    """Return how many of so many requests to the limited adapter pass, each over a connection of its own."""
    passed = 0
    for _ in range(requests):
        headers = {"Atlas-Accesstoken": access, "Host": f"127.0.0.1:{at}", "Connection": "close"}
        request = urllib.request.Request(f"http://127.0.0.1:{front}{PREFIX}00009/x", headers=headers)
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=10):
            passed += 1
    return passed


def plan(cpu: float) -> None:
    """Print what the model says about more."""
    print(f"\n### What the model says, at {cpu:.0f} µs for a request and {LOAD:.0%} load\n")
    print("| requests/s | cores | replicas of 2 cores |\n|---:|---:|---:|")
    for rate in (10_000, 100_000, MILLION):
        cores = rate * cpu / 1e6 / LOAD
        print(f"| {rate:,} | {cores:,.1f} | {max(2, -(-cores // 2)):,.0f} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each load")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of each load")
    parser.add_argument("--adapters", type=int, nargs="+", default=[10, 1_000, 10_000], help="sizes of the files")
    options = parser.parse_args()
    require_programs("this benchmark")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port, tls_port = free_port(), free_port()
        with api(folder, port, tls_port) as worker:
            cpu = one_envoy(folder, port, worker, options)
            tls(folder, port, tls_port, worker, options)
            several(folder, port, worker, options)
    plan(cpu)


if __name__ == "__main__":
    main()
