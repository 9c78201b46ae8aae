"""A soak of `mom atlas run`: a modest rate of requests while the configuration changes every few seconds.

    python benchmarks/soak.py --seconds 3600

Each reload adds or removes an adapter, each rotation changes a credential that every request carries. What must hold:
no request is lost, in the access log and the metrics neither; none that begins once a rotation was reported has the old
credential; memory, threads and open files at the end are what they were after the first minutes. Exit status 1 if one
of these does not. All on loopback.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from proxy import MOM, free_port

CONNECTIONS = 4
# How long a report is waited for, in seconds: the machine may have other work to do.
PATIENCE = 300.0
# Until samples count: caches fill, allocators keep what a first reload needed.
WARM_UP = 0.1
# What memory, in MB and as a share, may differ by between the begin and the end.
MEGABYTES, SHARE = 8.0, 0.05


@dataclass
class Credential:
    """The value that applies, and the one before it, which requests that began by `until` may still have.

    stale: requests with the old value that should not have had it; wrong: with another one. slowest: seconds from
    saving a value until it was reported.
    """

    value: str = "value-0"
    before: str = "value-0"
    until: float = 0.0
    stale: int = 0
    wrong: int = 0
    slowest: float = 0.0

    def check(self, sent: str, begun: float) -> None:
        """Look at the value that the API got in a request."""
        if sent == f"Bearer {self.before}" != f"Bearer {self.value}":
            self.stale += begun > self.until
        else:
            self.wrong += sent != f"Bearer {self.value}"


@dataclass
class Sample:
    """The run at one moment: MB of mom and of all Envoys, how many Envoys, their threads and open files."""

    mom: float
    envoy: float
    processes: int
    threads: int
    files: int


@dataclass
class Soak:
    """What has happened so far."""

    credential: Credential = field(default_factory=Credential)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=1_000_000))
    lost: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    reloads: int = 0
    rotations: int = 0
    counted: int = 0
    logged: int = 0
    ended: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def api(credential: Credential) -> Iterator[int]:
    """Run the API, which looks at the credential of each request."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            credential.check(self.headers.get("authorization", ""), float(self.path.partition("=")[2]))
            body = b"x" * 127
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def write(path: Path, text: str) -> None:
    """Put a file in place at once, as editors and mounted secrets do."""
    new = path.with_name(f".{path.name}")
    new.write_text(text)
    new.chmod(0o600)
    new.replace(path)


def configuration(port: int, extra: int | None) -> str:
    """Return a configuration with one adapter, or with another one that has `extra` in its name."""
    version = "moment.dev/adapters/v1alpha1"
    names = ["api", *([] if extra is None else [f"extra-{extra}"])]
    header = {"name": "Authorization", "value": "Bearer ${{ TOKEN }}"}
    spec = {"baseUrl": f"http://127.0.0.1:{port}", "headers": [header]}
    references = [{"adapterRef": {"apiVersion": version, "kind": "HTTP", "name": name}} for name in names]
    documents = [
        {
            "apiVersion": "moment.dev/atlas/v1alpha1",
            "kind": "Atlas",
            "metadata": {"name": "soak"},
            "spec": {"owner": "example.com", "apiAdapters": references},
        },
        *({"apiVersion": version, "kind": "HTTP", "metadata": {"name": name}, "spec": spec} for name in names),
    ]
    return "---\n".join(json.dumps(document) + "\n" for document in documents)


