"""`make bench`, third part: what a request costs on its way through `mom atlas run`, beside nginx and beside no proxy.

Needs nginx (the API, and the other proxy) and wrk (the load) on the PATH; says so where they are missing. All on
loopback, each round bounded in time, the three targets in turn.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edit import configuration

MOM = str(Path(sys.executable).parent / "mom")
KEYS = Path(__file__).parent.parent / "docs" / "demo" / "jwks.json"


@dataclass(frozen=True)
class Load:
    """What wrk saw: how many requests, requests a second, and the median latency in microseconds."""

    requests: int
    rate: float
    latency: float


def free_port() -> int:
    """Return a port of 127.0.0.1 that no program listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def nginx(folder: Path, api: int, proxy: int) -> Iterator[None]:
    """Run an nginx that is both: an API at port `api`, and a proxy to it at port `proxy` that adds the credential."""
    (folder / "nginx.conf").write_text(f"""
        daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
        events {{ worker_connections 4096; }}
        http {{
          access_log off; keepalive_requests 1000000;
          client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
          uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
          upstream api {{ server 127.0.0.1:{api}; keepalive 256; }}
          server {{ listen 127.0.0.1:{api}; location / {{ default_type application/json; return 200 '{"x" * 127}'; }} }}
          server {{ listen 127.0.0.1:{proxy};
            location /v1/apis/http/adapter-00000/ {{
              proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host api;
              proxy_set_header Authorization "Bearer secret"; proxy_set_header Atlas-Accesstoken "";
              proxy_pass http://api/;
            }} }}
        }}
    """)
    process = subprocess.Popen(
        ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)], stderr=subprocess.DEVNULL
    )
    try:
        wait(f"http://127.0.0.1:{api}/", process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def configuration_for(adapters: int, api: str | None) -> str:
    """Return a configuration whose adapters lead to the URL `api` and need the variable TOKEN alone.

    api: None for an https host for each of them, to which no request is sent.
    """
    text = configuration(adapters).replace("https://example.com/.well-known/jwks.json", KEYS.name)
    text = re.sub(r"\$\{\{ TOKEN_\d+ \}\}", "${{ TOKEN }}", text)
    return text if api is None else re.sub(r"https://api-\d+\.example\.com", api, text)


@contextlib.contextmanager
def atlas(
    folder: Path, adapters: int, api: int, port: int, *, hosts: bool = False
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Run `mom atlas run` with that many adapters; yield the process and the seconds until it served.

    hosts: each adapter has an https host of its own, to which no request is sent, instead of leading to `api`.
    """
    file = folder / f"{adapters}.yml"
    file.write_text(configuration_for(adapters, None if hosts else f"http://127.0.0.1:{api}"))
    with running(folder, file, f"127.0.0.1:{port}") as run:
        yield run


@contextlib.contextmanager
def running(
    folder: Path, file: Path, listen: str, *options: str, **environ: str
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Run `mom atlas run` of a file in `folder`; yield the process and the seconds until it served."""
    shutil.copy(KEYS, folder)
    environment = {**os.environ, "TOKEN": "secret", "MOM_HOME": str(folder / "home"), **environ}
    begin = time.perf_counter()
    command = [MOM, "atlas", "run", "-f", str(file), "--listen", listen, *options]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(f"http://{listen}/healthz", process)
        yield process, time.perf_counter() - begin
    finally:
        process.terminate()
        process.wait(timeout=60)


def token_for(folder: Path, origin: str) -> str:
    """Return an access token for a gateway, of this benchmark's own key."""
    command = [MOM, "auth", "token", "--base-url", origin, "--ttl", "3600"]
    environment = {**os.environ, "MOM_HOME": str(folder / "home")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def wait(url: str, process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Wait until `url` responds, at most a minute."""
    for _ in range(3000):
        if process.poll() is not None:
            raise SystemExit(f"the server of {url} ended with {process.returncode}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.02)
    raise SystemExit(f"{url} did not respond within a minute")


def load(url: str, token: str, connections: int, seconds: int, *, host: str = "") -> Load:
    """Let wrk send requests for `seconds` over that many connections. host: instead of that of the URL."""
    headers = ["-H", f"Atlas-Accesstoken: {token}", *(["-H", f"Host: {host}"] if host else [])]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *headers, url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(f"{url} refused requests:\n{text}")
    count, rate = re.search(r"(\d+) requests in", text), re.search(r"Requests/sec:\s+([\d.]+)", text)
    median = re.search(r"50%\s+([\d.]+)(us|ms|s)", text)
    if count is None or rate is None or median is None:
        raise SystemExit(f"wrk printed something else:\n{text}")
    return Load(int(count[1]), float(rate[1]), float(median[1]) * {"us": 1, "ms": 1e3, "s": 1e6}[median[2]])


def require_programs(what: str) -> None:
    """End with a message where nginx or wrk is missing."""
    missing = [name for name in ("nginx", "wrk") if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"{what} needs {' and '.join(missing)} on the PATH; it was left out")


def child(pid: int) -> int:
    """Return the process id of the Envoy of a run."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[-1])


def envoy_memory(parent: int) -> float:
    """Return the resident memory, in MB, of the Envoy that is a child of process `parent`."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{child(parent)}/status").read_text())
    if found is None:
        raise SystemExit("Envoy was not found")
    return int(found[1]) / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each load")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of each load")
    options = parser.parse_args()
    require_programs("the proxy benchmark")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        api, proxy = free_port(), free_port()
        with nginx(folder, api, proxy):
            through(folder, api, proxy, options.rounds, options.seconds)
            sizes(folder, api)


def through(folder: Path, api: int, proxy: int, rounds: int, seconds: int) -> None:
    """Print what requests cost without a proxy, through nginx and through Atlas."""
    port = free_port()
    path = "/v1/apis/http/adapter-00000/v1/models"
    targets = {
        "no proxy": f"http://127.0.0.1:{api}{path}",
        "nginx, no check of who sends": f"http://127.0.0.1:{proxy}{path}",
        "mom atlas run": f"http://127.0.0.1:{port}{path}",
    }
    with atlas(folder, 2, api, port):
        token = token_for(folder, f"http://127.0.0.1:{port}")
        samples: dict[tuple[str, int], list[Load]] = {}
        for _ in range(rounds):
            for connections in (1, 32):
                for label, url in targets.items():
                    samples.setdefault((label, connections), []).append(load(url, token, connections, seconds))
    print("\n### One request more on the way\n")
    print("| | 1 connection: requests/s | median | added | 32 connections: requests/s | median |")
    print("|---|---:|---:|---:|---:|---:|")
    bare = statistics.median(sample.latency for sample in samples["no proxy", 1])
    for label in targets:
        one, many = samples[label, 1], samples[label, 32]
        latency = statistics.median(sample.latency for sample in one)
        print(
            f"| {label} | {statistics.median(s.rate for s in one):,.0f} | {latency:.0f} µs | {latency - bare:.0f} µs "
            f"| {statistics.median(s.rate for s in many):,.0f} | {statistics.median(s.latency for s in many):.0f} µs |"
        )


def sizes(folder: Path, api: int) -> None:
    """Print start-up and memory by the number of adapters."""
    print("\n### Start-up and memory of `mom atlas run`\n")
    print("| adapters | serves after | Envoy's memory |\n|---:|---:|---:|")
    for adapters, hosts in ((2, False), (1_000, False), (10_000, False), (10_000, True)):
        starts, memories = [], []
        for _ in range(3):
            with atlas(folder, adapters, api, free_port(), hosts=hosts) as (process, seconds):
                starts.append(seconds)
                memories.append(envoy_memory(process.pid))
        label = f"{adapters:,}" + (" over as many https hosts" if hosts else "")
        print(f"| {label} | {statistics.median(starts):.2f} s | {statistics.median(memories):.0f} MB |")


if __name__ == "__main__":
    main()