class Gateway:
    """The run, and what it reports."""

    def __init__(self, folder: Path, port: int, environ: dict[str, str]) -> None:
        """Start it; it follows `atlas.yml` and `.env` in `folder`."""
        command = [MOM, "atlas", "run", "-f", str(folder / "atlas.yml"), "--env-file", str(folder / ".env")]
        self.log, self.metrics = folder / "access.jsonl", f"127.0.0.1:{free_port()}"
        command += ["--listen", f"127.0.0.1:{port}", "--metrics", self.metrics, "--access-log", str(self.log)]
        self.environ = environ
        self.text = ""
        self.process = subprocess.Popen(command, env=environ, cwd=folder, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        self.wait("try: ", 1)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.text += line

    def wait(self, words: str, count: int, seconds: float = PATIENCE) -> None:
        """Wait until words have been reported so often."""
        until = time.monotonic() + seconds
        while self.text.count(words) < count:
            if time.monotonic() > until or self.process.poll() is not None:
                raise SystemExit(f"not reported: {words!r}; reported: {self.text[-2_000:]}")
            time.sleep(0.05)

    def token(self) -> str:
        """Return a token of this user's key, for ten minutes."""
        command = [MOM, "auth", "token", "--base-url", self.url, "--ttl", "600"]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, check=True).stdout.strip()

    @property
    def url(self) -> str:
        """Where it serves."""
        found = re.search(r"at (http://\S+)", self.text)
        assert found is not None
        return found[1]

    def counted(self) -> int:
        """Return how many requests of the adapter `api` the metrics have."""
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=30) as response:
            text = response.read().decode()
        return sum(map(int, re.findall(r'^envoy_atlas_requests\{adapter="api".*\} (\d+)$', text, re.MULTILINE)))

    def sample(self) -> Sample:
        """Return how much it uses now."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        envoys = [int(pid) for pid in children]
        return Sample(
            mom=_megabytes(self.process.pid),
            envoy=sum(_megabytes(pid) for pid in envoys),
            processes=len(envoys),
            threads=sum(_entries(f"/proc/{pid}/task") for pid in (self.process.pid, *envoys)),
            files=sum(_entries(f"/proc/{pid}/fd") for pid in (self.process.pid, *envoys)),
        )


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def _megabytes(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def send(soak: Soak, gateway: Gateway, tokens: list[str], rate: float) -> None:
    """Send requests on one connection at `rate` a second until the end."""
    host = gateway.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=PATIENCE)
    due = time.monotonic()
    while not soak.ended.is_set():
        due += 1 / rate
        soak.ended.wait(max(0.0, due - time.monotonic()))
        begin = time.perf_counter()
        try:
            target = f"/v1/apis/http/api/x?begun={time.monotonic()}"
            connection.request("GET", target, headers={"Atlas-Accesstoken": tokens[0]})
            response = connection.getresponse()
            body = response.read()
            if response.status != 200 or len(body) != 127:
                soak.lost.append(f"{response.status} {body[:200]!r}")
        except (OSError, http.client.HTTPException) as error:
            soak.lost.append(repr(error))
            connection.close()
        soak.latencies.append(time.perf_counter() - begin)


def change(soak: Soak, gateway: Gateway, folder: Path, api_port: int, arguments: argparse.Namespace) -> None:
    """Reload and rotate, each in its interval, until the time is over; look at the processes every ten seconds."""
    begin = time.monotonic()
    reload_at, rotate_at, sample_at = begin + arguments.reload, begin + arguments.rotate, begin
    extra: int | None = None
    while (now := time.monotonic()) < begin + arguments.seconds:
        if now >= reload_at:
            reload_at += arguments.reload
            extra = None if extra is not None else soak.reloads
            before = gateway.text.count("Reloaded")
            write(folder / "atlas.yml", configuration(api_port, extra))
            gateway.wait("Reloaded", before + 1)
            soak.reloads += 1
        if now >= rotate_at:
            rotate_at += arguments.rotate
            rotate(soak, gateway, folder)
        if now >= sample_at:
            sample_at += 10
            soak.samples.append(gateway.sample())
        time.sleep(0.05)


def rotate(soak: Soak, gateway: Gateway, folder: Path) -> None:
    """Change the credential, and wait until that is reported."""
    reported, saved = gateway.text.count("Reloaded"), time.monotonic()
    soak.rotations += 1
    credential = soak.credential
    credential.before, credential.until = credential.value, float("inf")
    credential.value = f"value-{soak.rotations}"
    write(folder / ".env", f"TOKEN={credential.value}\n")
    gateway.wait("Reloaded", reported + 1)
    credential.until = time.monotonic()
    credential.slowest = max(credential.slowest, credential.until - saved)


def report(soak: Soak, seconds: float) -> int:
    """Print the table, and return the exit status."""
    counted = soak.samples[int(len(soak.samples) * WARM_UP) :]
    quarter = max(1, len(counted) // 4)
    rows = {}
    for name in ("mom", "envoy", "threads", "files"):
        values = [float(getattr(sample, name)) for sample in counted]
        rows[name] = statistics.mean(values[:quarter]), statistics.mean(values[-quarter:]), max(values)
    latencies = sorted(soak.latencies)
    at = [1_000 * latencies[int(len(latencies) * share)] for share in (0.5, 0.99)]
    minutes = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
    print(f"\n### {minutes} of reloads and rotations\n")
    changes = f"{soak.reloads} reloads, {soak.rotations} rotations"
    print(f"{len(latencies):,} requests over {CONNECTIONS} connections, {changes}: {len(soak.lost)} lost,")
    print(f"{soak.credential.stale} with the old credential once the new one was reported,")
    print(f"which took {soak.credential.slowest:.1f} s at most. Median {at[0]:.1f} ms, 99 % below {at[1]:.1f} ms.\n")
    print("| | first quarter | last quarter | most |\n|---|---:|---:|---:|")
    for name, label in (("mom", "mom, MB"), ("envoy", "Envoy, MB"), ("threads", "threads"), ("files", "open files")):
        first, last, most = rows[name]
        print(f"| {label} | {first:.1f} | {last:.1f} | {most:.1f} |")
    processes = max(sample.processes for sample in soak.samples)
    logged = f"The access log has {soak.logged:,} of the requests, the metrics {soak.counted:,}"
    print(f"\n{logged}; Envoys at once: {processes}.")
    for line in soak.lost[:10]:
        print("lost:", line, file=sys.stderr)
    grown = [
        name
        for name, (first, last, _) in rows.items()
        if last - first > (MEGABYTES if name in {"mom", "envoy"} else 2) and last > first * (1 + SHARE)
    ]
    if grown:
        print(f"grown: {', '.join(grown)}", file=sys.stderr)
    # A new process counts from 0.
    missing = soak.logged != len(latencies) or (processes == 1 and soak.counted != len(latencies))
    return int(bool(grown or missing or soak.lost or soak.credential.stale or soak.credential.wrong))


def main() -> int:
    """Run the soak."""
    parser = argparse.ArgumentParser(description="Requests, reloads and rotations, for a long time.")
    parser.add_argument("--seconds", type=float, default=3_600)
    parser.add_argument("--rate", type=float, default=40, help="requests a second, of all connections")
    parser.add_argument("--reload", type=float, default=5, help="seconds between two reloads")
    parser.add_argument("--rotate", type=float, default=60, help="seconds between two rotations")
    arguments = parser.parse_args()
    soak = Soak()
    with tempfile.TemporaryDirectory() as name, api(soak.credential) as api_port:
        folder = Path(name)
        write(folder / "atlas.yml", configuration(api_port, None))
        write(folder / ".env", f"TOKEN={soak.credential.value}\n")
        environ = {**os.environ, "MOM_HOME": str(folder / "home")}
        gateway = Gateway(folder, free_port(), environ)
        tokens = [gateway.token()]
        clients = [
            threading.Thread(target=send, args=(soak, gateway, tokens, arguments.rate / CONNECTIONS))
            for _ in range(CONNECTIONS)
        ]

        def renew() -> None:
            while not soak.ended.wait(240):
                tokens[0] = gateway.token()

        for thread in (*clients, threading.Thread(target=renew)):
            thread.start()
        begin = time.monotonic()
        try:
            change(soak, gateway, folder, api_port, arguments)
        finally:
            soak.ended.set()
            for thread in clients:
                thread.join()
            seconds = time.monotonic() - begin
            soak.counted = gateway.counted()
            gateway.process.terminate()
            gateway.process.wait(60)
            soak.logged = sum(b'"adapter":"api"' in line for line in gateway.log.open("rb"))
    return report(soak, seconds)


if __name__ == "__main__":
    sys.exit(main())
